"""Backups by the clock: made once for what was missed, whole or not there, the old ones removed, failures told."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import ANY
from uuid import UUID

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Database, Transactions
from headwater.kernel.database.archive import (
    Archives,
    BackupSettings,
    NotABackup,
    embedded_place,
    list_kept,
    must_be_as_written,
    rows_in,
)
from headwater.kernel.errors import Refusal
from headwater.kernel.jobs import BoundJob, BoundTimer, JobRecorder, JobRun, Selection, list_failed
from headwater.kernel.observe import BackupFailed, BackupMade, Observation, Observer
from headwater.kernel.principal import principal_from_claims
from headwater.platform.database import queries
from headwater.platform.database.jobs import JOBS, TIMERS
from headwater.platform.database.models import (
    BackupSchedule,
    DatabaseConfig,
    DatabaseConfigChange,
    NamedBackup,
    RenamedBackup,
    ScheduledBackup,
    WantedBackup,
)
from headwater.platform.database.operations import Backups
from tests.kernel.jobs.conftest import House
from tests.kit.database import Cluster
from tests.platform.database.desk import refused

ADMIN = principal_from_claims({"sub": "local:admin", "role": "project_admin"})
NIGHTLY = BackupSettings(cron="30 3 * * *", keep=2)
DUE = "select due from system.timers where name = 'database.schedule_backup'"
FINISHED = "select count(*)::int from system.finished where job = 'database.back_up'"
COUNT = "select count(*)::int from system.database_backups where status = '{}'"


class Night(House):
    """A house whose clock the test moves from night to night."""

    folder: Path
    backups: Backups

    async def open(self, settings: BackupSettings = NIGHTLY) -> None:
        """Begin to work under these settings."""
        (job,), (by_settings, by_admin) = JOBS, TIMERS
        timers = [
            BoundTimer(by_settings.set_by(settings), self.backups.schedule_backup),
            BoundTimer(by_admin, self.backups.call_for_backup),
        ]
        await self.worker(BoundJob(job, self.backups.make_scheduled_backup), timers=timers)

    async def change(self, cron: str, *, enabled: bool = True, days: int | None = None) -> DatabaseConfig:
        """Say as the admin when backups are made, and how long they stay."""
        schedule = BackupSchedule(enabled=enabled, cron_schedule=cron, retention_days=days)
        change = DatabaseConfigChange(backup=schedule)
        return await Transactions(self.database).writing(lambda tx: self.backups.change_config(tx, ADMIN, change))

    async def config(self) -> DatabaseConfig:
        """What is in force, as the admin is told."""
        return await self.database.reading(lambda tx: self.backups.show_config(tx, ADMIN, None))

    def pass_until(self, day: int, hour: int, minute: int) -> None:
        """Let it be a second after that time of January 2030."""
        self.clock.advance((datetime(2030, 1, day, hour, minute, 1, tzinfo=UTC) - self.clock.now()).total_seconds())

    @property
    def files(self) -> list[str]:
        """What lies in the folder."""
        return sorted(path.name for path in (self.folder / "backups").iterdir())

    async def until_backups(self, count: int, status: str = "completed") -> None:
        """Return when so many are written down."""
        await self.until_value(count, COUNT.format(status))


@pytest.fixture
async def night(
    cluster: Cluster,
    connector: Connect,
    database: Database,
    database_name: str,
    clock: DrivenClock,
    observer: Observer,
    tmp_path: Path,
) -> AsyncIterator[Night]:
    """A house that keeps its two latest backups in a folder of the test's."""
    opened = Night(connector, database, clock, observer)
    opened.folder = tmp_path

    async def find_place() -> Any:
        return embedded_place(cluster.address, database_name)

    archives = Archives(find_place, tmp_path, NIGHTLY, observer)
    opened.backups = Backups(archives=archives, settings=NIGHTLY, database=database, clock=clock)
    database.add_recorder(JobRecorder({job.name: job for job in JOBS}))
    yield opened
    await opened.close()


