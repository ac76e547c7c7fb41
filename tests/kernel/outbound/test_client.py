"""Calls to a real server: bounded, tried again only where that is safe, and observed."""

import asyncio
import gzip
import zlib

import msgspec
import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.observe import (
    CircuitClosed,
    CircuitOpened,
    Observation,
    Observer,
    OutboundAnswered,
    OutboundFailed,
)
from headwater.kernel.outbound import (
    AnswerTooLarge,
    AnswerUnreadable,
    CircuitOpen,
    Outbound,
    OutboundCall,
    OutboundSettings,
    TooManyRedirects,
    UnusableCall,
    UpstreamUnreachable,
)
from tests.kernel.outbound.conftest import Upstream, answer


async def hang(_writer: asyncio.StreamWriter, _head: bytes) -> None:
    await asyncio.sleep(60)


async def hang_up(writer: asyncio.StreamWriter, _head: bytes) -> None:
    writer.transport.abort()


async def drip(writer: asyncio.StreamWriter, _head: bytes) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def pour(writer: asyncio.StreamWriter, _head: bytes) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def test_an_answer_is_told(outbound: Outbound, upstream: Upstream, observations: list[Observation]) -> None:
    upstream.plays = [answer(b'{"a":1}', "201 Created", "X-Two: 2")]
    got = await outbound.call(
        OutboundCall(method="POST", url=f"{upstream.url}/a?b=c", body=b"{}", headers={"X-A": "b"})
    )
    assert (got.status, got.is_good, got.headers["x-two"], got.json()) == (201, True, "2", {"a": 1})
    head = upstream.asked[0].decode()
    assert head.startswith("POST /a?b=c HTTP/1.1\r\n") and "\r\nX-A: b\r\n" in head and head.endswith("\r\n\r\n{}")
    seen = [each for each in observations if isinstance(each, OutboundAnswered)]
    assert [(each.method, each.host, each.status) for each in seen] == [("POST", "127.0.0.1", 201)]


async def test_an_answer_that_never_comes_is_not_waited_for(outbound: Outbound, upstream: Upstream) -> None:
    for play in (hang, drip):
        upstream.plays = [play]
        with pytest.raises(UpstreamUnreachable, match=r"no answer within 0\.2 s"):
            await outbound.call(OutboundCall(url=upstream.url, seconds=0.2))


async def test_an_answer_too_large_is_not_held(
    outbound: Outbound, upstream: Upstream, observations: list[Observation]
) -> None:
    for play in (pour, answer(b"x" * 1001)):
        upstream.plays = [play]
        with pytest.raises(AnswerTooLarge):
            await outbound.call(OutboundCall(url=upstream.url, largest=1000))
    upstream.plays = [answer(b"x" * 1000)]
    assert len((await outbound.call(OutboundCall(url=upstream.url, largest=1000))).body) == 1000
    assert [each.reason for each in observations if isinstance(each, OutboundFailed)] == ["AnswerTooLarge"] * 2


async def test_a_packed_answer_is_unpacked_within_its_bound(outbound: Outbound, upstream: Upstream) -> None:
    upstream.plays = [
        answer(gzip.compress(b"hello"), "200 OK", "Content-Encoding: gzip"),
        answer(zlib.compress(b"hello"), "200 OK", "Content-Encoding: deflate"),
    ]
    for _ in range(2):
        assert (await outbound.call(OutboundCall(url=upstream.url))).body == b"hello"
    bomb = gzip.compress(b"\0" * 10_000_000)
    upstream.plays = [answer(bomb, "200 OK", "Content-Encoding: gzip")]
    with pytest.raises(AnswerTooLarge):
        await outbound.call(OutboundCall(url=upstream.url, largest=100_000))


@pytest.mark.parametrize(
    ("encoding", "body"), [("br", b"xx"), ("gzip", b"no gzip"), ("gzip", gzip.compress(b"hello", mtime=0)[:-9])]
)
async def test_an_answer_packed_wrongly_is_refused(
    outbound: Outbound, upstream: Upstream, encoding: str, body: bytes
) -> None:
    upstream.plays = [answer(body, "200 OK", f"Content-Encoding: {encoding}")]
    with pytest.raises(AnswerUnreadable):
        await outbound.call(OutboundCall(url=upstream.url))


async def test_what_changes_nothing_is_tried_again(outbound: Outbound, upstream: Upstream) -> None:
    upstream.plays = [answer(b"", "503 Service Unavailable"), hang_up, answer(b"at last")]
    assert (await outbound.call(OutboundCall(url=upstream.url))).body == b"at last"
    assert len(upstream.asked) == 3


