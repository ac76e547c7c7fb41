"""The bus over Postgres NOTIFY."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import NamedTuple

import asyncpg
import msgspec

from headwater.kernel.bus import queries
from headwater.kernel.bus.bus import GapHandler, Handler, RawHandler
from headwater.kernel.bus.frames import read_frame
from headwater.kernel.bus.hearing import Hearing
from headwater.kernel.bus.outgoing import Outgoing
from headwater.kernel.database import CONNECTION_LOST, Connect, Connection, Database, Login
from headwater.kernel.observe import DatabaseLost, DatabaseReturned, HookFailed, Observer

CHANNEL = "headwater_bus"
_PROBE_EVERY = 1.0
_PROBE_TIMEOUT = 3.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class Beat(NamedTuple):
    """A payload that tells the others, every so many seconds, that this process lives."""

    channel: str
    payload: Callable[[], str]
    seconds: float


class PostgresBus:
    """Listens on one connection of its own, outside the lease, and publishes through the database.

    Messages of one loop turn, and those that come while a statement is under way, leave in one statement. A
    connection that was lost, or that does not answer a probe, is opened again: after 0.1 s, later each time, at most
    5 s. See `Bus` for the promises.

    A bus that was given a `Beat` probes its connection with that: it leaves by the connection that listens, so that a
    pool that is used up silences nobody, and it is counted among those that beat for as long as it is connected.
    """

    def __init__(self, connect: Connect, database: Database, observer: Observer) -> None:
        self._connect = connect
        self._database = database
        self._observer = observer
        self._beat: Beat | None = None
        self._hearing = Hearing(observer)
        self._raw: dict[str, list[RawHandler]] = defaultdict(list)
        self._outgoing = Outgoing(self._hearing, partial(self.notify, CHANNEL))
        self._keeping: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._connection: Connection | None = None

    @property
    def connected(self) -> bool:
        """Whether other processes can be heard now."""
        return self._connection is not None and not self._connection.is_closed()

    async def start(self) -> None:
        """Begin to listen; raises one of `CONNECTION_LOST` if Postgres cannot be reached."""
        connection = await self._open()
        self._keeping = asyncio.create_task(self._keep(connection))

    async def stop(self) -> None:
        """Send what is waiting, then fall silent."""
        await self._outgoing.stop()
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._hearing.stop()
        if self._connection is not None:
            await _close(self._connection)

    async def publish(self, topic: str, message: bytes = b"") -> None:
        """Deliver `message` here at once, and return when Postgres has it for the others. See `Bus.publish`."""
        await self._outgoing.publish(topic, message)

    def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        """From now on `handler` hears every message on `topic`; the result ends that."""
        return self._hearing.subscribe(topic, handler)

    def on_gap(self, callback: GapHandler) -> None:
        """Call `callback` each time the connection had been lost and listens again, and beat only when it is done."""
        self._hearing.on_gap(callback)

    def listen_raw(self, channel: str, handler: RawHandler) -> None:
        """Pass the payload of every NOTIFY on `channel` to `handler`; from `start` on, or a moment after this call."""
        self._raw[channel].append(handler)
        self._changed.set()

    def beat_with(self, beat: Beat) -> None:
        """Probe with this from now on; to be called before `start`."""
        self._beat = beat

    def beat_now(self) -> None:
        """Do not wait until the next beat is due."""
        self._changed.set()

    async def count_others(self) -> int:
        """How many other processes that beat are connected to this database; one that is stopped is still connected.

        Raises `DatabaseUnavailable` or `Busy`.
        """
        connection = self._connection
        own = 0 if connection is None else connection.get_server_pid()
        row = await self._database.statement(None, queries.COUNT_OTHERS, *queries.BEATING, own)
        return 0 if row is None else int(row[0])

    async def notify(self, channel: str, payloads: Sequence[str]) -> None:
        """Send payloads to whoever listens on a channel, this process included, in one statement.

        Raises `DatabaseUnavailable` or `Busy`.
        """
        await self._database.statement(None, queries.NOTIFY, channel, payloads)

    async def _keep(self, connection: Connection) -> None:
        while True:
            failure = await self._attend(connection)
            lost_at = monotonic()
            self._observer.tell(DatabaseLost(reason=repr(failure), part="bus"))
            connection = await self._reopen()
            self._observer.tell(DatabaseReturned(seconds=monotonic() - lost_at, part="bus"))
            await self._hearing.heal_gap()

    async def _open(self) -> Connection:
        connection = await self._connect(Login.OWNER)
        try:
            connection.add_termination_listener(self._notice_change)
            for channel in (CHANNEL, *self._raw):
                await connection.add_listener(channel, self._hear)
            if self._beat is not None:
                await connection.fetchval(queries.BE_COUNTED, *queries.BEATING)
        except BaseException:
            connection.terminate()
            raise
        self._connection = connection
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
                    await self._probe(connection)
                try:
                    async with asyncio.timeout(_PROBE_EVERY if self._beat is None else self._beat.seconds):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        except Exception as failure:  # noqa: BLE001 - a connection that fails at a probe is of no use, whatever it says
            self._connection = None
            connection.terminate()
            return failure

    async def _probe(self, connection: Connection) -> None:
        if self._beat is None:
            await connection.fetchval(queries.PROBE)
        else:
            await connection.fetchval(queries.NOTIFY, self._beat.channel, [self._beat.payload()])

    def _notice_change(self, _connection: object) -> None:
        self._changed.set()

    def _hear(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        if channel != CHANNEL:
            for handler in tuple(self._raw[channel]):
                self._hearing.call(partial(handler, str(payload)))
            return
        try:
            frame = read_frame(str(payload))
        except msgspec.DecodeError as failure:
            self._observer.tell(HookFailed(part="bus", failure=failure))
            return
        if frame.sender != self._outgoing.sender:
            for topic, message in frame.messages:
                self._hearing.deliver(topic, message)


async def _close(connection: Connection) -> None:
    try:
        await connection.close(timeout=2)
    except (*CONNECTION_LOST, asyncpg.InterfaceError, asyncpg.PostgresError):
        connection.terminate()
