"""What comes in and goes out of backups."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

BackupName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ScheduledBackup(msgspec.Struct, frozen=True, kw_only=True):
    """What the job is called with: nothing; the admin or the settings say the rest."""


class BackupSchedule(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """When the clock asks for a backup, and after how many days one leaves; null: only their number counts."""

    enabled: bool
    cron_schedule: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=36500)] | None


class DatabaseConfigChange(msgspec.Struct, frozen=True, kw_only=True):
    """How it is to be from now on, whole."""

    backup: BackupSchedule


class DatabaseConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is in force; the time in ISO 8601 with milliseconds, null where no backup is to come by itself."""

    backup: BackupSchedule
    next_backup_at: str | None


class WantedBackup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup to be made."""

    name: BackupName | None = None


class MadeBackup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that is being made: whose idea it was, what its file is called, and when it began."""

    id: UUID
    name: str | None
    source: Literal["manual", "scheduled"]
    file: str
    began: datetime


class RenamedBackup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup and its name from now on; null takes it away."""

    id: UUID
    name: BackupName | None


class NamedBackup(msgspec.Struct, frozen=True, kw_only=True):
    """Which backup is meant."""

    id: UUID


class Backup(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A backup that was made, or could not be; times in ISO 8601 with milliseconds."""

    id: UUID
    name: str | None
    trigger_source: str
    status: Literal["completed", "failed"]
    size_bytes: int | None
    error_message: str | None
    created_at: str
    completed_at: str | None
    created_by: str | None
    expires_at: str | None = None


class BackupList(msgspec.Struct, frozen=True, kw_only=True):
    """Every backup, the newest first."""

    backups: tuple[Backup, ...]


class RemovedBackup(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a backup's end."""

    message: str
