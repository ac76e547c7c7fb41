"""Answers that are written while they are made: chunks, back-pressure, clients that leave or sleep."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from headwater.boot.settings import ServerSettings
from headwater.kernel.models import Reply
from headwater.kernel.observe import RequestFailed
from tests.kit.house import SmallHouse, endpoint, serving

PART = b"x" * 65_536


class Source:
    """Makes parts, and knows how many were asked for and whether it was closed."""

    def __init__(self, count: int, failure: Exception | None = None) -> None:
        self.count = count
        self.failure = failure
        self.made = 0
        self.closed = asyncio.Event()

    async def parts(self) -> AsyncGenerator[bytes]:
        """The parts."""
        try:
            for _ in range(self.count):
                self.made += 1
                yield PART
            if self.failure is not None:
                raise self.failure
        finally:
            self.closed.set()

    async def answer(self, *_: object) -> Reply:
        """The operation."""
        return Reply(body=b"first", media_type="text/plain", stream=self.parts())


def house_of(source: Source) -> SmallHouse:
    """A house that streams, and says a little beside it."""
    return SmallHouse(endpoint("GET", "/stream", source.answer), endpoint("GET", "/small"))


async def test_chunks_and_what_follows_them() -> None:
    source = Source(3)
    async with serving(house_of(source)) as running:
        wire = await running.wire()
        await wire.send(
            "GET /stream HTTP/1.1\r\nhost: t\r\n\r\nGET /small HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n"
        )
        told = await wire.rest()
    head, _, body = told.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert b"content-length" not in head
    chunk = b"10000\r\n" + PART + b"\r\n"
    assert body.startswith(b"5\r\nfirst\r\n" + chunk * 3 + b"0\r\n\r\nHTTP/1.1 200")
    assert body.endswith(b"\r\n\r\n{}")
    assert source.closed.is_set()


async def test_clients_of_old_read_until_the_end() -> None:
    async with serving(house_of(Source(1))) as running:
        wire = await running.wire()
        await wire.send("GET /stream HTTP/1.0\r\n\r\n")
        head, _, body = (await wire.rest()).partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert b"connection: close" in head
    assert body == b"first" + PART


async def test_head_is_told_no_part() -> None:
    source = Source(3)
    stream = source.parts()
    await anext(stream)

    async def answer(*_: object) -> Reply:
        return Reply(media_type="text/plain", stream=stream)

    async with serving(SmallHouse(endpoint("GET", "/stream", answer))) as running:
        wire = await running.wire()
        told = await wire.ask("/stream", "HEAD")
        assert (told.status, told.body) == (200, b"")
    assert (source.made, source.closed.is_set()) == (1, True)


async def test_no_more_is_made_than_is_taken() -> None:
    source = Source(10_000)
    async with serving(house_of(source)) as running:
        wire = await running.wire()
        await wire.send("GET /stream HTTP/1.1\r\nhost: t\r\n\r\n")
        await asyncio.sleep(0.3)
        held = source.made
        await asyncio.sleep(0.2)
        assert source.made == held < 200, "the client reads nothing, so nothing is made beyond what buffers hold"
        await wire.close()
        async with asyncio.timeout(30):
            await source.closed.wait()
    assert source.made < 200


async def test_who_sleeps_is_cut_off() -> None:
    source = Source(10_000)
    async with serving(house_of(source), ServerSettings(port=0, stop_within=1, reader_seconds=0.2)) as running:
        wire = await running.wire()
        await wire.send("GET /stream HTTP/1.1\r\nhost: t\r\n\r\n")
        async with asyncio.timeout(30):
            await source.closed.wait()
        assert not (await wire.rest()).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_one_that_breaks_has_no_end(version: str) -> None:
    house = house_of(Source(1, RuntimeError("the cursor is gone")))
    async with serving(house) as running:
        wire = await running.wire()
        await wire.send(f"GET /stream HTTP/{version}\r\nhost: t\r\n\r\n")
        assert b"0\r\n\r\n" not in await wire.rest()
    [failed] = house.seen(RequestFailed)
    assert str(failed.failure) == "the cursor is gone"


async def test_other_servers_get_it_by_asgi() -> None:
    source = Source(2)
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "method": "GET",
        "raw_path": b"/stream",
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
    }
    await house_of(source).application(scope, receive, send)
    assert [message.get("body") for message in sent[1:]] == [b"first", PART, PART, b""]
    assert [message.get("more_body", False) for message in sent[1:]] == [True, True, True, False]
    assert source.closed.is_set()
