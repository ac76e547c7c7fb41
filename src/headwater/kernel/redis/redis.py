"""Calls to Redis, those of one turn joined, and the breaker that answers while it is away."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import suppress
from inspect import isawaitable
from time import monotonic
from typing import Any

from redis.asyncio import RedisCluster
from redis.exceptions import ClusterDownError, DataError, NoPermissionError, ReadOnlyError, TryAgainError
from redis.exceptions import ConnectionError as ConnectionFailed
from redis.exceptions import TimeoutError as TooLate

from headwater.kernel.observe import HookFailed, Observer, RedisLost, RedisReturned
from headwater.kernel.redis.address import close_client, open_client
from headwater.kernel.redis.errors import RedisUnavailable
from headwater.kernel.redis.listening import Hearer, Listening
from headwater.kernel.redis.models import RedisSettings
from headwater.kernel.redis.outgoing import Argument, Outgoing, fail, grouped
from headwater.kernel.redis.script import Script

Callback = Callable[[], Awaitable[None] | None]
_MOST_JOINED = 512
_LOOKED_AT = 1000
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_AWAY = (ReadOnlyError, ClusterDownError, TryAgainError, ConnectionFailed, TooLate)
"""Answers of a server that is no longer, or not yet, the one to ask; the last two for a part of a cluster."""


class Redis:
    """One Redis, and whether it is there.

    Calls of one loop turn, and those that come while a pipeline is under way, leave in one pipeline: they are carried
    out in the order they were made. When Redis is lost every call is refused at once, and a probe in the background
    finds it again: after 0.1 s, later each time, at most 5 s. A call is never sent twice.
    """

    def __init__(self, settings: RedisSettings, url: str, observer: Observer) -> None:
        self._prefix = settings.prefix
        self._observer = observer
        self._client = open_client(settings, url, self._greet)
        self._clustered = isinstance(self._client, RedisCluster)
        self._listening = Listening(self._client.pubsub, observer)
        self._outgoing: list[Outgoing] = []
        self._sending: asyncio.Task[None] | None = None
        self._probing: asyncio.Task[None] | None = None
        self._callbacks: set[asyncio.Future[None]] = set()
        self._loss_callbacks: list[Callback] = []
        self._return_callbacks: list[Callback] = []
        self._lost_at: float | None = None
        self._stopped = False
        self.incarnation = ""
        """Which Redis this is: another after it was restarted or another server took its place, so that what an old
        snapshot brings back is not taken for the truth."""

    @property
    def available(self) -> bool:
        """Whether calls are made; while it is False they are refused at once."""
        return self._lost_at is None and not self._stopped

    @property
    def listening(self) -> bool:
        """Whether every subscription is confirmed by Redis now."""
        return self._listening.confirmed

    @property
    def last_heard(self) -> float:
        """When the subscriptions' connection last gave a sign of life (`time.monotonic`); minus infinity for never."""
        return self._listening.last_heard

    async def start(self) -> None:
        """Find out whether Redis is there; if not, begin to look for it."""
        try:
            await self._probe()
        except Exception as failure:  # noqa: BLE001 - whatever keeps it away, the house stands without it
            self._lose(failure)

    async def stop(self) -> None:
        """Send what is waiting, then refuse every call."""
        if self._sending is not None:
            await asyncio.wait({self._sending}, timeout=2.0)
        self._stopped = True
        running = [task for task in (self._sending, self._probing, *self._callbacks) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._refuse_waiting()
        await self._listening.stop()
        await close_client(self._client)

    def key(self, *parts: str) -> str:
        """The name of a key or a channel of this house."""
        return ":".join((self._prefix, *parts))

    def call(self, *arguments: Argument) -> asyncio.Future[Any]:
        """Send one command in this turn's pipeline; the future is its answer, in redis-py's types, texts as bytes.

        The command is carried out whether or not anybody waits. Raises `RedisUnavailable`, here or in the future, and
        in the future redis-py's `ResponseError` for what Redis refuses to do.
        """
        return self._enqueue(arguments, joins=False)

    def fetch(self, key: str) -> asyncio.Future[bytes | None]:
        """The text under `key`, or None where none is; adjacent fetches become one MGET, a fifth of the work.

        Raises as `call` does.
        """
        return self._enqueue(("GET", key), joins=not self._clustered)

    def script(self, text: str) -> Script:
        """A Lua script, to be run as often as wanted."""
        return Script(self, text)

    async def publish(self, channel: str, message: bytes) -> None:
        """Send `message` to whoever listens on `channel`; raises as `call` does."""
        await self.call("PUBLISH", channel, message)

    async def subscribe(self, channel: str, hearer: Hearer) -> Callable[[], None]:
        """From now on `hearer` is given every message on `channel`; the result ends that.

        Returns once Redis has confirmed it; while Redis is away, at once, and it is made good later. All
        subscriptions share one connection.
        """
        return await self._listening.add(channel, hearer)

    def on_gap(self, callback: Callback) -> None:
        """Call `callback` whenever subscriptions are confirmed again after messages may have been missed."""
        self._listening.on_gap(lambda: self._run(callback))

    def on_loss(self, callback: Callback) -> None:
        """Call `callback` whenever Redis was there and is not."""
        self._loss_callbacks.append(callback)

    def on_return(self, callback: Callback) -> None:
        """Call `callback` whenever Redis is back, also when it appears for the first time after `start`."""
        self._return_callbacks.append(callback)

    async def confirm(self) -> None:
        """Return if Redis answers now; raises `RedisUnavailable`."""
        await self.call("PING")

    async def scan(self, pattern: str) -> AsyncGenerator[list[str]]:
        """The names of all keys that match, in steps of about a thousand keys looked at, most steps finding few.

        A key that is there all the while is told at least once. Raises as `call` does.
        """
        if self._clustered:
            async for names in self._scan_cluster(pattern):
                yield names
            return
        cursor: int | bytes = 0
        while True:
            cursor, names = await self.call("SCAN", cursor, "MATCH", pattern, "COUNT", _LOOKED_AT)
            yield [str(name, "utf-8") for name in names]
            if not int(cursor):
                return

    async def memory(self) -> tuple[int, int | None]:
        """How many bytes Redis takes, all parts of a cluster together, and how many it may; None where unbounded.

        Raises as `call` does.
        """
        everywhere = {"target_nodes": "primaries"} if self._clustered else {}
        told = await self._ask(self._client.info("memory", **everywhere))
        servers: list[dict[str, int]] = [told] if "used_memory" in told else list(told.values())
        most = sum(server.get("maxmemory", 0) for server in servers)
        return sum(server.get("used_memory", 0) for server in servers), most or None

    async def load_script(self, text: str) -> None:
        """Let Redis know a script before anybody runs it. Raises as `call` does."""
        await self._ask(self._client.script_load(text))

    async def _scan_cluster(self, pattern: str) -> AsyncGenerator[list[str]]:
        names: list[str] = []
        found = self._client.scan_iter(match=pattern, count=_LOOKED_AT)
        while True:
            name = await self._ask(anext(found, None))
            if name is None or len(names) >= _LOOKED_AT:
                yield names
                names = []
            if name is None:
                return
            names.append(str(name, "utf-8"))

    async def _ask(self, asked: Awaitable[Any]) -> Any:
        """The answer to what goes beside the pipeline, because a cluster's carries only what belongs to one slot."""
        if not self.available:
            if isinstance(asked, Coroutine):
                asked.close()
            raise RedisUnavailable
        try:
            return await asked
        except _AWAY as failure:
            self._lose(failure)
            raise RedisUnavailable from failure

    def _enqueue(self, arguments: tuple[Argument, ...], *, joins: bool) -> asyncio.Future[Any]:
        if self._lost_at is not None or self._stopped:
            raise RedisUnavailable
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._outgoing.append(Outgoing(arguments, answer, joins))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return answer

    async def _send(self) -> None:
        """Send until nothing waits; what comes during a pipeline leaves with the next, so the order holds."""
        try:
            while self._outgoing:
                leaving, self._outgoing = self._outgoing[:_MOST_JOINED], self._outgoing[_MOST_JOINED:]
                await self._carry(leaving)
        finally:
            self._sending = None

    async def _carry(self, leaving: list[Outgoing]) -> None:
        pipeline, groups = self._client.pipeline(transaction=False), grouped(leaving)
        try:
            for arguments, _ in groups:
                pipeline.execute_command(*arguments)
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
        except DataError as failure:
            if len(leaving) == 1:
                fail(leaving[0].answer, failure)
                return
            for outgoing in leaving:  # nothing was sent yet, and one caller's mistake is not the others'
                await self._carry([outgoing])
        except BaseException as failure:
            for outgoing in leaving:
                fail(outgoing.answer, RedisUnavailable())
            if not isinstance(failure, Exception):
                raise
            self._lose(failure)
        else:
            for (_, group), answer in zip(groups, answers, strict=True):
                self._settle(group, answer)

    def _settle(self, group: list[Outgoing], answer: Any) -> None:
        if isinstance(answer, _AWAY):
            for outgoing in group:
                fail(outgoing.answer, RedisUnavailable())
            self._lose(answer)
        elif isinstance(answer, Exception):
            for outgoing in group:
                fail(outgoing.answer, answer)
        else:
            each: list[Any] = answer if group[0].joins else [answer]
            for outgoing, own in zip(group, each, strict=True):
                if not outgoing.answer.done():
                    outgoing.answer.set_result(own)

    def _lose(self, failure: Exception) -> None:
        if not self.available:
            return
        self._lost_at = monotonic()
        self._observer.tell(RedisLost(reason=f"{type(failure).__name__}: {failure}", part="calls"))
        self._refuse_waiting()
        for callback in self._loss_callbacks:
            self._run(callback)
        self._probing = asyncio.create_task(self._find_again())

    def _refuse_waiting(self) -> None:
        waiting, self._outgoing = self._outgoing, []
        for outgoing in waiting:
            fail(outgoing.answer, RedisUnavailable())

    async def _find_again(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            with suppress(Exception):  # whatever keeps it away, it is found when that ends
                await self._probe()
                break
        lost_at, self._lost_at = self._lost_at or 0.0, None
        self._observer.tell(RedisReturned(seconds=monotonic() - lost_at, part="calls"))
        self._listening.hurry()
        for callback in self._return_callbacks:
            self._run(callback)

    async def _probe(self) -> None:
        """Raises unless a new connection leads to a Redis that takes writes, which a replica does not."""
        if self._clustered:
            await self._client.aclose()
            await self._client.initialize()
            self.incarnation = _digest(await self._client.info("server", target_nodes="primaries"))
        else:
            await self._client.connection_pool.disconnect()
        await self._client.set(self.key("probe"), b"", px=1000)

    async def _greet(self, connection: Any) -> None:
        """What a connection does first: say who we are, and ask which Redis this is."""
        await connection.on_connect()
        await connection.send_command("INFO", "server", check_health=False)
        try:
            told = str(await connection.read_response(), "utf-8", "replace")
        except NoPermissionError:  # then a restart looks like an interruption, and what a snapshot holds is believed
            return
        self.incarnation = next((line[7:] for line in told.splitlines() if line.startswith("run_id:")), "")

    def _run(self, callback: Callback) -> None:
        try:
            waited = callback()
        except Exception as failure:  # noqa: BLE001 - one listener's failure is not another's
            self._observer.tell(HookFailed(part="redis", failure=failure))
            return
        if isawaitable(waited):
            task = asyncio.ensure_future(self._watched(waited))
            self._callbacks.add(task)
            task.add_done_callback(self._callbacks.discard)

    async def _watched(self, waited: Awaitable[None]) -> None:
        try:
            await waited
        except Exception as failure:  # noqa: BLE001 - as above
            self._observer.tell(HookFailed(part="redis", failure=failure))


def _digest(told: Any) -> str:
    """One name for all the primaries of a cluster; `told` are their INFO answers by node, or the one of the only."""
    each = told.values() if "run_id" not in told else (told,)
    return "-".join(sorted(str(server.get("run_id", "")) for server in each))
