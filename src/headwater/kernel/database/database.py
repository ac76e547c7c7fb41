"""The database: transactions begun, tried again, committed."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from time import monotonic
from typing import Any, Protocol, TypeVar

import asyncpg

from headwater.kernel.clock import Clock
from headwater.kernel.database import queries
from headwater.kernel.database.connection import CONNECTION_LOST, Connection, is_lost
from headwater.kernel.database.errors import CommitUnknown
from headwater.kernel.database.lease import Lease
from headwater.kernel.database.logins import LOGIN_OF_ROLE, Login
from headwater.kernel.database.models import SYSTEM_ORIGIN, DatabaseSettings, Origin
from headwater.kernel.database.pipeline import Elsewhere, Pipelines
from headwater.kernel.database.queries import Isolation
from headwater.kernel.database.transaction import ReadingTransaction, Row, WritingTransaction
from headwater.kernel.errors import Busy, DatabaseUnavailable, InvalidToken, TimedOut, TransactionConflict
from headwater.kernel.models import Effects
from headwater.kernel.observe import Observer, TransactionRetried
from headwater.kernel.principal import Principal

T = TypeVar("T")
TO_BE_RETRIED = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.5


class Recorder(Protocol):
    """Keeps effects that must not be lost: writes them as rows of the transaction they belong to."""

    async def record(self, tx: WritingTransaction) -> None:
        """Write what of `tx.effects` is this recorder's to keep."""
        ...


class AuditRecorder:
    """Keeps the audit log."""

    async def record(self, tx: WritingTransaction) -> None:
        """Write the audit entries of a transaction into its own rows."""
        if tx.effects.audits:
            await queries.add_audit_entries(tx.connection, tx.origin, tx.effects.audits, tx.now)


