"""Database: tables and SQL, for the project's admin.

Tables: system.custom_migrations, system.database_backups, system.database_config, system.advisor_scans,
system.advisor_suppressions;
else it makes the developer's, in the schemas he owns.
Endpoints: everything under /api/database but /records and /rpc, all of it for the admin: tables and their changes,
schemas, functions, indexes, policies, triggers, rows by hand, raw SQL, migrations, export, import, the advisor;
`/api/advisor`, `/api/metadata/database`, `/api/metadata/{table}`.
Events: none. Jobs: `database.back_up`. Timers: `database.schedule_backup`, if HEADWATER_BACKUP_CRON is set, and
`database.call_for_backup` for the admin's own schedule. Limits: the house's own.
"""

from headwater.kernel.component import Component, Description, HealthCheck
from headwater.platform.database import errors
from headwater.platform.database.endpoints import ENDPOINTS
from headwater.platform.database.jobs import JOBS, TIMERS
from headwater.platform.database.operations import (
    AdminRecords,
    Advisor,
    Alterations,
    Backups,
    DatabaseAdmin,
    Functions,
    Indexes,
    Inventory,
    Loads,
    Migrations,
    Policies,
    Scans,
    Schemas,
    Transfers,
    Triggers,
)

COMPONENT = Component(
    name="database",
    package=__name__,
    operations=(
        DatabaseAdmin,
        Alterations,
        Schemas,
        Functions,
        Indexes,
        Policies,
        Triggers,
        Migrations,
        Loads,
        Transfers,
        Backups,
        AdminRecords,
        Advisor,
        Scans,
        Inventory,
    ),
    endpoints=ENDPOINTS,
    jobs=JOBS,
    timers=TIMERS,
    health_checks=(HealthCheck(name="backups", operation=Backups.check_backups, essential=False),),
    descriptions=(Description(name="database", operation=Inventory.describe_database),),
    errors=errors,
)

__all__ = ["COMPONENT", "DatabaseAdmin"]
