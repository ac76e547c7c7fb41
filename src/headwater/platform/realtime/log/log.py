"""The log of all channels, as this node writes and hears it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from uuid import UUID

import msgspec

from headwater.kernel.bus import Bus, Rounds, Tasks
from headwater.kernel.database import Database, WritingTransaction
from headwater.kernel.errors import TimedOut
from headwater.kernel.jobs import TOPIC as JOBS_TOPIC
from headwater.kernel.models import JobCall
from headwater.kernel.observe import Observer
from headwater.kernel.principal import Principal
from headwater.platform.realtime import queries
from headwater.platform.realtime.log.publisher import Publisher
from headwater.platform.realtime.models import LoggedMessage, NewMessage, Place

RING_CHANNEL = "realtime_message"
NEWS_TOPIC = "realtime.news"
CALL_WEBHOOK = "realtime.call_webhook"
_AT_ONCE = 1000
_LOOK_EVERY = 1.0
"""Seconds between two looks that nobody asked for: how late a message comes whose node died before it could ring."""
_PATIENCE = 10.0

Hear = Callable[[Sequence[LoggedMessage]], None]
HearNews = Callable[[int, str], None]


class Log:
    """Adds messages to channels, gives them their places, and hears of every message that found one.

    Offsets are given after commit, oldest message first, by one node at a time (`realtime.sequence`): no transaction
    that is still open can leave a gap behind. Postgres holds the log; what goes between nodes are wake-ups.
    """

    def __init__(self, database: Database, bus: Bus, observer: Observer) -> None:
        self._database = database
        self._bus = bus
        self._tasks = Tasks("realtime log", observer)
        self._rounds = Rounds("realtime log", observer, self._round)
        self._publisher = Publisher(database, observer)
        self._unplaced: dict[UUID, asyncio.Future[Place]] = {}
        self._committed: set[UUID] = set()
        self._calls_webhooks = False
        self._hear: Hear = _ignore
        self._hear_news: HearNews = _ignore

    async def settle(self) -> Place:
        """How far the log has come here; its epoch is another one than that of the log it was copied from."""
        await self._database.single(queries.settle)
        return await self._database.single(queries.find_head)

    def start(self, hear: Hear, hear_news: HearNews) -> None:
        """Begin to place messages, whoever published them.

        `hear` gets the messages that this node placed, in their order; `hear_news` how far the log has come, also by
        others' doing, and its epoch.
        """
        self._hear, self._hear_news = hear, hear_news
        self._bus.listen_raw(RING_CHANNEL, lambda _payload: self._rounds.ring())
        self._bus.subscribe(NEWS_TOPIC, self._take_news)
        self._bus.on_gap(self._go_on)
        self._rounds.start()

    async def _go_on(self) -> None:
        """Postgres was away: it may be another one now."""
        await self.settle()
        self._rounds.ring()

    async def stop(self) -> None:
        """Finish what is under way."""
        await self._publisher.close()
        await self._rounds.stop()
        await self._tasks.stop(patience=1.0)

    def publish(self, principal: Principal, message: NewMessage) -> Awaitable[Place]:
        """Log a message under its sender's claims; what is returned is to be awaited, and is the message's place.

        Messages of one role are logged in the order of these calls. Awaiting raises `PublishRefused`, `UnfitMessage`,
        the database's refusals, and `TimedOut` for a message that is committed and waits for its place longer than 10
        seconds: it will be delivered all the same.
        """
        placed = self._unplaced[message.id] = asyncio.get_running_loop().create_future()
        return self._follow(message, self._publisher.add(principal, message), placed)

    async def _follow(self, message: NewMessage, added: Awaitable[None], placed: asyncio.Future[Place]) -> Place:
        try:
            await added
            self._committed.add(message.id)
            self._rounds.ring()
            async with asyncio.timeout(_PATIENCE):
                return await placed
        except TimeoutError as failure:
            raise TimedOut(seconds=_PATIENCE) from failure
        finally:
            self._committed.discard(message.id)
            del self._unplaced[message.id]

    async def _round(self) -> float:
        """Place what waits, and tell of it; what was committed and is not among it, another node has placed."""
        committed = tuple(self._committed)
        messages = await self._sequence()
        self._settle({message.id: _place_of(message) for message in messages})
        if messages:
            self._hear(messages)
            self._tasks.start(self._spread(messages[-1]))
        else:
            head = await self._database.single(queries.find_head)
            self._hear_news(head.place, head.epoch)
        elsewhere = [message for message in committed if message in self._committed and self._is_unplaced(message)]
        if elsewhere:
            await self._look_up(elsewhere)
        return 0.0 if len(messages) == _AT_ONCE else _LOOK_EVERY

    async def _sequence(self) -> list[LoggedMessage]:
        """Place what waits: in one statement, and only where webhooks are to be called in a transaction."""
        if not self._calls_webhooks:
            placed = await self._database.single(lambda tx: queries.sequence_quietly(tx, _AT_ONCE))
            if placed is not None:
                return placed
        (messages, calls), _ = await self._database.writing(_place_and_call)
        if messages:
            self._calls_webhooks = calls
        if calls:
            self._tasks.start(self._bus.publish(JOBS_TOPIC))
        return messages

    async def _look_up(self, messages: Collection[UUID]) -> None:
        self._settle(await self._database.single(lambda tx: queries.list_places(tx, messages)))

    def _is_unplaced(self, message: UUID) -> bool:
        return not self._unplaced[message].done()

    def _settle(self, places: dict[UUID, Place]) -> None:
        for message, place in places.items():
            placed = self._unplaced.get(message)
            if placed is not None and not placed.done():
                placed.set_result(place)

    async def _spread(self, newest: LoggedMessage) -> None:
        await self._bus.publish(NEWS_TOPIC, msgspec.json.encode((newest.place, newest.epoch)))

    def _take_news(self, message: bytes) -> None:
        self._hear_news(*msgspec.json.decode(message, type=tuple[int, str]))


async def _place_and_call(tx: WritingTransaction) -> tuple[list[LoggedMessage], bool]:
    """Give messages their places, with a job for each webhook that is to hear of them; whether there is one."""
    messages = await queries.sequence(tx, _AT_ONCE)
    calls = await queries.count_webhooks(tx, [message.id for message in messages]) if messages else []
    for call in calls:
        tx.enqueue(JobCall(job=CALL_WEBHOOK, arguments=call))
    return messages, bool(calls)


def _place_of(message: LoggedMessage) -> Place:
    return Place(place=message.place, offset=message.offset, epoch=message.epoch)


def _ignore(*_told: object) -> None:
    """Nobody listens yet."""