class Database:
    """Runs work in transactions, as the owner or as a principal's role with his claims.

    A serialization failure or a deadlock starts the work again from nothing, at most `retries` times, with
    exponential back-off and jitter; effects start empty each time. Connection losses before COMMIT leave nothing
    behind and are refused with `DatabaseUnavailable`.

    `key_of` tells whose connections a principal's work may use, and those of the work that has none; as a rule the
    logins of the house.
    """

    def __init__(
        self,
        lease: Lease,
        clock: Clock,
        observer: Observer,
        settings: DatabaseSettings,
        recorders: Sequence[Recorder] = (),
        key_of: Callable[[Principal | None], str] | None = None,
    ) -> None:
        self.lease = lease
        self._clock = clock
        self._observer = observer
        self._settings = settings
        self._recorders = (AuditRecorder(), *recorders)
        self._streams = 0
        self.pipelines = Pipelines(lease, settings)
        self._key_of = key_of or login_of

    def add_recorder(self, recorder: Recorder) -> None:
        """From now on `recorder` sees every writing transaction before it commits."""
        self._recorders = (*self._recorders, recorder)

    async def statement(self, principal: Principal | None, sql: str, *arguments: object) -> Row | None:
        """Run one statement as its own transaction; its first row, or None.

        As a principal's role the statement must set its own claims from its arguments (MEASURED.md: one round trip).
        Raises Postgres' own errors, `DatabaseUnavailable` and `Busy`.
        """
        return await self._alone(self._key_of(principal), sql, arguments)

    async def call(self, principal: Principal | None, sql: str, *arguments: object) -> Row | None:
        """Like `statement`, for one that runs a developer's code: what that leaves in its session is reset."""
        return await self._alone(self._key_of(principal), sql, arguments, soils=True)

    async def read(self, principal: Principal | None, sql: str, *arguments: object) -> tuple[Any, ...] | None:
        """Like `statement`, for one that changes nothing: the quick ones of many callers share connections.

        It may be run twice. An unusual type of argument or column costs a connection of its own, no more.
        """
        login = self._key_of(principal)
        pipe = self.pipelines.find(login, sql, arguments)
        if pipe is not None:
            with suppress(Elsewhere):
                return await pipe.run(sql, arguments)
        row = await self._alone(login, sql, arguments)
        return None if row is None else tuple(row.values())

    async def _alone(self, login: str, sql: str, arguments: Sequence[object], *, soils: bool = False) -> Row | None:
        """The first row of a statement on a connection of its own."""
        connection = await self.lease.take(login)
        if soils:
            self.lease.soil(connection)
        try:
            row = await connection.fetchrow(sql, *arguments)
        except BaseException as failure:
            lost = is_lost(connection, failure)
            self.lease.give_back(login, connection, dirty=lost or not isinstance(failure, Exception))
            if lost:
                raise DatabaseUnavailable from failure
            raise
        self.lease.give_back(login, connection)
        return row

    async def single(self, work: Callable[[ReadingTransaction], Awaitable[T]], principal: Principal | None = None) -> T:
        """Run work that is one statement, without BEGIN and COMMIT around it, as the owner."""
        async with self._connection(self._key_of(principal)) as connection:
            return await work(ReadingTransaction(connection, self._clock.now()))

    async def reading(
        self, work: Callable[[ReadingTransaction], Awaitable[T]], principal: Principal | None = None
    ) -> T:
        """Run `work` on one snapshot of the rows, read only."""

        async def attempt(connection: Connection) -> T:
            await connection.execute(queries.begin(Isolation.READING, _claims_of(principal)))
            result = await work(ReadingTransaction(connection, self._clock.now()))
            await connection.execute(queries.COMMIT)
            return result

        return await self._retried(principal, attempt)

    async def stream(
        self, work: Callable[[ReadingTransaction], AsyncGenerator[T]], principal: Principal | None = None
    ) -> AsyncGenerator[T]:
        """What `work` yields on one snapshot of the rows, read only, as fast as it is taken.

        The one transaction that waits for others than Postgres, for whoever takes the items: it holds a connection
        until it ends or is closed, for `stream_seconds` at most, and there are never more than `streams`
        (docs/decisions/0024). Close it in every case. Raises `Busy` and, in the end, `TimedOut`.
        """
        if self._streams >= min(self._settings.streams, self._settings.pool_max // 2):
            raise Busy
        self._streams += 1
        until = monotonic() + self._settings.stream_seconds
        try:
            async with self._connection(self._key_of(principal)) as connection:
                await connection.execute(queries.begin(Isolation.READING, _claims_of(principal)))
                async with aclosing(work(ReadingTransaction(connection, self._clock.now()))) as items:
                    async for item in items:
                        yield item
                        if monotonic() > until:
                            raise TimedOut(seconds=self._settings.stream_seconds)
                await connection.execute(queries.COMMIT)
        finally:
            self._streams -= 1

    async def writing(
        self,
        work: Callable[[WritingTransaction], Awaitable[T]],
        principal: Principal | None = None,
        *,
        origin: Origin = SYSTEM_ORIGIN,
        serializable: bool = False,
        soils: bool = False,
    ) -> tuple[T, Effects]:
        """Run `work`, commit, and return its result with the effects that are now to be carried out.

        With `soils` the work runs a developer's code: what that leaves in its session is reset.
        """
        isolation = Isolation.SERIALIZABLE if serializable else Isolation.WRITING

        async def attempt(connection: Connection) -> tuple[T, Effects]:
            await connection.execute(queries.begin(isolation, _claims_of(principal)))
            tx = WritingTransaction(connection, self._clock.now(), origin)
            result = await work(tx)
            for recorder in self._recorders:
                await recorder.record(tx)
            await _commit(connection)
            return result, tx.effects

        return await self._retried(principal, attempt, soils=soils)

    async def _retried(
        self, principal: Principal | None, attempt: Callable[[Connection], Awaitable[T]], *, soils: bool = False
    ) -> T:
        login = self._key_of(principal)
        for failures in range(self._settings.retries + 1):
            if failures:
                await asyncio.sleep(random.uniform(0.5, 1) * min(_FIRST_PAUSE * 2**failures, _LONGEST_PAUSE))  # noqa: S311 - jitter, not a secret
            try:
                async with self._connection(login) as connection:
                    if soils:
                        self.lease.soil(connection)
                    return await attempt(connection)
            except TO_BE_RETRIED as failure:
                self._observer.tell(TransactionRetried(reason=failure.sqlstate or "", attempt=failures + 1))
        raise TransactionConflict

    @asynccontextmanager
    async def _connection(self, login: str) -> AsyncGenerator[Connection]:
        """A connection for one transaction; it goes back clean, or it is closed."""
        connection = await self.lease.take(login)
        try:
            yield connection
        except Exception as failure:
            lost = is_lost(connection, failure)
            if not lost:
                await _roll_back(connection)
            self.lease.give_back(login, connection, dirty=lost)
            if lost:
                raise DatabaseUnavailable from failure
            raise
        except BaseException:
            self.lease.give_back(login, connection, dirty=True)
            raise
        self.lease.give_back(login, connection)


def login_of(principal: Principal | None) -> Login:
    """The login whose only role is the principal's; the owner's where there is none.

    Raises `InvalidToken` for a role that is not one of ours.
    """
    if principal is None:
        return Login.OWNER
    login = LOGIN_OF_ROLE.get(principal.role)
    if login is None:
        raise InvalidToken
    return login


def _claims_of(principal: Principal | None) -> str | None:
    return None if principal is None else principal.claims_json


async def _commit(connection: Connection) -> None:
    """COMMIT, and make sure that it was one: Postgres answers ROLLBACK where a failed statement was swallowed."""
    try:
        tag = await connection.execute(queries.COMMIT)
    except (*CONNECTION_LOST, asyncpg.InterfaceError) as failure:
        raise CommitUnknown(headers={"Retry-After": "1"}) from failure
    if tag != "COMMIT":
        raise SwallowedFailure


async def _roll_back(connection: Connection) -> None:
    """Undo what is open; a connection on which that fails stays in its transaction and is closed by the lease."""
    if connection.is_in_transaction():
        try:
            await connection.execute(queries.ROLLBACK)
        except (*CONNECTION_LOST, asyncpg.InterfaceError, asyncpg.PostgresError):
            connection.terminate()


class SwallowedFailure(RuntimeError):
    """The work went on after a statement of its transaction had failed, so Postgres rolled all of it back."""


NOTHING = Effects()
"""What is left behind before anything was written: one for all, because most operations of a request only read."""


class Transactions:
    """The short transactions of an operation that holds no connection while it waits for other things.

    `effects` collects what they left behind, for the stages after the operation.
    """

    def __init__(self, database: Database, origin: Origin = SYSTEM_ORIGIN) -> None:
        self._database = database
        self._origin = origin
        self.effects = NOTHING

    def statement(self, principal: Principal | None, sql: str, *arguments: object) -> Awaitable[Row | None]:
        """Run one statement as its own transaction; its first row, or None. See `Database.statement`."""
        return self._database.statement(principal, sql, *arguments)

    def call(self, principal: Principal | None, sql: str, *arguments: object) -> Awaitable[Row | None]:
        """Run one statement that runs a developer's code; its first row, or None. See `Database.call`."""
        return self._database.call(principal, sql, *arguments)

    def read(self, principal: Principal | None, sql: str, *arguments: object) -> Awaitable[tuple[Any, ...] | None]:
        """Run one statement that changes nothing; its first row, or None. See `Database.read`."""
        return self._database.read(principal, sql, *arguments)

    async def reading(
        self, work: Callable[[ReadingTransaction], Awaitable[T]], principal: Principal | None = None
    ) -> T:
        """Run `work` on one snapshot of the rows: the owner's view, or the principal's."""
        return await self._database.reading(work, principal)

    def stream(
        self, work: Callable[[ReadingTransaction], AsyncGenerator[T]], principal: Principal | None = None
    ) -> AsyncGenerator[T]:
        """What `work` yields on one snapshot of the rows, as fast as it is taken. See `Database.stream`."""
        return self._database.stream(work, principal)

    async def writing(
        self,
        work: Callable[[WritingTransaction], Awaitable[T]],
        principal: Principal | None = None,
        *,
        serializable: bool = False,
        soils: bool = False,
    ) -> T:
        """Run `work`, commit it and keep its effects; under the owner, or under the principal's role and claims.

        With `soils` the work runs a developer's code: see `Database.writing`.
        """
        result, effects = await self._database.writing(
            work, principal, origin=self._origin, serializable=serializable, soils=soils
        )
        if self.effects is NOTHING:
            self.effects = Effects()
        self.effects.absorb(effects)
        return result