async def test_each_night_makes_one_and_the_oldest_leaves(night: Night, observations: list[Observation]) -> None:
    await night.open()
    for count, day in ((1, 1), (2, 2), (2, 3)):
        night.pass_until(day, 3, 30)
        await night.until_value(datetime(2030, 1, day + 1, 3, 30, tzinfo=UTC), DUE)
        await night.until_value(day, FINISHED)
        await night.until_backups(count)
    assert night.files == [
        "scheduled-2030-01-02-033001.backup",
        "scheduled-2030-01-02-033001.backup.sha256",
        "scheduled-2030-01-03-033001.backup",
        "scheduled-2030-01-03-033001.backup.sha256",
    ]
    latest = night.folder / "backups" / night.files[-2]
    assert latest.stat().st_mode & 0o777 == 0o600
    assert (await rows_in(latest, "system", "migrations"))[0]["component"].startswith("kernel.")
    made = [told for told in observations if isinstance(told, BackupMade)]
    assert [told.size for told in made][-1] == latest.stat().st_size
    told = await night.database.reading(lambda tx: night.backups.list_backups(tx, ADMIN, None))
    assert [backup.trigger_source for backup in told.backups] == ["scheduled", "scheduled"]
    await night.backups.check_backups()


async def test_what_was_missed_is_made_up_for_once(night: Night) -> None:
    await night.open()
    await night.close()
    night.pass_until(9, 12, 0)
    await night.open()
    await night.until_backups(1)
    await night.until_value(datetime(2030, 1, 10, 3, 30, tzinfo=UTC), DUE)
    await night.until_value(1, FINISHED)
    assert await night.value("select count(*)::int from system.jobs") == 0


async def test_a_failure_is_told_everywhere_and_leaves_nothing(night: Night, observations: list[Observation]) -> None:
    (night.folder / "backups").write_text("not a folder")
    await night.open()
    night.pass_until(1, 3, 30)
    for attempt in (1, 2, 3):
        await night.until_backups(attempt, "failed")
        with pytest.raises(Refusal, match=r"The scheduled backup of 2030-01-01T0.* failed: .*File exists"):
            await night.backups.check_backups()
        await night.until_value("failed" if attempt == 3 else "waiting", "select state from system.jobs")
        night.clock.advance(3600)
    (failed,) = await night.database.reading(lambda tx: list_failed(tx, Selection(job="database.back_up"), 9))
    assert failed.attempts == 3
    assert "ArchiveFailed" in failed.error
    assert len([told for told in observations if isinstance(told, BackupFailed)]) == 3
    (night.folder / "backups").unlink()
    night.pass_until(2, 3, 30)
    await night.until_backups(1)
    await night.backups.check_backups()


async def test_only_its_own_files_are_removed(night: Night) -> None:
    folder = night.folder / "backups"
    folder.mkdir()
    mine = ("headwater-2020-01-01-000000.backup", "scheduled.txt")
    for name in (*mine, "scheduled-2020-01-01-000000.backup", ".scheduled-2020-01-01-000000.backup.xyz"):
        (folder / name).write_text("old")
    transactions = Transactions(night.database)
    by_hand = await night.backups.make_backup(transactions, ADMIN, WantedBackup(name="by hand"))
    await night.open()
    for day in (1, 2):
        night.pass_until(day, 3, 30)
        await night.until_backups(day + 1)
    await night.until_value(2, FINISHED)
    assert {name.partition(".backup")[0] for name in night.files} == {
        "headwater-2020-01-01-000000",
        "scheduled.txt",
        "scheduled-2030-01-01-033001",
        "scheduled-2030-01-02-033001",
        str(by_hand.id),
    }
    await night.backups.remove_backup(transactions, ADMIN, NamedBackup(id=by_hand.id))
    assert not [name for name in night.files if str(by_hand.id) in name]


