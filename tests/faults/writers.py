"""Who publishes by every door through whatever happens, and remembers what became of each message."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import asyncpg
import httpx
import msgspec

from tests.faults.listeners import EVENT
from tests.kit.socketio import SocketIoClient, connect

Key = tuple[str, int]
PUBLISH = "select realtime.publish($1, $2, $3::jsonb)"
REST_PATH = "/api/realtime/channels/{}/messages"


class Unpublished(Exception):
    """The server says that this message is not published, or may not be."""


FAILURES = (
    OSError,
    TimeoutError,
    httpx.HTTPError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg calls a connection that broke between two statements
    Unpublished,
)


class Writer:
    """One who publishes; `kept` were acknowledged, `undone` may never be seen.

    Whoever does not know what became of a message takes another name: only what one name publishes has an order.
    """

    def __init__(self, door: str, name: str, channels: list[str], random: Random) -> None:
        self.kept: set[Key] = set()
        self.undone: set[Key] = set()
        self.unsure = 0
        self.door = door
        self.random = random
        self._name = name
        self._channels = channels
        self._number = 0
        self._over = False

    async def write(self, publish: Callable[[str, dict[str, object]], Awaitable[bool]]) -> None:
        """Publish until it is over; `publish` returns whether it is committed, or was rolled back."""
        while not self._over:
            self._number += 1
            key = f"{self._name}.{self.unsure}", self._number
            filler = "x" * int(self.random.choice((10, 100, 1000, 8000)))
            payload: dict[str, object] = {"by": key[0], "nth": key[1], "filler": filler}
            try:
                committed = await publish(self.random.choice(self._channels), payload)
                (self.kept if committed else self.undone).add(key)
            except FAILURES:
                self.unsure += 1
                await asyncio.sleep(0.1)
            await asyncio.sleep(self.random.uniform(0, 0.1))

    def stop(self) -> None:
        """Finish what is under way."""
        self._over = True


async def write_by_rest(writer: Writer, urls: list[str], key: str) -> None:
    """Publish by requests to either node."""
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}, timeout=20) as http:

        async def publish(channel: str, payload: dict[str, object]) -> bool:
            path = REST_PATH.format(channel.replace(":", "%3A"))
            body = {"eventName": EVENT, "payload": payload}
            answer = await http.post(writer.random.choice(urls) + path, json=body)
            if answer.status_code != 202:
                raise Unpublished(answer.text)
            return True

        await writer.write(publish)


async def write_by_socket(writer: Writer, urls: list[str], key: str, channels: list[str]) -> None:
    """Publish by a socket of its own, opened again when it is lost."""
    wire: SocketIoClient | None = None

    async def open_wire() -> SocketIoClient:
        made = await connect(writer.random.choice(urls), {"token": key}, _hear_nothing)
        try:
            for channel in channels:
                must_be_ok(await made.ask("realtime:subscribe", {"channel": channel}))
        except BaseException:
            made.cut()
            raise
        return made

    async def publish(channel: str, payload: dict[str, object]) -> bool:
        nonlocal wire
        try:
            if wire is None or wire.closed.done():
                wire = await open_wire()
            must_be_ok(await wire.ask("realtime:publish", {"channel": channel, "event": EVENT, "payload": payload}))
        except BaseException:
            if wire is not None:
                wire.cut()
            raise
        return True

    try:
        await writer.write(publish)
    finally:
        if wire is not None:
            wire.cut()


async def write_by_sql(writer: Writer, url: str) -> None:
    """Publish in transactions of anybody's, some of which are slow, and some of which end in nothing."""
    connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def publish(channel: str, payload: dict[str, object]) -> bool:
        nonlocal connection
        try:
            if connection is None:
                connection = await asyncpg.connect(dsn=url, timeout=10)
            return await publish_in_transaction(connection, channel, payload)
        except BaseException:
            if connection is not None:
                connection.terminate()
            connection = None
            raise

    async def publish_in_transaction(
        made: "asyncpg.Connection[asyncpg.Record]", channel: str, payload: dict[str, object]
    ) -> bool:
        await made.execute("begin")
        await made.fetchval(PUBLISH, channel, EVENT, msgspec.json.encode(payload).decode())
        await asyncio.sleep(writer.random.choice((0, 0, 0.05, 0.2)))
        committed = writer.random.random() < 0.8
        await made.execute("commit" if committed else "rollback")
        return committed

    try:
        await writer.write(publish)
    finally:
        if connection is not None:
            connection.terminate()


def must_be_ok(answer: Any) -> None:
    """Raise `Unpublished` unless a socket's answer says that it is done."""
    if not answer["ok"]:
        raise Unpublished(answer)


def _hear_nothing(_event: str, _arguments: list[Any]) -> None:
    """A writer does not read."""
