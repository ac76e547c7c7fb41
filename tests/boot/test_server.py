"""One port, over real connections: keep-alive, pipelines, bounds, and an orderly end."""

import asyncio
import os
import signal
import time
from typing import Any

import pytest

from headwater.boot.settings import ServerSettings
from headwater.flow import FlowSettings
from headwater.kernel.component import Mode
from headwater.kernel.database import Database, ReadingTransaction
from headwater.kernel.models import RawRequest
from headwater.kernel.observe import RequestFailed, ServerStarted, ServerStopping
from tests.kit.house import Serving, SmallHouse, endpoint, serving


class Gate:
    """An operation that waits until the test lets it go on."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.open = asyncio.Event()

    async def wait(self, *_: object) -> object:
        self.entered.set()
        await self.open.wait()
        return {"waited": True}


async def echo(_tx: object, _principal: object, body: RawRequest) -> object:
    return {"query": body.query, "path": body.path, "size": len(body.body), "name": body.parameters.get("name")}


async def large(*_: object) -> object:
    return "x" * 10_000


async def sized(_tx: object, _principal: object, body: RawRequest) -> object:
    return body.query * (int(body.parameters["size"]) // len(body.query))


async def sleep(tx: ReadingTransaction, *_: object) -> object:
    return await tx.value("select pg_sleep(30)")


def small_house(gate: Gate | None = None, database: Database | None = None, **settings: Any) -> SmallHouse:
    return SmallHouse(
        endpoint("GET", "/echo/{name}", echo, body=RawRequest),
        endpoint("POST", "/echo", echo, body=RawRequest, body_limit=100_000),
        endpoint("POST", "/locked", echo, body=RawRequest, access="user"),
        endpoint("GET", "/large", large),
        endpoint("GET", "/sized/{size}", sized, body=RawRequest),
        endpoint("DELETE", "/gone", status=204),
        endpoint("GET", "/wait", (gate or Gate()).wait),
        endpoint("GET", "/sleep", sleep, transaction=Mode.READING, timeout=0.05),
        database=database,
        settings=FlowSettings(**settings),
    )


async def test_a_connection_carries_one_request_after_another() -> None:
    async with serving(small_house()) as running:
        wire = await running.wire()
        for n in range(3):
            assert (await wire.ask(f"/echo/{n}")).json()["name"] == str(n)
        assert (await wire.ask("/echo", "POST", b"12345")).json()["size"] == 5
        assert (await wire.ask("/nowhere")).status == 404
        gone = await wire.ask("/gone", "DELETE")
        assert (gone.status, gone.body) == (204, b"")
        assert (await wire.ask("/echo/x")).status == 200
        assert "server" not in (await wire.ask("/echo/x")).headers


async def test_head_has_the_headers_of_get_and_no_body() -> None:
    async with serving(small_house()) as running:
        wire = await running.wire()
        head = await wire.ask("/large", "HEAD")
        full = await wire.ask("/large")
        assert (head.status, full.status, len(full.body)) == (200, 200, 10_002)
        own = {"x-request-id", "ratelimit-remaining", "date"}
        assert full.headers.keys() == head.headers.keys()
        assert all(full.headers[name] == value for name, value in head.headers.items() if name not in own)


async def test_answers_of_every_size_are_whole_and_in_their_order() -> None:
    sizes = [1, 65_000, 65_534, 65_535, 65_536, 100_000, 7_000_000, 2, 3_000_000]
    async with serving(small_house()) as running:
        wire = await running.wire()
        await wire.send(*(f"GET /sized/{size}?{n} HTTP/1.1\r\nhost: x\r\n\r\n" for n, size in enumerate(sizes)))
        for n, size in enumerate(sizes):
            assert (await wire.answer()).body == b'"%b"' % (str(n).encode() * size)
        head = await wire.ask("/sized/7000000?x", "HEAD")
        assert (head.body, head.headers["content-length"]) == (b"", "7000002")


async def test_pipelined_requests_are_answered_in_their_order() -> None:
    async with serving(small_house()) as running:
        wire = await running.wire()
        await wire.send(*(f"GET /echo/{n} HTTP/1.1\r\nhost: x\r\n\r\n" for n in range(20)))
        assert [(await wire.answer()).json()["name"] for _ in range(20)] == [str(n) for n in range(20)]


async def test_http_1_0_and_connection_close_end_with_the_answer() -> None:
    async with serving(small_house()) as running:
        for request in ("GET /echo/x HTTP/1.0\r\n\r\n", "GET /echo/x HTTP/1.1\r\nconnection: close\r\n\r\n"):
            wire = await running.wire()
            await wire.send(request)
            assert (await wire.answer()).status == 200
            assert await wire.rest() == b""


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /echo/x HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /echo/x HTTP/1.1\r\nhost: a\x00b\r\n\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /echo/x?\xc3\xa9 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"CONNECT example.com:80 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_what_cannot_be_parsed_is_a_400_in_the_shape_of_every_refusal(request_bytes: bytes) -> None:
    async with serving(small_house()) as running:
        wire = await running.wire()
        await wire.send(request_bytes)
        answer = await wire.answer()
        assert (answer.status, answer.json()["error"], answer.json()["statusCode"]) == (400, "INVALID_INPUT", 400)
        assert await wire.rest() == b""
        assert (await (await running.wire()).ask("/echo/x")).status == 200


async def test_a_length_that_is_too_short_leaves_a_remainder_that_is_refused() -> None:
    async with serving(small_house()) as running:
        wire = await running.wire()
        await wire.send(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n12345 nonsense\r\n\r\n")
        assert (await wire.answer()).json()["size"] == 2
        assert b"HTTP/1.1 400" in (await wire.rest() or b"HTTP/1.1 400")


async def test_a_malformed_successor_does_not_answer_for_the_running_request() -> None:
    gate = Gate()
    async with serving(small_house(gate)) as running:
        wire = await running.wire()
        await wire.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n", "nonsense\r\n\r\n")
        await gate.entered.wait()
        await asyncio.sleep(0.02)
        gate.open.set()
        assert (await wire.answer()).json() == {"waited": True}
        assert await wire.rest() == b""


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"GET /echo/x HTTP/1.1\r\n", b"x-n: 123456789\r\n"),
        (b"GET /echo/x HTTP/1.1\r\nx-endless: ", b"x" * 1000),
        (b"GET /echo/x HTTP/1.1\r\n", b"x" * 1000),
        (b"GET /echo/", b"x" * 1000),
        (b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-trailer: ", b"x" * 1000),
        (b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5;extension=", b"x" * 1000),
    ],
    ids=["many", "one", "name", "path", "trailer", "chunk extension"],
)
async def test_header_bytes_are_bounded_also_where_no_header_ends(head: bytes, piece: bytes) -> None:
    async with serving(small_house(), ServerSettings(port=0, header_bytes=8192)) as running:
        wire = await running.wire()
        await wire.send(head)
        reading = asyncio.create_task(wire.answer())
        sent = 0
        try:
            while not reading.done() and sent < 10_000_000:
                await wire.send(piece)
                sent += len(piece)
                await asyncio.sleep(0)
        except ConnectionError:
            pass
        answer = await reading
        assert (answer.status, answer.json()["error"]) == (431, "HEADERS_TOO_LARGE")
        assert sent < 100_000


async def test_large_and_many_headers_below_the_bound_pass() -> None:
    async with serving(small_house(), ServerSettings(port=0, header_bytes=8192)) as running:
        wire = await running.wire()
        many: dict[str, Any] = {f"x-{n}": "v" * 100 for n in range(60)}
        for _ in range(3):  # the count begins again with each request
            assert (await wire.ask("/echo/x", **many)).status == 200
        await wire.send("GET /echo/x HTTP/1.1\r\nx-long: ")
        for _ in range(70):
            await wire.send("x" * 100)
            await asyncio.sleep(0)
        await wire.send("\r\n\r\n")
        assert (await wire.answer()).status == 200


async def test_bodies_past_the_limit_are_refused_and_the_answer_arrives() -> None:
    async with serving(small_house()) as running:
        wire = await running.wire()
        refused = await wire.ask("/echo", "POST", b"x" * 3_000_000)
        assert (refused.status, refused.json()["error"]) == (413, "PAYLOAD_TOO_LARGE")
        assert (await wire.ask("/echo/x")).status == 200
        await wire.send(b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(30):
            await wire.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        assert (await wire.answer()).status == 413
        await wire.send(b"0\r\n\r\n")
        assert (await wire.ask("/echo/x")).status == 200


async def test_chunks_and_expectations_are_understood() -> None:
    async with serving(small_house()) as running:
        wire = await running.wire()
        await wire.send(b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await asyncio.sleep(0.01)
        await wire.send(b"2\r\nde\r\n0\r\nx-trailer: 1\r\n\r\n")
        assert (await wire.answer()).json()["size"] == 5
        await wire.send(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n")
        assert (await wire.answer()).status == 100
        await wire.send(b"abc")
        assert (await wire.answer()).json()["size"] == 3


async def test_a_caller_who_leaves_before_his_body_ends_changes_nothing() -> None:
    house = small_house()
    async with serving(house) as running:
        wire = await running.wire()
        await wire.send(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345")
        await wire.close()
        await until(lambda: house.observations and house.observations[-1].__class__.__name__ == "RequestAnswered")
        assert (house.answered.status, house.answered.code) == (400, "INVALID_INPUT")
        assert house.seen(RequestFailed) == []


@pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
async def test_an_upgrade_that_is_not_served_is_an_ordinary_request(upgrade: str) -> None:
    async with serving(small_house()) as running:
        wire = await running.wire()
        assert (await wire.ask("/echo/x", connection="upgrade", upgrade=upgrade)).status == 200


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - it rings no bell
            await asyncio.sleep(0.005)


async def swept(running: Serving, later: float) -> None:
    """Let the server look round as it will in `later` seconds; twice, because it first notes who is waited for."""
    for moment in (time.monotonic(), time.monotonic() + later):
        for connection in list(running.server.server_state.connections):
            connection.sweep(moment)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    await asyncio.sleep(0.01)


GET = b"GET /echo/x HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"GET /echo/x HTTP/1.1\r\nhost: x\r\n"],
        [GET + b"GET /echo/y HTTP/1.1\r\nx: "],
        [GET, b"\r\n"],
        [b"POST /locked HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12", b"3"],
    ],
    ids=["nothing", "half", "second half", "empty lines", "body nobody reads"],
)
async def test_who_keeps_the_server_waiting_is_cut_off(pieces: list[bytes]) -> None:
    async with serving(small_house()) as running:
        wire = await running.wire()
        for piece in pieces:
            await wire.send(piece)
            await asyncio.sleep(0.03)
        await swept(running, 9)
        assert len(running.server.server_state.connections) == 1
        await swept(running, 11)
        await wire.rest()
        assert len(running.server.server_state.connections) == 0


async def test_who_waits_for_the_server_is_not() -> None:
    gate = Gate()
    async with serving(small_house(gate)) as running:
        wire, idle = await running.wire(), await running.wire()
        await idle.ask("/echo/x")
        await wire.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n", "GET /echo/y HTTP/1.1\r\nx-cut: ")
        await gate.entered.wait()
        await asyncio.sleep(0.02)
        await swept(running, 60)
        gate.open.set()
        assert (await wire.answer()).json() == {"waited": True}
        await wire.send("off\r\n\r\n")
        assert (await wire.answer()).status == 200
        assert (await idle.ask("/echo/x")).status == 200


async def test_the_sweep_runs_by_itself() -> None:
    async with serving(small_house(), ServerSettings(port=0, header_seconds=0.05)) as running:
        began = time.monotonic()
        await (await running.wire()).rest()
        assert time.monotonic() - began < 2


async def test_overdue_requests_are_told_504(database: Database) -> None:
    house = small_house(database=database)
    async with serving(house) as running:
        wire = await running.wire()
        answer = await wire.ask("/sleep")
        assert (answer.status, answer.json()["error"]) == (504, "TIMEOUT")
        assert (await wire.ask("/echo/x")).status == 200
        assert database.lease.lent_count == 0


async def test_connections_of_one_address_are_bounded_and_counted_down() -> None:
    async with serving(small_house(), ServerSettings(port=0, connections_per_address=3)) as running:
        wires = [await running.wire() for _ in range(3)]
        for wire in wires:
            assert (await wire.ask("/echo/x")).status == 200
        assert await (await running.wire()).rest() == b""
        await wires.pop().close()
        await until(lambda: len(running.server.server_state.connections) == 2)
        assert (await (await running.wire()).ask("/echo/x")).status == 200


async def test_a_trusted_proxy_may_open_any_number() -> None:
    from ipaddress import ip_network

    house = small_house()
    house.trusted = (ip_network("127.0.0.0/8"),)
    async with serving(house, ServerSettings(port=0, connections_per_address=1)) as running:
        for n in range(3):
            wire = await running.wire()
            assert (await wire.ask("/echo/x", x_forwarded_for=f"198.51.100.{n}")).status == 200
        assert house.answered.address == "198.51.100.2"


async def test_a_stopping_server_finishes_what_runs_and_takes_nothing_new() -> None:
    gate = Gate()
    house = small_house(gate)
    async with serving(house, ServerSettings(port=0, stop_within=5)) as running:
        idle, busy = await running.wire(), await running.wire()
        await idle.ask("/echo/x")
        await busy.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        await gate.entered.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        assert await idle.rest() == b""
        with pytest.raises(OSError, match=r".*"):
            await running.wire()
        assert not running.task.done()
        gate.open.set()
        answer = await busy.answer()
        assert (answer.json(), answer.headers["connection"]) == ({"waited": True}, "close")
        async with asyncio.timeout(2):
            await running.task
        assert [seen.running for seen in house.seen(ServerStopping)] == [1]
        assert [seen.url for seen in house.seen(ServerStarted)] == [f"http://127.0.0.1:{running.port}"]


async def test_and_ends_within_its_bound_what_does_not_finish(database: Database) -> None:
    gate = Gate()
    house = small_house(gate, database)
    async with serving(house, ServerSettings(port=0, stop_within=0.2)) as running:
        wire = await running.wire()
        await wire.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        await gate.entered.wait()
        began = time.monotonic()
        running.server.stop()
        running.server.stop()
        answer = await wire.answer()
        assert (answer.status, answer.json()["error"], answer.headers["retry-after"]) == (503, "SHUTTING_DOWN", "1")
        await running.task
        assert 0.2 <= time.monotonic() - began < 1.5
        assert len(house.seen(ServerStopping)) == 1