async def test_a_restore_over_http_looks_at_the_file_and_changes_nothing(night: Night) -> None:
    transactions = Transactions(night.database)
    made = await night.backups.make_backup(transactions, ADMIN, WantedBackup())
    named = NamedBackup(id=made.id)
    file = night.backups.archives.file_of(str(made.id))
    sentence = await refused(409, "SERVER_IS_RUNNING", night.backups.restore_backup(transactions, ADMIN, named))
    assert f"`headwater restore {file} --replace`" in sentence
    assert await night.value(COUNT.format("completed")) == 1
    with file.open("ab") as opened:
        opened.write(b"more")
    sentence = await refused(400, "NOT_A_BACKUP", night.backups.restore_backup(transactions, ADMIN, named))
    assert "SHA-256" in sentence
    file.write_bytes(b"")
    await refused(400, "NOT_A_BACKUP", night.backups.restore_backup(transactions, ADMIN, named))
    file.unlink()
    await refused(404, "BACKUP_MISSING", night.backups.restore_backup(transactions, ADMIN, named))
    unknown = NamedBackup(id=UUID(int=1))
    await refused(404, "DATABASE_NOT_FOUND", night.backups.restore_backup(transactions, ADMIN, unknown))


async def test_a_backup_that_failed_is_not_restored(night: Night) -> None:
    (night.folder / "backups").write_text("not a folder")
    transactions = Transactions(night.database)
    with pytest.raises(Refusal):
        await night.backups.make_backup(transactions, ADMIN, WantedBackup())
    (kept,) = (await night.database.reading(lambda tx: night.backups.list_backups(tx, ADMIN, None))).backups
    refusal = night.backups.restore_backup(transactions, ADMIN, NamedBackup(id=kept.id))
    assert "File exists" in await refused(400, "DATABASE_VALIDATION_ERROR", refusal)


async def test_a_schedule_that_is_taken_away_is_forgotten(night: Night) -> None:
    await night.open()
    await night.close()
    await night.open(BackupSettings())
    assert await night.value("select array_agg(name) from system.timers") == ["database.call_for_backup"]


