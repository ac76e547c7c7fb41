"""WebSockets on the port of HTTP."""

import asyncio
import gc
import json

import httpx
import pytest

from headwater.boot.protocol import Protocol
from headwater.boot.settings import ServerSettings
from headwater.kernel.observe import MetricsListener, RequestAnswered
from headwater.kernel.sockets import CloseReason, SocketSettings
from headwater.kernel.sockets.attended import AttendedSocket
from headwater.kernel.sockets.wire import Wire
from tests.kit.sockets import PLAIN_PATH, SOCKET_PATH, served, until

WEBSOCKET = f"{SOCKET_PATH}?EIO=4&transport=websocket"


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/elsewhere", {}),
        (WEBSOCKET, {"Sec_WebSocket_Version": "8"}),
        (WEBSOCKET, {"Sec_WebSocket_Key": "c2hvcnQ="}),
        (WEBSOCKET, {"Sec_WebSocket_Key": "not base64 at all"}),
        (WEBSOCKET, {"Upgrade": "h2c"}),
        (WEBSOCKET, {"Connection": "close"}),
    ],
)
async def test_what_is_no_handshake_is_a_request_like_every_other(target: str, headers: dict[str, str]) -> None:
    async with served() as running:
        status, client = await running.upgrade(target, **headers)
        assert status in (400, 404)
        assert "application/json" in client.head
        assert len(running.house.seen(RequestAnswered)) == 1


