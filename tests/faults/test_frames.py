"""Random and mutated frames, before and after admission: nothing breaks, nothing grows, nobody else notices."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import httpx

from headwater.kernel.observe import HookFailed, RequestAnswered, RequestFailed
from headwater.kernel.sockets import SocketSettings
from tests.kit.sockets import BINARY, CLOSE, PLAIN_PATH, SOCKET_PATH, TEXT, Client, Served, frame, served, until

COUNT = 100_000
PER_CONNECTION = 5
GROWTH = 24 * 1024 * 1024
PROPER = (
    b"40", b'40{"token":"good"}', b"41", b"3", b"6", b"1", b'42["echo",1]', b'420["echo",{"a":[1,null,"x"]}]',
    b'421["join","a"]', b'422["say","a",1]', b'451-0["echo",{"_placeholder":true,"num":0}]', b'430["x"]', b"40/admin,",
    b'{"type":"echo","text":"hi"}', b'{"type":"auth","token":"good"}', b'{"type":"join","id":1}', b"2probe", b"5",
)  # fmt: skip
SPICE = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b'"',
    b"[",
    b"{",
    b"]",
    b"\x1e",
    b"9" * 20,
    b"[" * 200,
    "٣".encode(),
    b"\\ud800",
    b"-",
    b"/",
)


def mutated(random: Random) -> bytes:
    """Something that was a proper message once, or never."""
    if random.random() < 0.1:
        return random.randbytes(random.randrange(300))
    message = bytearray(random.choice(PROPER))
    for _ in range(random.randrange(4)):
        at = random.randrange(len(message) + 1)
        match random.randrange(4):
            case 0:
                message[at:at] = random.choice(SPICE)
            case 1:
                del message[at : at + random.randrange(4)]
            case 2 if at < len(message):
                message[at] = random.randrange(256)
            case _:
                message += random.choice(PROPER)
    return bytes(message)


def some_frame(random: Random) -> bytes:
    """A frame that is whole or broken, and what it holds is proper or not."""
    content = mutated(random)
    roll = random.random()
    if roll < 0.75:
        return frame(TEXT, content)
    if roll < 0.85:
        return frame(BINARY, content)
    if roll < 0.93:
        kind, final = random.randrange(16), random.random() < 0.5
        return frame(kind, content, final=final, reserved=random.choice((0, 0, 1, 7)), masked=random.random() < 0.9)
    whole = frame(TEXT, content)
    return whole[: random.randrange(len(whole))] + random.randbytes(random.randrange(12))


def resident() -> int:
    """Bytes this process holds in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def pester(running: Served, random: Random) -> None:
    """One connection, opened somehow, that says anything."""
    target = random.choice((f"{SOCKET_PATH}?EIO=4&transport=websocket", PLAIN_PATH, PLAIN_PATH + "?token=good"))
    status, client = await running.upgrade(target)
    running.clients.remove(client)
    assert status == 101
    if random.random() < 0.5 and target.startswith(SOCKET_PATH):
        client.send_text("40")
    with suppress(ConnectionError, TimeoutError):  # it was shown out, or waits for the rest of a frame, and rightly
        for _ in range(PER_CONNECTION):
            client.writer.write(some_frame(random))
        await client.writer.drain()
        if random.random() < 0.3:
            client.send(CLOSE, b"\x03\xe8")
            await asyncio.wait_for(client.reader.read(1 << 20), 0.1)
    client.writer.transport.abort()


async def is_untouched(witness: Client) -> None:
    """Whoever behaves is answered."""
    witness.send_text('427["echo","still here"]')
    while (heard := await witness.text()) != '437["still here"]':
        assert heard == "2" or heard.startswith('42["said"')
        if heard == "2":
            witness.send_text("3")


async def test_any_frames(scaled: Callable[[int], int], seeded: Random) -> None:
    count = scaled(COUNT)
    settled, before = count // 5 // (PER_CONNECTION * 10) * PER_CONNECTION * 10, 0
    async with served(SocketSettings(messages_per_second=1000)) as running:
        witness = await running.client()
        for at in range(0, count, PER_CONNECTION * 10):
            await asyncio.gather(*(pester(running, Random(seeded.random())) for _ in range(10)))
            running.hall.forget()
            running.plain.forget()
            if at % (PER_CONNECTION * 100) == 0:
                await is_untouched(witness)
            if at == settled:
                await until(lambda: len(running.sockets._registry) == 1)
                before = resident()
        await until(lambda: len(running.sockets._registry) == 1, 10)
        await is_untouched(witness)
        failures = running.house.seen(HookFailed)
        assert [seen for seen in failures if not _is_the_halls(seen.failure)] == []
        assert not running.sockets._registry.lingering and running.sockets._registry._addresses == {"127.0.0.1": 1}
        assert len(running.sockets._registry.readers._idle) <= 16
        assert resident() - before < GROWTH


async def test_any_requests(scaled: Callable[[int], int], seeded: Random) -> None:
    async with served() as running, httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as http:
        for _ in range(scaled(COUNT) // 40):
            poller = await running.poller(connect=seeded.random() < 0.5)
            running.clients.clear()
            for _ in range(2):
                body = b"\x1e".join(mutated(seeded) for _ in range(seeded.randrange(4)))
                await http.post(SOCKET_PATH, params=poller.query, content=body)
            await http.get(
                SOCKET_PATH, params={"EIO": "4", "transport": "polling", "sid": mutated(seeded).decode("latin-1")}
            )
            await poller.http.post(SOCKET_PATH, params=poller.query, content=b"1")
            await poller.close()
            assert max(seen.status for seen in running.house.seen(RequestAnswered)) < 500
            assert running.house.seen(RequestFailed) == []
            running.house.observations.clear()


def _is_the_halls(failure: BaseException) -> bool:
    """Whether a failure is one of the scripted hall's, which trusts its arguments."""
    at = failure.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at is not None and "tests" in at.tb_frame.f_code.co_filename
