"""Whole databases: dumped into one file and restored from it, by PostgreSQL's own programs."""

from headwater.kernel.database.archive.archive import (
    dump,
    embedded_place,
    external_place,
    restore,
    restore_at_once,
    rows_in,
)
from headwater.kernel.database.archive.checksum import must_be_as_written
from headwater.kernel.database.archive.errors import (
    ArchiveFailed,
    BackupExists,
    BackupMissing,
    NotABackup,
    ProgramMissing,
)
from headwater.kernel.database.archive.kept import SCHEDULED, Archives, folder_of, list_kept
from headwater.kernel.database.archive.models import BackupSettings, KeptFile, Place
from headwater.kernel.database.archive.queries import (
    DROP_WHAT_WE_OWN,
    FORGET_SECRETS,
    LET_OWNERS_CREATE,
    database_exists,
    drop_database,
    forget_secrets,
    is_empty,
    put_in_place,
    serving_count,
)

__all__ = [
    "DROP_WHAT_WE_OWN",
    "FORGET_SECRETS",
    "LET_OWNERS_CREATE",
    "SCHEDULED",
    "ArchiveFailed",
    "Archives",
    "BackupExists",
    "BackupMissing",
    "BackupSettings",
    "KeptFile",
    "NotABackup",
    "Place",
    "ProgramMissing",
    "database_exists",
    "drop_database",
    "dump",
    "embedded_place",
    "external_place",
    "folder_of",
    "forget_secrets",
    "is_empty",
    "list_kept",
    "must_be_as_written",
    "put_in_place",
    "restore",
    "restore_at_once",
    "rows_in",
    "serving_count",
]
