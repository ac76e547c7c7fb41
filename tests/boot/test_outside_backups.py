"""A house on somebody else's PostgreSQL: backed up, moved there and back, restored wholly or not at all."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.kernel.database.archive import ProgramMissing, external_place
from headwater.kernel.database.archive.programs import find_program
from tests.faults.outside import OutsidePostgres
from tests.kit.server import COMMAND, RunningServer, new_folder
from tests.platform.database.test_backup import must_be_refused

KEY = "outside-key-0123456789-abcdefghijklmnopq"
ANOTHER_KEY = "another-key-0123456789-abcdefghijklmnop"
PASSWORD = "correct horse"
ROWS = 30_000
SCHEMA = (
    "create table notes (id serial primary key, body text not null, owner uuid default auth.uid())",
    "alter table notes enable row level security",
    "create policy own on notes using (owner = auth.uid()) with check (owner = auth.uid())",
    f"create table ballast as select n as id, repeat(md5(n::text), 20) as filler from generate_series(1, {ROWS}) n",
    "create function shout(word text) returns text language sql as $$ select upper(word) $$",
)


def environment(url: str | None, key: str = KEY, **more: str) -> dict[str, str]:
    """What a command is told of the database and the key."""
    told = {"HEADWATER_ENCRYPTION_KEY": key, **more}
    return told if url is None else {"HEADWATER_DATABASE_URL": url, **told}


def command(folder: Path, told: dict[str, str], *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """A `headwater` command, to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments), "--data", str(folder)],
        env={**os.environ, **told},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def must_work(ended: "subprocess.CompletedProcess[str]") -> None:
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A place for this module's files."""
    data = new_folder()
    data.mkdir(mode=0o711)
    yield data
    shutil.rmtree(data.parent, ignore_errors=True)


@pytest.fixture(scope="module")
def backup(folder: Path) -> Path:
    """A backup of an embedded house, of PostgreSQL 18, with people, policies and many rows."""
    server = RunningServer(new_folder(), environment(None))
    try:
        for statement in SCHEMA:
            server.sql(statement)
        with server.client(server.sign_up("ann@example.com")) as ann:
            ann.post("/api/database/records/notes", json={"body": "mine"}).raise_for_status()
        file = folder / "embedded.backup"
        must_work(command(server.folder, environment(None), "backup", file))
        return file
    finally:
        server.stop()
        shutil.rmtree(server.folder.parent, ignore_errors=True)


@pytest.fixture(scope="module", params=[False, True], ids=["18", "16"])
def outside(request: pytest.FixtureRequest) -> Iterator[OutsidePostgres]:
    """A PostgreSQL of somebody else's, the backup's own version or an older one."""
    running = OutsidePostgres(older=request.param)
    yield running
    running.remove()


@pytest.fixture
def url(outside: OutsidePostgres) -> Iterator[str]:
    """A database of its own there, of a user who is no superuser."""
    outside.sql(
        f"do $$ begin if not exists (select from pg_roles where rolname = 'app') then"
        f" create role app login createrole bypassrls password '{outside.password}'; end if; end $$",
        "create database house owner app",
    )
    yield outside.url("app", "house")
    outside.sql("drop database house with (force)")


def must_be_whole(told: dict[str, str], folder: Path, *, notes: int = 1) -> None:
    """A server on the restored database serves what was backed up, and takes more."""
    server = RunningServer(folder, told)
    try:
        with server.client(server.anon_key) as client:
            signed_in = client.post("/api/auth/sessions", json={"email": "ann@example.com", "password": PASSWORD})
            assert signed_in.status_code == 200, signed_in.text
            assert client.get("/api/database/records/notes").json() == []
        with server.client(signed_in.json()["accessToken"]) as ann:
            ann.post("/api/database/records/notes", json={"body": "more"}).raise_for_status()
            assert [row["id"] for row in ann.get("/api/database/records/notes").json()] == [*range(1, notes + 2)]
        assert server.sql("select count(*)::int as n, shout('hi') as word from ballast") == [{"n": ROWS, "word": "HI"}]
    finally:
        assert server.stop() == 0


