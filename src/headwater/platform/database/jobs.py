"""What the database does by the clock: it is backed up."""

from datetime import timedelta

from headwater.kernel.component import Job, Timer
from headwater.kernel.database.archive import BackupSettings
from headwater.platform.database.models import ScheduledBackup
from headwater.platform.database.operations import Backups
from headwater.platform.database.operations.backups import BACK_UP

JOBS = (
    Job(
        name=BACK_UP,
        arguments=ScheduledBackup,
        operation=Backups.make_scheduled_backup,
        attempts=3,
        backoff=timedelta(minutes=5),
        timeout=timedelta(hours=6),
        holds_connection=False,
        at_once=1,
        unique=lambda _: "the house",
    ),
)
TIMERS = (
    Timer(name="database.schedule_backup", operation=Backups.schedule_backup, rhythm_in=BackupSettings),
    Timer(name="database.call_for_backup", operation=Backups.call_for_backup, every=timedelta(seconds=30)),
)
