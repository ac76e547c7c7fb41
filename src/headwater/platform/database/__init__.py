"""Database: tables and SQL, for the project's admin.

Tables: system.custom_migrations, system.database_backups; else it makes the developer's, in the schemas he owns.
Endpoints: everything under /api/database but /records and /rpc, all of it for the admin: tables and their changes,
schemas, functions, indexes, policies, triggers, rows by hand, raw SQL, migrations, export, import, the advisor.
Events: none. Jobs: `database.back_up`. Timers: `database.schedule_backup`, if HEADWATER_BACKUP_CRON is set. Limits: the
house's own.
"""

from headwater.kernel.component import Component, HealthCheck
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
    Loads,
    Migrations,
    Policies,
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
    ),
    endpoints=ENDPOINTS,
    jobs=JOBS,
    timers=TIMERS,
    health_checks=(HealthCheck(name="backups", operation=Backups.check_backups, essential=False),),
    errors=errors,
)

__all__ = ["COMPONENT", "DatabaseAdmin"]
