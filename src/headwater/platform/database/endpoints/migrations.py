"""The endpoints of developers' migrations."""

from headwater.kernel.component import MEBIBYTE, Access, Endpoint, Limit, Mode
from headwater.platform.database.models import AppliedMigration, DryRun, MigrationHistory, TriedSql, WantedMigration
from headwater.platform.database.operations import Migrations

_APPLY_SECONDS = 660.0
"""Above the statement timeout, so that Postgres is the one who says that a statement took too long."""

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/database/migrations",
        operation=Migrations.list_migrations,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=MigrationHistory,
    ),
    Endpoint(
        method="POST",
        path="/api/database/migrations",
        operation=Migrations.apply_migration,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=WantedMigration,
        result=AppliedMigration,
        status=201,
        body_limit=10 * MEBIBYTE,
        timeout=_APPLY_SECONDS,
    ),
    Endpoint(
        method="POST",
        path="/api/database/migrations/dry-run",
        operation=Migrations.try_migration,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=TriedSql,
        result=DryRun,
        limits=(Limit(name="migration-dry-run", count=30, seconds=900, by="principal"),),
        body_limit=10 * MEBIBYTE,
    ),
)
