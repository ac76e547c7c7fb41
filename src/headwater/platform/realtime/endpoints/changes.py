"""Where tables are let tell their changes."""

from headwater.kernel.component import Access, Endpoint, Mode
from headwater.platform.realtime.models import TableToTell, TellingTable
from headwater.platform.realtime.operations import TellingTables

CHANGES = (
    Endpoint(
        method="GET",
        path="/api/realtime/tables",
        operation=TellingTables.list_telling_tables,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=list[TellingTable],
    ),
    Endpoint(
        method="POST",
        path="/api/realtime/tables",
        operation=TellingTables.turn_on,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=TableToTell,
        status=201,
        result=TellingTable,
    ),
    Endpoint(
        method="DELETE",
        path="/api/realtime/tables/{schema}/{table}",
        operation=TellingTables.turn_off,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=TableToTell,
        status=204,
    ),
)
