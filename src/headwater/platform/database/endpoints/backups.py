"""The endpoints of backups."""

from headwater.kernel.component import Access, Endpoint, Mode
from headwater.platform.database.models import (
    Backup,
    BackupList,
    DatabaseConfig,
    DatabaseConfigChange,
    NamedBackup,
    RemovedBackup,
    RenamedBackup,
    WantedBackup,
)
from headwater.platform.database.operations import Backups

_DUMP_SECONDS = 3600.0

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/database/backups",
        operation=Backups.list_backups,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=BackupList,
    ),
    Endpoint(
        method="POST",
        path="/api/database/backups",
        operation=Backups.make_backup,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=WantedBackup,
        result=Backup,
        status=201,
        timeout=_DUMP_SECONDS,
    ),
    Endpoint(
        method="PATCH",
        path="/api/database/backups/{id}",
        operation=Backups.rename_backup,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=RenamedBackup,
        result=Backup,
    ),
    Endpoint(
        method="DELETE",
        path="/api/database/backups/{id}",
        operation=Backups.remove_backup,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=NamedBackup,
        result=RemovedBackup,
    ),
    Endpoint(
        method="POST",
        path="/api/database/backups/{id}/restore",
        operation=Backups.restore_backup,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=NamedBackup,
        timeout=_DUMP_SECONDS,
    ),
    Endpoint(
        method="GET",
        path="/api/database/config",
        operation=Backups.show_config,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=DatabaseConfig,
    ),
    Endpoint(
        method="PATCH",
        path="/api/database/config",
        operation=Backups.change_config,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=DatabaseConfigChange,
        result=DatabaseConfig,
    ),
)