async def test_a_file_that_changed_is_no_backup(night: Night) -> None:
    await night.backups.make_backup(Transactions(night.database), ADMIN, WantedBackup())
    folder = night.folder / "backups"
    (kept,) = list_kept(folder)
    assert kept.summed
    assert kept.size == kept.file.stat().st_size
    beside = kept.file.with_name(f"{kept.file.name}.sha256")
    assert beside.read_text() == f"{hashlib.sha256(kept.file.read_bytes()).hexdigest()}  {kept.file.name}\n"
    must_be_as_written(kept.file)
    copied = Path(shutil.copy(kept.file, folder / "copied.backup"))
    must_be_as_written(copied)
    with kept.file.open("r+b") as opened:
        opened.seek(kept.size // 2)
        opened.write(b"\0\0\0\0")
    with pytest.raises(NotABackup, match="SHA-256"):
        must_be_as_written(kept.file)
    assert list_kept(folder / "nowhere") == []


async def test_what_no_admin_said_the_settings_say(night: Night) -> None:
    told = await night.config()
    assert told.backup == BackupSchedule(enabled=True, cron_schedule="30 3 * * *", retention_days=None)
    assert told.next_backup_at == "2030-01-01T03:30:00.000Z"
    night.backups = replace(night.backups, settings=BackupSettings())
    told = await night.config()
    assert (told.backup.enabled, told.next_backup_at) == (False, None)


async def test_the_admins_schedule_takes_the_settings_place(night: Night) -> None:
    told = await night.change("0 5 * * *")
    assert told == await night.config()
    assert told.next_backup_at == "2030-01-01T05:00:00.000Z"
    await night.open()
    night.pass_until(1, 3, 30)
    await night.until_value(datetime(2030, 1, 2, 3, 30, tzinfo=UTC), DUE)
    assert await night.value("select count(*)::int from system.jobs") == 0
    night.pass_until(1, 5, 0)
    await night.until_backups(1)
    await night.until_value(1, FINISHED)
    assert (await night.config()).next_backup_at == "2030-01-02T05:00:00.000Z"
    assert await night.value("select details->>'cronSchedule' from system.audit_logs") == "0 5 * * *"


async def test_what_the_admins_schedule_missed_is_made_up_for_once(night: Night) -> None:
    await night.change("0 5 * * *")
    night.pass_until(9, 12, 0)
    for expected in (1, 0):
        _, effects = await night.database.writing(night.backups.call_for_backup)
        assert len(effects.jobs) == expected
    assert (await night.config()).next_backup_at == "2030-01-10T05:00:00.000Z"


async def test_a_schedule_that_is_off_calls_for_nothing(night: Night) -> None:
    assert (await night.change("* * * * *", enabled=False)).next_backup_at is None
    night.pass_until(2, 0, 0)
    for timer in (night.backups.call_for_backup, night.backups.schedule_backup):
        _, effects = await night.database.writing(timer)
        assert effects.jobs == []


async def test_another_retention_loses_no_backup_that_is_due(night: Night) -> None:
    due = (await night.change("0 5 * * *")).next_backup_at
    night.pass_until(1, 6, 0)
    assert (await night.change("0 5 * * *", days=3)).next_backup_at == due
    assert (await night.change("0 7 * * *", days=3)).next_backup_at == "2030-01-01T07:00:00.000Z"
    assert (await night.change("0 7 * * *", enabled=False)).next_backup_at is None
    assert (await night.change("0 7 * * *")).backup.retention_days is None


async def test_the_last_of_two_admins_wins_whole(night: Night) -> None:
    await asyncio.gather(night.change("0 5 * * *", days=5), night.change("0 6 * * *", days=6))
    told = (await night.config()).backup
    assert (told.cron_schedule, told.retention_days) in {("0 5 * * *", 5), ("0 6 * * *", 6)}


@pytest.mark.parametrize("cron", ["* * * *", "99 * * * *", "0 0 30 2 *", "R 3 * * *", "0 0 * * *\0"])
async def test_a_schedule_that_no_clock_keeps_is_refused(night: Night, cron: str) -> None:
    assert "backup.cronSchedule" in await refused(400, "DATABASE_VALIDATION_ERROR", night.change(cron, enabled=False))
    assert await night.value("select count(*)::int from system.database_config") == 0


async def test_old_ones_leave_but_never_the_newest_whole_one(night: Night) -> None:
    transactions = Transactions(night.database)
    run = JobRun(id="1", attempt=1, arguments=ScheduledBackup())
    await night.change("0 5 * * *", days=3)
    by_hand = await night.backups.make_backup(transactions, ADMIN, WantedBackup())
    await night.backups.make_scheduled_backup(transactions, run)
    night.pass_until(9, 5, 0)
    kept = night.folder / "backups"
    kept.rename(night.folder / "away")
    kept.write_text("not a folder")
    with pytest.raises(Refusal):
        await night.backups.make_scheduled_backup(transactions, run)
    kept.unlink()
    (night.folder / "away").rename(kept)
    assert await night.database.writing(lambda tx: queries.remove_scheduled_before(tx, tx.now)) == ([], ANY)
    night.clock.advance(4 * 86_400)
    await night.backups.make_scheduled_backup(transactions, run)
    (newest, manual) = (await night.database.reading(lambda tx: night.backups.list_backups(tx, ADMIN, None))).backups
    assert (newest.created_at, newest.expires_at) == ("2030-01-13T05:00:01.000Z", "2030-01-16T05:00:01.000Z")
    assert (manual.id, manual.expires_at) == (by_hand.id, None)
    assert [name for name in night.files if name.endswith(".backup")] == sorted(
        [f"{by_hand.id}.backup", "scheduled-2030-01-13-050001.backup"]
    )
    renamed = await transactions.writing(
        lambda tx: night.backups.rename_backup(tx, ADMIN, RenamedBackup(id=newest.id, name="x"))
    )
    assert renamed.expires_at == newest.expires_at
