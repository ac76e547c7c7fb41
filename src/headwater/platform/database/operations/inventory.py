"""What is in the database, for whoever looks at the whole."""

from dataclasses import dataclass

import msgspec

from headwater.kernel.database import ReadingTransaction
from headwater.kernel.principal import Principal
from headwater.platform.database import queries
from headwater.platform.database.errors import TableNotFound
from headwater.platform.database.models import DatabaseContents, NamedTable, TableFacts, TableSize

_GIBIBYTE = 1024**3
_HINT = "recordCount is Postgres' estimate; GET /api/database/tables/{table}/schema counts exactly"


@dataclass(frozen=True)
class Inventory:
    """What the admin is told of the database in one answer."""

    async def describe_database(self, tx: ReadingTransaction, _principal: Principal, _body: None) -> DatabaseContents:
        """The tables of `public` with about how many rows each has, and the size of everything."""
        return DatabaseContents(
            tables=tuple(
                TableSize(table_name=row["name"], record_count=row["rows"])
                for row in await queries.list_table_sizes(tx)
            ),
            total_size=await queries.measure_database(tx) / _GIBIBYTE,
            hint=_HINT,
        )

    async def describe_one(
        self, tx: ReadingTransaction, _principal: Principal, body: NamedTable
    ) -> dict[str, TableFacts]:
        """Everything that makes one table what it is, under its name, without rows. Raises `TableNotFound`."""
        for row in await queries.describe_tables(tx, body.schema, [body.table]):
            if row["name"] == body.table:
                facts = msgspec.json.decode(row["facts"], type=TableFacts)
                return {body.table: msgspec.structs.replace(facts, rows=msgspec.Raw(b"[]"))}
        raise TableNotFound(table=body.table)
