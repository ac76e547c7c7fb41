"""What the admin does to let tables tell their changes."""

from dataclasses import dataclass

from headwater.kernel.catalog import INTERNAL_SCHEMAS
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.principal import Principal
from headwater.platform.realtime import queries
from headwater.platform.realtime.changes import RowChanges, channel_of
from headwater.platform.realtime.errors import TableNotFound, UnfitTable
from headwater.platform.realtime.models import FoundTable, TableAddress, TableToTell, TellingTable

_TABLES = frozenset("rp")
_KINDS = {"v": "a view", "m": "a materialized view", "f": "a foreign table", "S": "a sequence", "i": "an index"}


@dataclass(frozen=True)
class TellingTables:
    """The verbs of row changes."""

    changes: RowChanges

    async def warm(self, _transactions: Transactions) -> None:
        """Decide from now on who is told of a table's changes."""
        self.changes.start()

    async def list_telling_tables(
        self, tx: ReadingTransaction, _principal: Principal, _body: None
    ) -> list[TellingTable]:
        """Every table that tells its changes, by name."""
        return [_described(address) for address in await queries.list_telling_tables(tx)]

    async def turn_on(self, transactions: Transactions, principal: Principal, body: TableToTell) -> TellingTable:
        """Let a table tell its changes from now on; nothing happens where it does so already.

        Raises `TableNotFound`, `UnfitTable` and the database's refusals.
        """
        address = TableAddress(schema=body.schema, table=body.table)
        found = await self._find(transactions, address)
        if "." in body.schema + body.table or ":" in body.schema + body.table:
            raise UnfitTable(reason="table: a name with '.' or ':' cannot be part of a channel's")
        if found.kind not in _TABLES:
            raise UnfitTable(reason=f"table: {body.table} is {_KINDS.get(found.kind, 'no table')}")
        if found.is_partition:
            raise UnfitTable(reason=f"table: {body.table} is a partition; turn on the table that it is part of")
        if not found.has_key:
            raise UnfitTable(reason=f"table: {body.table} has no primary key, so nobody could be told which row it was")
        await transactions.writing(lambda tx: queries.add_triggers(tx, address), _owner(found, principal))
        return _described(address)

    async def turn_off(self, transactions: Transactions, principal: Principal, body: TableToTell) -> None:
        """Let a table tell nothing more. Raises `TableNotFound` where it did not."""
        address = TableAddress(schema=body.schema, table=body.table)
        found = await self._find(transactions, address)

        async def remove(tx: WritingTransaction) -> None:
            if address not in await queries.list_telling_tables(tx):
                raise TableNotFound(table=body.table)
            await queries.remove_triggers(tx, address)

        await transactions.writing(remove, _owner(found, principal))

    async def _find(self, transactions: Transactions, address: TableAddress) -> FoundTable:
        if address.schema in INTERNAL_SCHEMAS or address.schema.startswith("pg_"):
            raise TableNotFound(table=address.table)
        found = await transactions.reading(lambda tx: queries.find_table(tx, address))
        if found is None:
            raise TableNotFound(table=address.table)
        return found


def _described(address: TableAddress) -> TellingTable:
    return TellingTable(schema=address.schema, table=address.table, channel=channel_of(address))


def _owner(found: FoundTable, principal: Principal) -> Principal | None:
    """Who may change the table: the house where it is the house's own, else the admin."""
    return None if found.ours else principal
