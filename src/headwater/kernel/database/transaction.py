"""Transactions: rows now, effects after commit."""

from datetime import datetime
from typing import Any

import asyncpg

from headwater.kernel.database.connection import Connection
from headwater.kernel.database.models import Origin
from headwater.kernel.models import AuditEntry, CacheKey, Effects, Event, JobCall

Row = asyncpg.Record


class ReadingTransaction:
    """A view of the rows at one moment; it cannot change them.

    `now` is the house's time when the transaction began: SQL takes it as a parameter.
    """

    def __init__(self, connection: Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now

    async def rows(self, sql: str, *arguments: object) -> list[Row]:
        """Every row that the statement returns."""
        return await self.connection.fetch(sql, *arguments)

    async def row(self, sql: str, *arguments: object) -> Row | None:
        """The first row that the statement returns, or None."""
        return await self.connection.fetchrow(sql, *arguments)

    async def value(self, sql: str, *arguments: object) -> Any:
        """The first column of the first row, or None."""
        return await self.connection.fetchval(sql, *arguments)

    async def version(self) -> str:
        """The server's version, such as `18.4`."""
        told = self.connection.get_server_version()
        return f"{told.major}.{told.minor}"


class WritingTransaction(ReadingTransaction):
    """Changes that happen wholly or not at all, and what is to follow them.

    Effects leave only after commit. Durable events and jobs are rows of this same transaction.
    """

    def __init__(self, connection: Connection, now: datetime, origin: Origin) -> None:
        super().__init__(connection, now)
        self.origin = origin
        self.effects = Effects()

    async def execute(self, sql: str, *arguments: object) -> int:
        """Run a statement; the number of rows it touched (0 where it touches none by nature)."""
        tag = await self.connection.execute(sql, *arguments)
        last = tag.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    def forget(self, key: CacheKey) -> None:
        """After commit, and before the answer, nobody finds the old value under `key`."""
        self.effects.forgets.append(key)

    def emit(self, event: Event) -> None:
        """After commit, tell `event`."""
        self.effects.events.append(event)

    def enqueue(self, call: JobCall) -> None:
        """After commit, run the job, at once or when it is due."""
        self.effects.jobs.append(call)

    def audit(self, entry: AuditEntry) -> None:
        """Write to the audit log, in this transaction."""
        self.effects.audits.append(entry)
