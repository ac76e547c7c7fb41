"""Who is let in, what he goes on with, and whether he keeps up with what he is told."""

import asyncio
import json

from headwater.kernel.sockets import Resumed, SocketSettings
from tests.kit.sockets import SOCKET_PATH, Served, served, until

SMALL = SocketSettings(write_buffer=400_000, polling_packets=40)
SESSION = Resumed("secret", {"channels": ["a"]})


async def welcomed(running: Served, *, polling: bool) -> dict[str, object]:
    """What CONNECT is answered."""
    if polling:
        poller = await running.poller(connect=False)
        await poller.post('40{"token":"good"}')
        return json.loads((await poller.get())[2:])
    client = await running.client(connect=False)
    client.send_text('40{"token":"good"}')
    return json.loads((await client.text())[2:])


class TestResumed:
    """What a client goes on with."""

    async def test_its_secret_is_told_in_the_welcome_and_its_state_to_the_reception(self) -> None:
        async with served() as running:
            running.hall.resumes = SESSION
            for polling in (False, True):
                told = await welcomed(running, polling=polling)
                assert told == {"sid": running.hall.opened_sockets[-1].id, "pid": "secret"}
            assert running.hall.resumptions == [SESSION, SESSION]
            assert [socket.principal.id for socket in running.hall.opened_sockets] == ["7", "7"]

    async def test_who_goes_on_with_nothing_is_told_of_no_secret(self) -> None:
        async with served() as running:
            assert await welcomed(running, polling=False) == {"sid": running.hall.opened_sockets[0].id}
            assert running.hall.resumptions == [None]

    async def test_a_plain_socket_is_told_of_no_secret_and_goes_on_all_the_same(self) -> None:
        async with served() as running:
            running.plain.resumes = SESSION
            client = await running.plain_client()
            client.send_text('{"type":"echo","id":1,"word":"first"}')
            assert await client.json() == {"id": 1, "word": "first"}, "nothing was said before it"
            assert running.plain.resumptions == [SESSION]

    async def test_each_time_it_is_what_the_reception_says_now(self) -> None:
        async with served() as running:
            for secret in ("one", "other"):
                running.hall.resumes = Resumed(secret, None)
                assert (await welcomed(running, polling=False))["pid"] == secret


class TestIsBehind:
    """Whether much waits for a client."""

    async def test_by_websocket_until_it_has_read(self) -> None:
        async with served(SMALL) as running:
            for client, hall in (
                (await running.client(), running.hall),
                (await running.plain_client(), running.plain),
            ):
                await until(lambda hall=hall: hall.opened_sockets)
                [socket] = hall.opened_sockets
                assert not socket.is_behind
                for _ in range(10_000):
                    if socket.is_behind:
                        break
                    socket.emit("much", {"text": "x" * 20_000})
                assert socket.is_behind and socket.connected, "there is room yet"
                async with asyncio.timeout(30):
                    while socket.is_behind:
                        await client.reader.read(1 << 20)
                assert hall.closings == []

    async def test_by_polling_until_it_has_fetched(self) -> None:
        async with served(SMALL) as running:
            poller = await running.poller()
            [socket] = running.hall.opened_sockets
            for told, number in (("few", 10), ("x" * 110_000, 1)):
                for _ in range(number):
                    assert not socket.is_behind
                    socket.emit(told)
                if number > 1:
                    socket.emit(told)
                assert socket.is_behind
                await poller.get()
                assert not socket.is_behind
            assert running.hall.closings == []

    async def test_what_waits_for_an_upgrade_counts(self) -> None:
        async with served(SMALL) as running:
            poller = await running.poller()
            [socket] = running.hall.opened_sockets
            _, client = await running.upgrade(f"{SOCKET_PATH}?EIO=4&transport=websocket&sid={poller.sid}")
            client.send_text("2probe")
            await client.text()
            for _ in range(11):
                socket.emit("few")
            assert socket.is_behind
            client.send_text("5")
            for _ in range(11):
                assert await client.text() == '42["few"]'
            assert not socket.is_behind