def test_a_house_moves_out_and_is_backed_up_there(
    outside: OutsidePostgres, url: str, backup: Path, folder: Path, tmp_path: Path
) -> None:
    told = environment(url)
    must_work(command(folder, told, "restore", backup))
    must_be_whole(told, folder)
    again = tmp_path / "outside.backup"
    must_work(command(folder, told, "backup", again))
    assert again.stat().st_mode & 0o777 == 0o600
    assert outside.sql("select count(*) from notes", database="house") == 2
    outside.sql(
        "create table theirs (note int references notes)",
        "create table ours (note int references notes)",
        "alter table ours owner to project_admin",
        "drop table ballast",
        database="house",
    )
    must_be_refused(command(folder, told, "restore", again), "--replace")
    must_work(command(folder, told, "restore", again, "--replace"))
    assert outside.sql("select to_regclass('ours')", database="house") is None
    assert outside.sql("select to_regclass('theirs')", database="house") == "theirs"
    assert outside.sql("select count(*) from ballast", database="house") == ROWS
    must_be_whole(told, folder, notes=2)


def test_what_does_not_let_us_in_is_told(
    outside: OutsidePostgres, url: str, backup: Path, folder: Path, tmp_path: Path
) -> None:
    wrong = url.replace(outside.password, "wrong")
    nowhere = url.replace("/house", "/nowhere")
    silent = url.replace(str(outside.port), "1")
    for address, words in ((wrong, "password authentication failed"), (nowhere, "nowhere"), (silent, "reached")):
        for arguments in (("backup", tmp_path / "x.backup"), ("restore", backup)):
            ended = command(folder, environment(address), *arguments)
            must_be_refused(ended, "HEADWATER_DATABASE_URL", words)
            assert outside.password not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_key_is_wanted_before_anything_is_written(
    outside: OutsidePostgres, url: str, backup: Path, folder: Path
) -> None:
    must_be_refused(
        command(folder, environment(url, ANOTHER_KEY), "restore", backup), "the key at hand is", "--lose-secrets"
    )
    must_be_refused(
        command(folder, {"HEADWATER_DATABASE_URL": url}, "restore", backup), "HEADWATER_ENCRYPTION_KEY must be set"
    )
    assert outside.sql("select count(*) from pg_namespace where nspname = 'system'", database="house") == 0
    told = environment(url, ANOTHER_KEY)
    must_work(command(folder, told, "restore", backup, "--lose-secrets"))
    assert outside.sql("select count(*) from system.secrets", database="house") == 0
    must_be_whole(told, folder)


def test_a_server_at_work_is_not_pulled_from_under(url: str, backup: Path, folder: Path) -> None:
    told = environment(url)
    server = RunningServer(folder, told)
    try:
        must_be_refused(command(folder, told, "restore", backup, "--replace"), "stop it")
        assert server.is_ready()
    finally:
        server.stop()


@pytest.mark.parametrize("blow", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_restore_leaves_nothing(
    outside: OutsidePostgres, url: str, backup: Path, folder: Path, blow: signal.Signals
) -> None:
    started = subprocess.Popen(
        [*COMMAND, "restore", str(backup), "--data", str(folder)],
        env={**os.environ, **environment(url)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    working = "select count(*) from pg_stat_activity where datname = 'house' and application_name = 'psql'"
    end = time.monotonic() + 60
    while not outside.sql(f"{working} and state = 'active' and query like 'COPY%'"):
        assert started.poll() is None, "it was over before it could be interrupted"
        assert time.monotonic() < end
    started.send_signal(blow)
    started.wait(30)
    while outside.sql(working):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert outside.sql("select count(*) from pg_namespace where nspname in ('system', 'auth')", database="house") == 0
    assert outside.sql("select to_regclass('public.ballast')", database="house") is None
    must_work(command(folder, environment(url), "restore", backup))
    assert outside.sql("select count(*) from ballast", database="house") == ROWS


def test_a_damaged_backup_changes_nothing(
    outside: OutsidePostgres, url: str, backup: Path, folder: Path, tmp_path: Path
) -> None:
    whole = backup.read_bytes()
    cut = tmp_path / "cut.backup"
    cut.write_bytes(whole[: len(whole) // 2])
    ended = command(folder, environment(url), "restore", cut)
    must_be_refused(ended)
    assert outside.sql("select count(*) from pg_namespace where nspname = 'system'", database="house") == 0


async def test_a_server_newer_than_every_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    place = external_place("postgresql://app@localhost/house", 99)
    for path in (os.environ["PATH"], str(Path(sys.executable).parent)):
        monkeypatch.setenv("PATH", path)
        with pytest.raises(ProgramMissing, match="PostgreSQL 99, and no pg_dump"):
            await find_program("pg_dump", place)
        assert (await find_program("psql", place, any_version=True)).name == "psql"
