"""The endpoints that tell what is in the database."""

from headwater.kernel.component import Access, Endpoint, Mode
from headwater.platform.database.models import DatabaseContents, NamedTable, TableFacts
from headwater.platform.database.operations import Inventory

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/metadata/database",
        operation=Inventory.describe_database,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=DatabaseContents,
    ),
    Endpoint(
        method="GET",
        path="/api/metadata/{table}",
        operation=Inventory.describe_one,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=NamedTable,
        result=dict[str, TableFacts],
    ),
)
