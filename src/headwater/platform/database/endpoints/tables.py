"""The endpoints of the admin's side of the database."""

from headwater.kernel.component import MEBIBYTE, Access, Endpoint, Mode
from headwater.platform.database.models import (
    CreatedTable,
    DescribedTable,
    DroppedTable,
    ListTables,
    NamedTable,
    Sql,
    SqlResult,
    WantedTable,
)
from headwater.platform.database.operations import DatabaseAdmin

_SQL_SECONDS = 35.0
"""Above the statement timeout, so that Postgres is the one who says that the SQL took too long."""

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/database/tables",
        operation=DatabaseAdmin.list_tables,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=ListTables,
        result=list[str],
    ),
    Endpoint(
        method="GET",
        path="/api/database/tables/{table}/schema",
        operation=DatabaseAdmin.describe_table,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=NamedTable,
        result=DescribedTable,
    ),
    Endpoint(
        method="POST",
        path="/api/database/tables",
        operation=DatabaseAdmin.create_table,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=WantedTable,
        result=CreatedTable,
        status=201,
    ),
    Endpoint(
        method="DELETE",
        path="/api/database/tables/{table}",
        operation=DatabaseAdmin.drop_table,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=NamedTable,
        result=DroppedTable,
    ),
    Endpoint(
        method="POST",
        path="/api/database/advance/rawsql",
        operation=DatabaseAdmin.run_sql,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=Sql,
        result=SqlResult,
        body_limit=10 * MEBIBYTE,
        timeout=_SQL_SECONDS,
    ),
    Endpoint(
        method="POST",
        path="/api/database/advance/rawsql/unrestricted",
        operation=DatabaseAdmin.run_sql_unrestricted,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=Sql,
        result=SqlResult,
        body_limit=10 * MEBIBYTE,
        timeout=_SQL_SECONDS,
    ),
)
