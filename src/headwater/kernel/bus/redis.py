"""The bus over Redis, and over Postgres where Redis cannot be had."""

import asyncio
from collections.abc import Callable
from time import monotonic

import msgspec

from headwater.kernel.bus.bus import GapHandler, Handler, RawHandler
from headwater.kernel.bus.frames import Frame, join, pack, read_frame
from headwater.kernel.bus.hearing import Hearing
from headwater.kernel.bus.outgoing import Outgoing
from headwater.kernel.bus.postgres import PostgresBus
from headwater.kernel.bus.rounds import Rounds
from headwater.kernel.bus.sequences import Sequences
from headwater.kernel.bus.tasks import Tasks
from headwater.kernel.observe import HookFailed, Observer
from headwater.kernel.redis import Redis, RedisUnavailable, ResponseError

RELAY = "headwater_relay"
_CHANNEL = "bus"
_DEAF = -1
"""The serial of a frame that says that its sender hears Postgres only."""
_LOOK_EVERY = 0.25
_DEAF_FOR = 2.0
"""Seconds for which others remember that: longer than it takes to say it again a few times."""
_HEARD_BY_ALL_AFTER = 0.25


class RedisBus:
    """Carries messages over Redis' PUBLISH, and beside it or instead over NOTIFY, in the same frames.

    Who cannot hear Redis says so over Postgres, again and again, and everybody then sends both ways; who cannot send to
    Redis sends over Postgres alone. So one may lose Redis while others have it, and they may find it again one after
    the other. Frames are numbered by their sender, and heard once and in order, whichever way they came. What was
    missed before the others knew is a gap (`Bus.on_gap`).

    The `postgres` bus is started and stopped by whoever made it, before and after this one.
    """

    def __init__(self, redis: Redis, postgres: PostgresBus, observer: Observer) -> None:
        self._redis = redis
        self._postgres = postgres
        self._observer = observer
        self._channel = redis.key(_CHANNEL)
        self._hearing = Hearing(observer)
        self._sequences = Sequences(self._deliver, self._heal)
        self._outgoing = Outgoing(self._hearing, self._send)
        self._deaf: dict[str, float] = {}
        self._tasks = Tasks("bus", observer)
        self._healing: asyncio.Task[None] | None = None
        self._heals_again = False
        self._hears = True
        self._looking = Rounds("bus", observer, self._look)
        postgres.listen_raw(RELAY, lambda payload: self._hear(payload.encode()))
        redis.on_gap(self._heal)
        redis.on_loss(self._looking.ring)

    @property
    def connected(self) -> bool:
        """Whether other processes can be heard now; they see to it that Postgres is enough."""
        return self._postgres.connected

    async def start(self) -> None:
        """Begin to listen, now or as soon as Redis is there."""
        await self._redis.subscribe(self._channel, self._hear)
        self._looking.start()

    async def stop(self) -> None:
        """Send what is waiting, then fall silent."""
        await self._outgoing.stop()
        await self._looking.stop()
        self._sequences.stop()
        await self._tasks.stop()
        await self._hearing.stop()

    async def publish(self, topic: str, message: bytes = b"") -> None:
        """Deliver `message` here at once, and return when it is on its way to the others. See `Bus.publish`."""
        await self._outgoing.publish(topic, message)

    def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        """From now on `handler` hears every message on `topic`; the result ends that."""
        return self._hearing.subscribe(topic, handler)

    def on_gap(self, callback: GapHandler) -> None:
        """Call `callback` whenever messages may have been missed, of Redis or of Postgres."""
        self._hearing.on_gap(callback)
        self._postgres.on_gap(callback)

    def listen_raw(self, channel: str, handler: RawHandler) -> None:
        """Pass the payload of every Postgres NOTIFY on `channel` to `handler`."""
        self._postgres.listen_raw(channel, handler)

    async def _send(self, payloads: list[str]) -> None:
        sent = await self._publish(payloads)
        if not sent or self._someone_is_deaf():
            await self._postgres.notify(RELAY, payloads)

    async def _publish(self, payloads: list[str]) -> bool:
        """Whether Redis took all of them."""
        try:
            await asyncio.gather(*[self._redis.call("PUBLISH", self._channel, payload) for payload in payloads])
        except (RedisUnavailable, ResponseError):
            return False
        return True

    def _someone_is_deaf(self) -> bool:
        if self._deaf:
            now = monotonic()
            self._deaf = {sender: at for sender, at in self._deaf.items() if now - at < _DEAF_FOR}
        return bool(self._deaf)

    def _hear(self, payload: bytes) -> None:
        try:
            frame = read_frame(payload)
        except msgspec.DecodeError as failure:
            self._observer.tell(HookFailed(part="bus", failure=failure))
            return
        if frame.sender == self._outgoing.sender:
            return
        if frame.serial == _DEAF:
            self._deaf[frame.sender] = monotonic()
        else:
            self._sequences.take(frame)

    def _deliver(self, frame: Frame) -> None:
        for topic, message in frame.messages:
            self._hearing.deliver(topic, message)

    async def _look(self) -> float:
        """While Redis is not heard, say so; and when that began, read again what was missed until all knew."""
        heard, self._hears = self._hears, self._redis.listening
        if not self._hears:
            await self._postgres.notify(RELAY, join(self._outgoing.sender, _DEAF, [_NOTHING]))
            if heard:
                await asyncio.sleep(_HEARD_BY_ALL_AFTER)
                self._heal()
        return _LOOK_EVERY

    def _heal(self) -> None:
        """Let everyone read again, once more if somebody asks while they do."""
        if self._healing is None or self._healing.done():
            self._healing = self._tasks.start(self._heal_until_whole())
        else:
            self._heals_again = True

    async def _heal_until_whole(self) -> None:
        self._heals_again = True
        while self._heals_again:
            self._heals_again = False
            await self._hearing.heal_gap()


_NOTHING = pack("", b"")
