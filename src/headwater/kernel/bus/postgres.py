"""The bus over Postgres NOTIFY."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from time import monotonic
from typing import NamedTuple

import asyncpg
import msgspec

from headwater.kernel.bus import queries
from headwater.kernel.bus.bus import GapHandler, Handler, RawHandler
from headwater.kernel.bus.frames import join, pack, read_frame
from headwater.kernel.bus.tasks import Tasks
from headwater.kernel.database import CONNECTION_LOST, Connect, Connection, Database, Login
from headwater.kernel.ids import new_id
from headwater.kernel.observe import DatabaseLost, DatabaseReturned, HookFailed, Observer

CHANNEL = "headwater_bus"
_PROBE_EVERY = 1.0
_PROBE_TIMEOUT = 3.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class _Outgoing(NamedTuple):
    packed: msgspec.Raw
    sent: asyncio.Future[None]


class PostgresBus:
    """Listens on one connection of its own, outside the lease, and publishes through the database.

    Messages of one loop turn, and those that come while a statement is under way, leave in one statement. A
    connection that was lost, or that does not answer a probe, is opened again: after 0.1 s, later each time, at most
    5 s. See `Bus` for the promises.
    """

    def __init__(self, connect: Connect, database: Database, observer: Observer) -> None:
        self._connect = connect
        self._database = database
        self._observer = observer
        self._sender = new_id().hex
        self._serial = 0
        self._handlers: dict[str, list[Handler]] = defaultdict(list)
        self._raw: dict[str, list[RawHandler]] = defaultdict(list)
        self._gap_handlers: list[GapHandler] = []
        self._outgoing: list[_Outgoing] = []
        self._flushing: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._tasks = Tasks("bus", observer)
        self._changed = asyncio.Event()
        self._connection: Connection | None = None
        self._last_heard = -math.inf

    @property
    def connected(self) -> bool:
        """Whether other processes can be heard now."""
        return self._connection is not None and not self._connection.is_closed()

    @property
    def last_heard(self) -> float:
        """When Postgres last gave a sign of life, on the scale of `time.monotonic`; minus infinity for never."""
        return self._last_heard

    async def start(self) -> None:
        """Begin to listen; raises one of `CONNECTION_LOST` if Postgres cannot be reached."""
        connection = await self._open()
        self._keeping = asyncio.create_task(self._keep(connection))

    async def stop(self) -> None:
        """Send what is waiting, then fall silent."""
        if self._flushing:
            await self._flushing
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._tasks.stop()
        if self._connection is not None:
            await _close(self._connection)

    async def publish(self, topic: str, message: bytes = b"") -> None:
        """Deliver `message` here at once, and return when Postgres has it for the others. See `Bus.publish`."""
        outgoing = _Outgoing(pack(topic, message), asyncio.get_running_loop().create_future())
        self._deliver(topic, message)
        self._outgoing.append(outgoing)
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await outgoing.sent

    def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        """From now on `handler` hears every message on `topic`; the result ends that."""
        self._handlers[topic].append(handler)
        return partial(self._handlers[topic].remove, handler)

    def on_gap(self, callback: GapHandler) -> None:
        """Call `callback` each time the connection had been lost and listens again."""
        self._gap_handlers.append(callback)

    def listen_raw(self, channel: str, handler: RawHandler) -> None:
        """Pass the payload of every NOTIFY on `channel` to `handler`; from `start` on, or a moment after this call."""
        self._raw[channel].append(handler)
        self._changed.set()

    async def _flush(self) -> None:
        """Send until nothing waits; what comes during a statement leaves with the next."""
        while self._outgoing:
            leaving, self._outgoing = self._outgoing, []
            payloads = join(self._sender, self._serial, (outgoing.packed for outgoing in leaving))
            self._serial += len(payloads)
            try:
                await self._database.statement(None, queries.NOTIFY, CHANNEL, payloads)
            except Exception as failure:  # noqa: BLE001 - raised where it was published
                for outgoing in leaving:
                    if not outgoing.sent.done():
                        outgoing.sent.set_exception(failure)
            else:
                for outgoing in leaving:
                    if not outgoing.sent.done():
                        outgoing.sent.set_result(None)
        self._flushing = None

    async def _keep(self, connection: Connection) -> None:
        while True:
            failure = await self._attend(connection)
            lost_at = monotonic()
            self._observer.tell(DatabaseLost(reason=f"bus: {failure!r}"))
            connection = await self._reopen()
            self._observer.tell(DatabaseReturned(seconds=monotonic() - lost_at))
            for callback in self._gap_handlers:
                self._call(callback)

    async def _open(self) -> Connection:
        connection = await self._connect(Login.OWNER)
        try:
            connection.add_termination_listener(self._notice_change)
            for channel in (CHANNEL, *self._raw):
                await connection.add_listener(channel, self._hear)
        except BaseException:
            connection.terminate()
            raise
        self._connection = connection
        self._last_heard = monotonic()
        return connection

    async def _reopen(self) -> Connection:
        pause = _FIRST_PAUSE
        while True:
            await asyncio.sleep(pause)
            try:
                return await self._open()
            except Exception:  # noqa: BLE001 - whatever keeps it away, the bus comes back when it ends
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _attend(self, connection: Connection) -> BaseException:
        """Probe the connection, and listen on channels as they are added, until it is lost; the reason."""
        try:
            while True:
                self._changed.clear()
                for channel in tuple(self._raw):
                    await connection.add_listener(channel, self._hear)
                async with asyncio.timeout(_PROBE_TIMEOUT):
                    await connection.fetchval(queries.PROBE)
                self._last_heard = monotonic()
                try:
                    async with asyncio.timeout(_PROBE_EVERY):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        except Exception as failure:  # noqa: BLE001 - a connection that fails at a probe is of no use, whatever it says
            self._connection = None
            connection.terminate()
            return failure

    def _notice_change(self, _connection: object) -> None:
        self._changed.set()

    def _hear(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        self._last_heard = monotonic()
        if channel != CHANNEL:
            for handler in tuple(self._raw[channel]):
                self._call(partial(handler, str(payload)))
            return
        try:
            frame = read_frame(str(payload))
        except msgspec.DecodeError as failure:
            self._observer.tell(HookFailed(part="bus", failure=failure))
            return
        if frame.sender != self._sender:
            for topic, message in frame.messages:
                self._deliver(topic, message)

    def _deliver(self, topic: str, message: bytes) -> None:
        for handler in tuple(self._handlers.get(topic, ())):
            self._call(partial(handler, message))

    def _call(self, handler: Callable[[], Awaitable[None] | None]) -> None:
        try:
            waited = handler()
        except Exception as failure:  # noqa: BLE001 - one subscriber's failure is not another's
            self._observer.tell(HookFailed(part="bus", failure=failure))
            return
        if isawaitable(waited):
            self._tasks.start(waited)


async def _close(connection: Connection) -> None:
    try:
        await connection.close(timeout=2)
    except (*CONNECTION_LOST, asyncpg.InterfaceError, asyncpg.PostgresError):
        connection.terminate()