async def test_what_may_have_happened_is_not_tried_again(outbound: Outbound, upstream: Upstream) -> None:
    upstream.plays = [hang_up]
    with pytest.raises(UpstreamUnreachable):
        await outbound.call(OutboundCall(method="POST", url=upstream.url))
    upstream.plays = [answer(b"", "503 Service Unavailable")]
    assert (await outbound.call(OutboundCall(method="POST", url=upstream.url))).status == 503
    assert len(upstream.asked) == 2


async def test_an_idempotency_key_makes_it_safe(outbound: Outbound, upstream: Upstream) -> None:
    upstream.plays = [hang_up, answer(b"done")]
    got = await outbound.call(OutboundCall(method="POST", url=upstream.url, idempotency_key="job-1"))
    assert got.body == b"done"
    assert [b"\r\nIdempotency-Key: job-1\r\n" in head for head in upstream.asked] == [True, True]


async def test_what_never_arrived_is_tried_again_whatever_it_is(clock: DrivenClock, observer: Observer) -> None:
    server = await asyncio.start_server(Upstream().serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    outbound = Outbound(OutboundSettings(allowed_hosts=("127.0.0.1",), breaks_after=3), clock, observer)
    with pytest.raises(UpstreamUnreachable):
        await outbound.call(OutboundCall(method="POST", url=f"http://127.0.0.1:{port}"))
    with pytest.raises(CircuitOpen):  # so there were three attempts
        await outbound.call(OutboundCall(method="POST", url=f"http://127.0.0.1:{port}"))
    await outbound.close()


async def test_redirects_are_followed_when_asked_for_and_bounded(outbound: Outbound, upstream: Upstream) -> None:
    upstream.plays = [answer(b"", "302 Found", "Location: /next")]
    assert (await outbound.call(OutboundCall(url=upstream.url))).status == 302
    upstream.plays = [answer(b"", "302 Found", "Location: /next"), answer(b"here")]
    got = await outbound.call(OutboundCall(url=upstream.url, redirects=1))
    assert (got.body, got.url) == (b"here", f"{upstream.url}/next")
    upstream.plays = [answer(b"", "302 Found", "Location: /round")]
    with pytest.raises(TooManyRedirects):
        await outbound.call(OutboundCall(url=upstream.url, redirects=3))


async def test_a_host_that_keeps_failing_is_left_alone(
    clock: DrivenClock, observer: Observer, upstream: Upstream, observations: list[Observation]
) -> None:
    settings = OutboundSettings(allowed_hosts=("127.0.0.1",), breaks_after=3, breaks_for=30)
    outbound = Outbound(settings, clock, observer)
    call = OutboundCall(url=upstream.url, attempts=1)
    upstream.plays = [answer(b"", "500 Oh")]
    for _ in range(3):
        assert (await outbound.call(call)).status == 500
    with pytest.raises(CircuitOpen) as refused:
        await outbound.call(call)
    assert refused.value.headers["Retry-After"] == "30"
    assert len(upstream.asked) == 3
    clock.advance(30)
    assert (await outbound.call(call)).status == 500
    with pytest.raises(CircuitOpen):
        await outbound.call(call)
    clock.advance(30)
    upstream.plays = [answer(b"well")]
    testing = [asyncio.create_task(outbound.call(call)) for _ in range(3)]
    outcomes = await asyncio.gather(*testing, return_exceptions=True)
    assert [type(outcome).__name__ for outcome in outcomes] == ["OutboundAnswer", "CircuitOpen", "CircuitOpen"]
    assert (await outbound.call(call)).body == b"well"
    told = [type(each) for each in observations if isinstance(each, CircuitOpened | CircuitClosed)]
    assert told == [CircuitOpened, CircuitClosed]
    await outbound.close()


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1", "ftp://example.com", "file:///etc/passwd", "http://", "http://a b", "https://me:pw@example.com"],
)
async def test_what_is_no_callable_url_is_refused(outbound: Outbound, url: str) -> None:
    with pytest.raises(UnusableCall):
        await outbound.call(OutboundCall(url=url))


async def test_a_header_cannot_break_out(outbound: Outbound, upstream: Upstream) -> None:
    for headers in ({"X-A": "b\r\nX-Evil: 1"}, {"X-A\r\nX-Evil": "1"}):
        with pytest.raises(UnusableCall):
            await outbound.call(OutboundCall(url=upstream.url, headers=headers))
    assert upstream.asked == []


async def test_an_answer_that_is_no_json_says_so(outbound: Outbound, upstream: Upstream) -> None:
    got = await outbound.call(OutboundCall(url=upstream.url))
    with pytest.raises(msgspec.DecodeError):
        got.json()
