"""Where tables are changed."""

from headwater.kernel.component import Access, Endpoint, Mode
from headwater.platform.database.models import AlteredTable, TableChanges
from headwater.platform.database.operations import Alterations

_LONGEST_CHANGE = 35.0
"""Above the statement timeout, so that Postgres is the one who says that a change took too long."""

ENDPOINTS = (
    Endpoint(
        method="PATCH",
        path="/api/database/tables/{table}/schema",
        operation=Alterations.alter_table,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=TableChanges,
        result=AlteredTable,
        timeout=_LONGEST_CHANGE,
    ),
)
