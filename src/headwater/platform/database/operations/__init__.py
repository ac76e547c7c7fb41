"""The verbs of the admin's side of the database, a class for each noun."""

from headwater.platform.database.operations.admin_records import AdminRecords
from headwater.platform.database.operations.advisor import Advisor
from headwater.platform.database.operations.alterations import Alterations
from headwater.platform.database.operations.backups import Backups
from headwater.platform.database.operations.functions import Functions
from headwater.platform.database.operations.indexes import Indexes
from headwater.platform.database.operations.inventory import Inventory
from headwater.platform.database.operations.loads import Loads
from headwater.platform.database.operations.migrations import Migrations
from headwater.platform.database.operations.policies import Policies
from headwater.platform.database.operations.scans import Scans
from headwater.platform.database.operations.schemas import Schemas
from headwater.platform.database.operations.tables import DatabaseAdmin
from headwater.platform.database.operations.transfers import Transfers
from headwater.platform.database.operations.triggers import Triggers

__all__ = [
    "AdminRecords",
    "Advisor",
    "Alterations",
    "Backups",
    "DatabaseAdmin",
    "Functions",
    "Indexes",
    "Inventory",
    "Loads",
    "Migrations",
    "Policies",
    "Scans",
    "Schemas",
    "Transfers",
    "Triggers",
]
