"""Whole databases: dumped into one file and restored from it, by PostgreSQL's own programs."""

from headwater.kernel.database.archive.archive import dump, embedded_place, external_place, restore, rows_in
from headwater.kernel.database.archive.errors import (
    ArchiveFailed,
    BackupExists,
    BackupMissing,
    NotABackup,
    ProgramMissing,
)
from headwater.kernel.database.archive.kept import Archives
from headwater.kernel.database.archive.models import Place
from headwater.kernel.database.archive.queries import (
    database_exists,
    drop_database,
    forget_secrets,
    is_empty,
    put_in_place,
    serving_count,
)

__all__ = [
    "ArchiveFailed",
    "Archives",
    "BackupExists",
    "BackupMissing",
    "NotABackup",
    "Place",
    "ProgramMissing",
    "database_exists",
    "drop_database",
    "dump",
    "embedded_place",
    "external_place",
    "forget_secrets",
    "is_empty",
    "put_in_place",
    "restore",
    "rows_in",
    "serving_count",
]