async def test_a_handshake_may_follow_requests_on_its_connection() -> None:
    async with served() as running:
        wire = await running.wire()
        reader, writer = wire.reader, wire.writer
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 404 " in head
        size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(size)
        writer.write(
            f"GET {WEBSOCKET} HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in head and b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head


async def test_behind_an_unanswered_request_it_is_none() -> None:
    async with served() as running:
        poller = await running.poller()
        wire = await running.wire()
        reader, writer = wire.reader, wire.writer
        waiting = f"GET {SOCKET_PATH}?EIO=4&transport=polling&sid={poller.sid} HTTP/1.1\r\nHost: x\r\n\r\n"
        upgrade = (
            f"GET {WEBSOCKET} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        writer.write((waiting + upgrade).encode())
        await asyncio.sleep(0.05)
        running.hall.opened_sockets[0].emit("first")
        assert b" 200 " in await asyncio.wait_for(reader.readuntil(b"\r\n"), 30)
        rest = b""
        while b"HTTP/1.1" not in rest:
            rest += await asyncio.wait_for(reader.read(4096), 30)
        assert b"101" not in rest.split(b"HTTP/1.1")[1][:8]


async def test_upgraded_connections_count_too() -> None:
    settings = ServerSettings(port=0, stop_within=1, connections_per_address=3)
    async with served(server_settings=settings) as running:
        clients = [await running.client() for _ in range(3)]
        with pytest.raises(asyncio.IncompleteReadError):
            await running.upgrade(WEBSOCKET)
        await clients[0].close()
        await until(lambda: len(running.sockets) == 2)
        await running.client()


async def test_sockets_of_an_address_are_bounded() -> None:
    async with served(SocketSettings(per_address=2)) as running:
        one, _ = await running.client(), await running.poller()
        status, _ = await running.upgrade(WEBSOCKET)
        assert status == 429
        status, _ = await running.upgrade(PLAIN_PATH)
        assert status == 429
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"http://127.0.0.1:{running.port}{SOCKET_PATH}?EIO=4&transport=polling")
            assert answer.status_code == 429
        await one.close()
        await until(lambda: len(running.sockets) == 1)
        await running.client()


async def test_nothing_of_http_stays_with_an_upgraded_connection() -> None:
    async with served() as running:
        await running.client()
        await running.plain_client()
        await until(lambda: len(running.sockets) == 2)
        await asyncio.sleep(0.05)
        kept = [each for each in gc.get_objects() if isinstance(each, Protocol)]
        assert [each for each in kept if not each.transport.is_closing()] == []
        assert running.server.server_state.connections == set()


async def test_what_has_ended_is_freed_without_the_collector() -> None:
    gc.collect()
    gc.disable()  # the server's collector runs seldom: what waits for it is memory that grows
    try:
        async with served() as running:
            for number in range(20):
                client = await running.client() if number % 2 else await running.plain_client()
                client.send(8, b"\x03\xe8")
                await client.ended()
            await until(lambda: len(running.sockets._registry) == 0)
            running.hall.forget()
            running.plain.forget()
            await asyncio.sleep(0.05)
            kept = [each for each in gc.get_objects() if isinstance(each, AttendedSocket | Wire | Protocol)]
            assert kept == []
    finally:
        gc.enable()


async def test_other_origins_pages_may_poll() -> None:
    async with served() as running, httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as http:
        asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
        answer = await http.options(SOCKET_PATH, headers=asked)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        answer = await http.get(
            SOCKET_PATH, params={"EIO": "4", "transport": "polling"}, headers={"Origin": "https://app.example"}
        )
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"].startswith("text/plain")


async def test_a_token_in_the_query_is_told_to_nobody() -> None:
    async with served() as running:
        await running.upgrade(PLAIN_PATH + "?token=good")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as http:
            await http.get(SOCKET_PATH, params={"EIO": "4", "transport": "polling", "token": "good"})
        assert "good" not in repr(running.house.observations)


async def test_upgrades_are_told_like_every_other_request() -> None:
    async with served(SocketSettings(per_address=2)) as running:
        for target in (WEBSOCKET + "&token=good", PLAIN_PATH + "?token=good"):
            await running.upgrade(target)
        await running.upgrade(SOCKET_PATH.rstrip("/") + "?EIO=4&transport=websocket&token=good")
        await running.upgrade(SOCKET_PATH + "?EIO=3&transport=websocket&sid=good")
        told = running.house.seen(RequestAnswered)
        assert [(each.method, each.route, each.status) for each in told] == [
            ("GET", SOCKET_PATH, 101),
            ("GET", PLAIN_PATH, 101),
            ("GET", SOCKET_PATH, 429),
            ("GET", SOCKET_PATH, 400),
        ]
        assert {(each.address, each.principal, each.at) for each in told} == {
            ("127.0.0.1", "nobody", running.house.clock.timestamp())
        }
        assert all(0 < each.seconds < 5 and len(each.request_id) == 32 for each in told)
        assert "good" not in repr(running.house.observations)
        metrics = MetricsListener()
        metrics(told[0])
        line = b'headwater_request_seconds_count{method="GET",route="/socket.io/",status="101"} 1.0'
        assert line in metrics.render()


async def test_everyone_hears_the_server_stop_and_may_come_back() -> None:
    async with served() as running:
        client, plain, poller = await running.client(), await running.plain_client(), await running.poller()
        await until(lambda: len(running.sockets) == 3)
        waiting = asyncio.create_task(poller.get())
        await asyncio.sleep(0.05)
        running.server.stop()
        text = await client.text()
        assert text.startswith("42") and json.loads(text[2:])[0] == "notification"
        assert (await client.closing())[0] == 1001, "no DISCONNECT before it: the client is to come back"
        assert (await plain.json())["type"] == "notification"
        assert (await plain.closing())[0] == 1001
        heard = await waiting
        if heard != "1":
            assert "notification" in heard
        await until(lambda: len(running.hall.reasons) == 2 and running.plain.reasons)
        assert {*running.hall.reasons, *running.plain.reasons} == {CloseReason.SHUTDOWN}


async def test_a_client_that_does_not_go_does_not_hold_up_the_end() -> None:
    async with served() as running:
        status, client = await running.upgrade(WEBSOCKET)
        assert status == 101
        client.writer.transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        client.send_text("40")
        await until(lambda: len(running.sockets) == 1)
        began = asyncio.get_running_loop().time()
        running.server.stop()
        await until(lambda: not running.server.started or running.server.should_exit)
        await until(lambda: len(running.sockets) == 0)
        assert asyncio.get_running_loop().time() - began < 3
