"""Two processes at one address, as far as one process can play both: what comes to the wrong one."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from headwater.boot.settings import ServerSettings
from tests.kit.server import new_folder
from tests.kit.sockets import SOCKET_PATH, Poller, Served, served, until


@pytest.fixture
def place() -> Path:
    """Where they meet."""
    folder = new_folder()
    folder.mkdir(exist_ok=True)
    return folder


@asynccontextmanager
async def two(place: Path) -> AsyncGenerator[tuple[Served, Served]]:
    """Two members of a crew, each at an address of its own, so that a test can choose."""
    async with served(member=(place, 0)) as one, served(member=(place, 1)) as other:
        yield one, other


def strayed(poller: Poller, to: Served) -> Poller:
    """The same client, whose connections come to another process."""
    stray = Poller(to.port)
    stray.sid = poller.sid
    to.clients.append(stray)
    return stray


def open_files() -> int:
    """How many this process has."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_a_session_names_the_process_that_keeps_it(place: Path) -> None:
    async with two(place) as (one, other):
        assert (await one.poller()).sid.startswith("0.")
        assert (await other.poller()).sid.startswith("1.")


async def test_polls_find_their_session_wherever_they_come(place: Path) -> None:
    async with two(place) as (one, other):
        stray = strayed(await one.poller(), other)
        assert await stray.post('420["echo",1]') == "ok"
        assert await stray.get() == "430[1]"
        waiting = asyncio.create_task(stray.get())
        await asyncio.sleep(0.05)
        one.hall.opened_sockets[0].emit("now")
        assert await waiting == '42["now"]'
        assert other.hall.received == [] and other.server.server_state.connections == set()


async def test_an_upgrade_does_too(place: Path) -> None:
    async with two(place) as (one, other):
        poller = await one.poller()
        status, client = await other.upgrade(f"{SOCKET_PATH}?EIO=4&transport=websocket&sid={poller.sid}")
        assert status == 101
        client.send_text("2probe")
        assert await client.text() == "3probe"
        client.send_text("5")
        client.send_text('420["echo",1]')
        assert await client.text() == "430[1]"
        assert len(one.sockets) == 1 and one.sockets._registry.polling == {}


async def test_a_large_request_goes_over_whole_and_in_parts(place: Path) -> None:
    async with two(place) as (one, other):
        poller = await one.poller()
        stray = strayed(poller, other)
        await stray.post(*[f'42["note","{"x" * 60_000}"]'] * 4)
        await until(lambda: len(one.hall.received) == 4)
        wire = await other.wire()
        body = b'42["note",1]'
        query = "&".join(f"{name}={value}" for name, value in poller.query.items())
        head = f"POST {SOCKET_PATH}?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        for part in (head[:9], head[9:40], head[40:-1], head[-1:] + body[:5], body[5:]):
            wire.writer.write(part)
            await asyncio.sleep(0.02)
        assert b" 200 " in await asyncio.wait_for(wire.reader.readuntil(b"\r\n"), 30)
        assert len(one.hall.received) == 5


async def test_a_connection_goes_on_where_it_has_gone_and_back(place: Path) -> None:
    async with two(place) as (one, other):
        here, there = await one.poller(), await other.poller()
        wire = await other.wire()
        for poller in (here, there, here):
            query = "&".join(f"{name}={value}" for name, value in poller.query.items())
            body = b'42["note",1]'
            head = f"POST {SOCKET_PATH}?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            wire.writer.write(head.encode() + body)
            answer = await asyncio.wait_for(wire.reader.readuntil(b"\r\n\r\nok"), 30)
            assert answer.startswith(b"HTTP/1.1 200 ")
        assert (len(one.hall.received), len(other.hall.received)) == (2, 1)
        wire.writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 404 " in await asyncio.wait_for(wire.reader.readuntil(b"\r\n"), 30)


async def test_nothing_goes_over_behind_what_is_underway(place: Path) -> None:
    async with two(place) as (one, other):
        poller = await one.poller()
        query = "&".join(f"{name}={value}" for name, value in poller.query.items())
        body = b'42["note",1]'
        post = f"POST {SOCKET_PATH}?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        wire = await other.wire()
        wire.writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" + post)
        text = b""
        async with asyncio.timeout(30):
            while b"Session ID unknown" not in text:
                text += await wire.reader.read(4096)
        assert b" 404 " in text and b" 400 " in text
        assert one.hall.received == []


@pytest.mark.parametrize("sid", ["7.abc", "../../x.abc", "0.abc", ".abc", "1.", "٣.abc"])
async def test_a_session_that_nobody_keeps_is_unknown(place: Path, sid: str) -> None:
    async with two(place) as (_, other):
        poller = Poller(other.port)
        other.clients.append(poller)
        poller.sid = sid
        assert "Session ID unknown" in await poller.get(status=400)
        assert "Session ID unknown" in await poller.post("2", status=400)
        told = poller.query | {"transport": "websocket"}
        status, _ = await other.upgrade(f"{SOCKET_PATH}?{urlencode(told)}")
        assert status == 400


async def test_connections_are_counted_where_they_are(place: Path) -> None:
    settings = ServerSettings(port=0, stop_within=1, connections_per_address=4)
    async with served(member=(place, 0)) as one, served(server_settings=settings, member=(place, 1)) as other:
        poller = await one.poller()
        for _ in range(8):
            stray = strayed(poller, other)
            await stray.post('42["note",1]')
        assert len(one.hall.received) == 8


async def test_nothing_is_left_behind(place: Path) -> None:
    async with two(place) as (one, other):
        poller = await one.poller()
        await strayed(poller, other).post('42["note",1]')
        before = open_files()
        for _ in range(20):
            stray = strayed(poller, other)
            await stray.post('42["note",1]')
            await stray.close()
        await until(lambda: open_files() <= before)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("frame", [b"", b"\0", (99).to_bytes(4, "big") + b"POST /socket.io/?sid="])
async def test_a_connection_whose_giver_ends_in_the_middle_is_closed(place: Path, frame: bytes) -> None:
    async with served(member=(place, 0)) as one:
        ours, theirs = socket.socketpair()
        with ours, theirs, socket.socket(socket.AF_UNIX) as giver:
            giver.connect(str(place / "connections-0.sock"))
            if frame:
                socket.send_fds(giver, [frame], [theirs.fileno()])
            giver.close()
            theirs.close()
            ours.settimeout(5)
            assert await asyncio.to_thread(ours.recv, 1) == b""
        poller = await one.poller()
        await poller.post('42["note",1]')
