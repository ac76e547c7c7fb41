"""Connections, lent and taken back."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import NamedTuple

import asyncpg

from headwater.kernel.database.connection import CONNECTION_LOST, Connection
from headwater.kernel.database.models import DatabaseSettings
from headwater.kernel.database.queries import RESET_SESSION
from headwater.kernel.errors import Busy, DatabaseUnavailable
from headwater.kernel.observe import ConnectionClosed, ConnectionOpened, DatabaseLost, DatabaseReturned, Observer

Connect = Callable[[str], Awaitable[Connection]]
"""Opens a connection under a key: one of our logins, or what stands for the role it is pinned to."""

_PATIENCE = 10
"""How often the longest waiter may be passed over for one whose login needs no new connection."""


class _Waiter(NamedTuple):
    """Who waits for a connection of `login`, and until when on the loop's clock; None as the result is a free place."""

    login: str
    future: asyncio.Future[Connection | None]
    until: float


class Lease:
    """Lends connections of every login from one budget of `pool_max`.

    The connection given back last is lent first, so that caches stay warm and idle ones can be closed. When the
    budget is spent, an idle connection of another login makes room; when none is idle, the caller waits his turn,
    at most `pool_wait` seconds. A place is free once its connection is closed, so there are never more than
    `pool_max`.
    """

    def __init__(self, connect: Connect, settings: DatabaseSettings, observer: Observer) -> None:
        self._connect = connect
        self._settings = settings
        self._observer = observer
        self._idle: dict[str, list[tuple[Connection, float]]] = {}
        self._waiting: deque[_Waiter] = deque()
        self._expiry: asyncio.TimerHandle | None = None
        self._passed_over = 0
        self._open = 0
        self._lent: set[Connection] = set()
        self._apart: set[Connection] = set()
        self._opening: set[asyncio.Future[None]] = set()
        self._soiled: set[Connection] = set()
        self._cleaning: set[asyncio.Task[None]] = set()
        self.when_crowded: Callable[[], None] | None = None
        """Called when somebody begins to wait: whoever keeps connections apart may `free` one."""
        self._closing: set[asyncio.Task[None]] = set()
        self._trimming: asyncio.Task[None] | None = None
        self._lost_at: float | None = None
        self._closed = False

    @property
    def open_count(self) -> int:
        """Connections open or being opened."""
        return self._open

    @property
    def lent_count(self) -> int:
        """Connections in somebody's hands."""
        return len(self._lent)

    @property
    def is_crowded(self) -> bool:
        """Whether somebody waits for a connection."""
        return bool(self._waiting)

    async def start(self) -> None:
        """Begin to close connections that nobody has wanted for `pool_idle` seconds."""
        self._trimming = asyncio.create_task(self._trim())

    @asynccontextmanager
    async def held(self, login: str) -> AsyncGenerator[Connection]:
        """A connection of `login` for the length of a block."""
        connection = await self.take(login)
        try:
            yield connection
        except BaseException as failure:
            self.give_back(login, connection, dirty=not isinstance(failure, Exception))
            raise
        self.give_back(login, connection)

    async def take(self, login: str) -> Connection:
        """A connection of `login`; give it back in every case.

        Raises `DatabaseUnavailable` if none can be opened, `Busy` if none becomes free within `pool_wait` seconds.
        """
        idle = self._idle.get(login)
        while idle:
            connection, _ = idle.pop()
            if not connection.is_closed():
                self._lent.add(connection)
                return connection
            self._observer.tell(ConnectionClosed(login=login))
            self._give_slot_on()
        if self._closed:
            raise DatabaseUnavailable
        if self._open >= self._settings.pool_max:
            self._make_room()
            return await self._wait(login)
        self._open += 1
        return await self._fill_slot(login)

    def soil(self, connection: Connection) -> None:
        """Note of a lent connection that anybody's code may change its session: it is reset before it is lent again."""
        self._soiled.add(connection)

    def give_back(self, login: str, connection: Connection, *, dirty: bool = False) -> None:
        """Return a connection; a dirty, closed or still transacting one is closed and its place given on."""
        if connection in self._soiled:
            self._soiled.discard(connection)
            if not (dirty or self._closed or connection.is_closed() or connection.is_in_transaction()):
                task = asyncio.create_task(self._clean(login, connection))
                self._cleaning.add(task)
                task.add_done_callback(self._cleaning.discard)
                return
        self._lent.discard(connection)
        if dirty or self._closed or connection.is_closed() or connection.is_in_transaction():
            self._discard(login, connection)
            return
        waiter = self._next_waiter(login)
        if waiter is None:
            self._idle.setdefault(login, []).append((connection, monotonic()))
            return
        if waiter.login == login:
            self._lent.add(connection)
            waiter.future.set_result(connection)
        else:
            self._discard(login, connection, then=waiter.future)

    async def _clean(self, login: str, connection: Connection) -> None:
        """Reset a session and return its connection; nobody waits for this but who wants the connection next."""
        clean = False
        try:
            await connection.execute(RESET_SESSION)
            clean = True
        except (*CONNECTION_LOST, asyncpg.PostgresError, asyncpg.InterfaceError):
            clean = False
        finally:
            self.give_back(login, connection, dirty=not clean)

    def set_apart(self, connection: Connection) -> None:
        """Keep a lent connection for good: its place stays taken until `free`, and `close` ends it."""
        self._lent.remove(connection)
        self._apart.add(connection)

    def free(self, login: str, connection: Connection) -> None:
        """Give on the place of a connection that was set apart and is closed."""
        self._apart.remove(connection)
        self._observer.tell(ConnectionClosed(login=login))
        self._give_slot_on()

    async def close(self) -> None:
        """Close every connection: the idle ones in order, those still lent or just opened at once."""
        self._closed = True
        if self._trimming:
            self._trimming.cancel()
            await asyncio.wait((self._trimming,))
        for login, idle in self._idle.items():
            while idle:
                self._discard(login, idle.pop()[0])
        while self._waiting:
            future = self._waiting.popleft().future
            if not future.done():
                future.set_exception(DatabaseUnavailable())
        if self._expiry is not None:
            self._expiry.cancel()
        if underway := {*self._closing, *self._opening}:
            await asyncio.wait(underway, timeout=self._settings.connect_timeout)
        for connection in (*self._lent, *self._apart):
            connection.terminate()

    async def _wait(self, login: str) -> Connection:
        loop = asyncio.get_running_loop()
        waiter = _Waiter(login, loop.create_future(), loop.time() + self._settings.pool_wait)
        self._waiting.append(waiter)
        if self._expiry is None:
            self._expiry = loop.call_at(waiter.until, self._expire)
        if self.when_crowded is not None:
            self.when_crowded()
        try:
            connection = await waiter.future
        except BaseException:
            self._withdraw(waiter)
            raise
        return connection if connection is not None else await self._fill_slot(login)

    def _expire(self) -> None:
        """Refuse who has waited too long: one timer for all, because a timeout for each costs more than the wait."""
        loop = asyncio.get_running_loop()
        while self._waiting and (self._waiting[0].future.done() or self._waiting[0].until <= loop.time()):
            waiter = self._waiting.popleft()
            if not waiter.future.done():
                waiter.future.set_exception(Busy())
        self._expiry = loop.call_at(self._waiting[0].until, self._expire) if self._waiting else None

    def _withdraw(self, waiter: _Waiter) -> None:
        """Leave the queue; what was handed over in the same turn goes on to the next."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        future = waiter.future
        if future.done() and not future.cancelled() and future.exception() is None:
            connection = future.result()
            if connection is None:
                self._give_slot_on()
            else:
                self.give_back(waiter.login, connection)

    async def _fill_slot(self, login: str) -> Connection:
        """Open the connection that an already counted slot stands for."""
        if self._closed:
            self._give_slot_on()
            raise DatabaseUnavailable
        opening: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._opening.add(opening)
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                connection = await self._connect(login)
        except (*CONNECTION_LOST, asyncpg.PostgresError) as failure:
            self._give_slot_on()
            self._note_loss(failure)
            raise DatabaseUnavailable from failure
        except BaseException:
            self._give_slot_on()
            raise
        finally:
            self._opening.discard(opening)
            opening.set_result(None)
        if self._closed:
            connection.terminate()
            self._give_slot_on()
            raise DatabaseUnavailable
        self._note_return()
        self._observer.tell(ConnectionOpened(login=login))
        self._lent.add(connection)
        return connection

    def _note_loss(self, failure: Exception) -> None:
        """Tell once that Postgres is away, not at every attempt."""
        if self._lost_at is None:
            self._lost_at = monotonic()
            self._observer.tell(DatabaseLost(reason=f"{type(failure).__name__}: {failure}", part="lease"))

    def _note_return(self) -> None:
        if self._lost_at is not None:
            self._observer.tell(DatabaseReturned(seconds=monotonic() - self._lost_at, part="lease"))
            self._lost_at = None

    def _give_slot_on(self) -> None:
        while self._waiting:
            future = self._waiting.popleft().future
            if not future.done():
                future.set_result(None)
                return
        self._open -= 1

    def _next_waiter(self, login: str) -> _Waiter | None:
        while self._waiting and self._waiting[0].future.done():
            self._waiting.popleft()
        if not self._waiting:
            return None
        if self._waiting[0].login != login and self._passed_over < _PATIENCE:
            for waiter in self._waiting:
                if waiter.login == login and not waiter.future.done():
                    self._passed_over += 1
                    self._waiting.remove(waiter)
                    return waiter
        self._passed_over = 0
        return self._waiting.popleft()

    def _make_room(self) -> None:
        """Close the connection that has been idle longest, whatever its login; its place goes to who waits first."""
        idlest = min(
            (login for login, idle in self._idle.items() if idle),
            key=lambda login: self._idle[login][0][1],
            default=None,
        )
        if idlest is not None:
            connection, _ = self._idle[idlest].pop(0)
            self._discard(idlest, connection)

    def _discard(
        self, login: str, connection: Connection, then: asyncio.Future[Connection | None] | None = None
    ) -> None:
        """Close a connection in the background; then its place is `then`'s, or goes to who waits first."""
        task = asyncio.create_task(self._close(login, connection, then))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, login: str, connection: Connection, then: asyncio.Future[Connection | None] | None) -> None:
        try:
            await connection.close(timeout=2)
        except (*CONNECTION_LOST, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection.terminate()
        finally:
            self._observer.tell(ConnectionClosed(login=login))
            if then is None or then.done():
                self._give_slot_on()
            else:
                then.set_result(None)

    async def _trim(self) -> None:
        while True:
            await asyncio.sleep(min(5.0, self._settings.pool_idle))
            oldest = monotonic() - self._settings.pool_idle
            for login, idle in self._idle.items():
                while idle and self._open - len(self._closing) > self._settings.pool_min and idle[0][1] < oldest:
                    self._discard(login, idle.pop(0)[0])
