"""The admin at his desk: each call is one request with effects of its own, on a real Postgres."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Database, Transactions
from headwater.kernel.errors import Refusal
from headwater.kernel.models import CacheKey
from headwater.kernel.principal import Principal, principal_from_claims
from headwater.platform.database.models import NamedTable, Sql, TableChanges
from headwater.platform.database.operations import (
    Advisor,
    Alterations,
    DatabaseAdmin,
    Functions,
    Indexes,
    Policies,
    Scans,
    Schemas,
    Triggers,
)

ADMIN = principal_from_claims({"sub": "local:admin", "role": "project_admin"})
USER = principal_from_claims({"sub": "00000000-0000-4000-8000-000000000001", "role": "authenticated"})
Answer = Any
INJECTIONS = (
    'x"; drop table people; --',
    "x'; drop table people; --",
    "x; drop table people",
    "$$; drop table people; $$",
    "x) ; drop table people; --",
    "text using (null); drop table people; --",
    "1); drop table people; select (1",
    "true) with check (true); drop table people; --",
)
"""What somebody may write into any field who wants a table `people` to be gone."""


class Desk:
    """What the admin asks for, as JSON in and JSON out."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.catalog = Catalog(database)
        self.admin = DatabaseAdmin(database, self.catalog)
        self.alterations = Alterations(self.catalog)
        self.schemas = Schemas(self.catalog)
        self.functions = Functions(self.catalog)
        self.indexes = Indexes(database, self.catalog)
        self.policies = Policies(self.catalog)
        self.triggers = Triggers(self.catalog)
        self.advisor = Advisor(self.catalog)
        self.scans = Scans(self.catalog)
        self.forgets: list[CacheKey] = []

    async def ask(self, operation: Callable[..., Awaitable[object]], body: type, **asked: Any) -> Answer:
        """The answer of an operation that opens its own transactions."""
        transactions = Transactions(self.database)
        try:
            answer = await operation(transactions, ADMIN, msgspec.json.decode(msgspec.json.encode(asked), type=body))
        finally:
            self.forgets = transactions.effects.forgets
        return msgspec.json.decode(msgspec.json.encode(answer))

    async def read(self, operation: Callable[..., Awaitable[object]], body: type, **asked: Any) -> Answer:
        """The answer of an operation that is given a view of the rows."""
        answer = await self.database.reading(lambda tx: operation(tx, ADMIN, msgspec.convert(asked, body)))
        return msgspec.json.decode(msgspec.json.encode(answer))

    async def write(self, operation: Callable[..., Awaitable[object]], body: type, **asked: Any) -> Answer:
        """The answer of an operation that is given one transaction of its own."""
        transactions = Transactions(self.database)
        answer = await transactions.writing(lambda tx: operation(tx, ADMIN, msgspec.convert(asked, body)))
        return msgspec.json.decode(msgspec.json.encode(answer))

    async def sql(self, query: str, *params: object) -> list[dict[str, Any]]:
        """The rows of SQL run as the admin."""
        return (await self.ask(self.admin.run_sql, Sql, query=query, params=params))["rows"]

    async def value(self, query: str, *params: object) -> Any:
        """The one value of SQL run as the admin."""
        (row,) = await self.sql(query, *params)
        (value,) = row.values()
        return value

    async def alter(self, table: str, **changes: Any) -> Answer:
        """A table's change."""
        return await self.ask(self.alterations.alter_table, TableChanges, table=table, **changes)

    async def columns(self, table: str) -> dict[str, Any]:
        """A table's columns by name, as they are described."""
        told = await self.ask(self.admin.describe_table, NamedTable, table=table)
        return {column["columnName"]: column for column in told["columns"]}

    async def as_role(self, principal: Principal, query: str) -> list[dict[str, Any]]:
        """What someone else sees."""
        rows = await self.database.reading(lambda tx: tx.rows(query), principal)
        return [dict(row) for row in rows]

    @staticmethod
    async def status(work: Awaitable[object]) -> int:
        """200, or the status of the refusal that work ends in; whatever else goes wrong is raised."""
        try:
            await work
        except Refusal as refusal:
            return refusal.status
        return 200


async def refused(status: int, code: str, work: Awaitable[object]) -> str:
    """The sentence of the refusal that work ends in."""
    with pytest.raises(Refusal) as caught:
        await work
    assert (caught.value.status, caught.value.code) == (status, code), caught.value.message
    return caught.value.message
