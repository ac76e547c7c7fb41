"""Engine.IO 4 on the wire, as its protocol's own test suite and our bounds want it."""

import asyncio
import base64
import json

import httpx
import pytest

from headwater.kernel.sockets import CloseReason, SocketSettings
from tests.kit.sockets import BINARY, CLOSE, PING, PONG, SOCKET_PATH, TEXT, served, until

QUICK = SocketSettings(ping_interval=0.25, ping_timeout=0.2, admission_seconds=30.0)
PATIENT = SocketSettings()


async def test_a_websocket_is_opened_with_what_the_client_must_know() -> None:
    async with served() as running:
        status, client = await running.upgrade(f"{SOCKET_PATH}?EIO=4&transport=websocket")
        assert status == 101
        told = json.loads((await client.text())[1:])
        assert len(told.pop("sid")) == 20
        assert told == {"upgrades": [], "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": 262144}


async def test_a_session_that_polls_may_upgrade() -> None:
    async with served() as running:
        poller = await running.poller(connect=False)
        poller.sid = ""
        told = await poller.open()
        assert told["upgrades"] == ["websocket"]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("transport=polling", {"code": 5, "message": "Unsupported protocol version"}),
        ("EIO=3&transport=polling", {"code": 5, "message": "Unsupported protocol version"}),
        ("EIO=4", {"code": 0, "message": "Transport unknown"}),
        ("EIO=4&transport=abc", {"code": 0, "message": "Transport unknown"}),
        ("EIO=4&transport=websocket", {"code": 0, "message": "Transport unknown"}),
        ("EIO=4&transport=polling&sid=nobody", {"code": 1, "message": "Session ID unknown"}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_improper_requests_are_told_so(method: str, query: str, told: object) -> None:
    async with served() as running, httpx.AsyncClient() as http:
        answer = await http.request(method, f"http://127.0.0.1:{running.port}{SOCKET_PATH}?{query}")
        assert (answer.status_code, answer.json()) == (400, told)
        assert len(running.sockets) == 0


@pytest.mark.parametrize("query", ["transport=websocket", "EIO=4&transport=polling", "EIO=4&transport=websocket&sid=x"])
async def test_improper_upgrades_are_refused_before_101(query: str) -> None:
    async with served() as running:
        status, client = await running.upgrade(f"{SOCKET_PATH}?{query}")
        assert status == 400
        assert b'"code"' in await client.ended()


async def test_several_packets_travel_in_one_request() -> None:
    async with served() as running:
        poller = await running.poller()
        await poller.post('420["echo",1]', '421["echo",2]')
        heard = await poller.get()
        if "431" not in heard:
            heard += "\x1e" + await poller.get()
        assert heard == "430[1]\x1e431[2]"


async def test_a_poll_waits_until_there_is_something() -> None:
    async with served() as running:
        poller = await running.poller()
        waiting = asyncio.create_task(poller.get())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        running.hall.opened_sockets[0].emit("now")
        assert await waiting == '42["now"]'


async def test_binary_is_polled_in_base64() -> None:
    async with served() as running:
        poller = await running.poller()
        content = base64.b64encode(b"\x00\xff").decode()
        await poller.post('451-0["echo",{"_placeholder":true,"num":0}]', "b" + content)
        assert await poller.get() == f'461-0[{{"_placeholder":true,"num":0}}]\x1eb{content}'
        assert running.hall.received[0].arguments == (b"\x00\xff",)


@pytest.mark.parametrize(
    "body", [b"", b"abc", b"\xff", b"4", b"bnot base64!", b"byy==", b"2", b"5", b'42["echo"', b"4\x1e"]
)
async def test_a_malformed_request_ends_its_session(body: bytes) -> None:
    async with served() as running:
        poller = await running.poller()
        answer = await poller.http.post(SOCKET_PATH, params=poller.query, content=body)
        assert answer.status_code == 400
        assert len(running.hall.reasons) == 1
        assert await poller.get() == "1"
        await poller.get(status=400)


async def test_two_polls_at_once_end_the_session() -> None:
    async with served() as running:
        poller = await running.poller()
        waiting = asyncio.create_task(poller.get())
        await asyncio.sleep(0.05)
        await poller.get(status=400)
        assert await waiting == "1"
        assert running.hall.reasons == [CloseReason.MALFORMED]


async def test_a_large_request_is_refused_and_a_large_packet_too() -> None:
    async with served(SocketSettings(frame_bytes=1000, polling_bytes=5000)) as running:
        poller = await running.poller()
        await poller.post('42["echo","' + "x" * 6000 + '"]', status=413)
        assert running.hall.closings == []
        await poller.post('42["echo","' + "x" * 2000 + '"]', status=400)
        assert running.hall.reasons == [CloseReason.OVERSIZED]


async def test_a_client_that_polls_may_end_its_session() -> None:
    async with served() as running:
        poller = await running.poller()
        assert await poller.post("1") == "ok"
        assert running.hall.reasons == [CloseReason.CLIENT]
        assert await poller.get() == "1"
        await poller.get(status=400)
        await poller.post('42["echo"]', status=400)


async def test_sessions_are_forgotten() -> None:
    async with served() as running:
        poller = await running.poller()
        await poller.post("1")
        registry = running.sockets._registry
        assert len(registry) == 0
        assert len(registry.polling) == 1, "its last word waits to be fetched"
        assert await poller.get() == "1"
        assert registry.polling == {}


async def test_more_than_may_wait_ends_a_session() -> None:
    async with served(SocketSettings(polling_packets=10)) as running:
        poller = await running.poller()
        await poller.post('420["join","a"]')
        for number in range(11):
            running.sockets.broadcast("a", "said", number)
            await asyncio.sleep(0)
        await until(lambda: running.hall.reasons)
        assert running.hall.reasons == [CloseReason.SLOW]


class TestUpgrade:
    """From polling to WebSocket."""

    async def test_what_waited_goes_on_by_websocket(self) -> None:
        async with served() as running:
            poller = await running.poller()
            [socket] = running.hall.opened_sockets
            status, client = await running.upgrade(f"{SOCKET_PATH}?EIO=4&transport=websocket&sid={poller.sid}")
            assert status == 101
            waiting = asyncio.create_task(poller.get())
            await asyncio.sleep(0.02)
            client.send_text("2probe")
            assert await client.text() == "3probe"
            assert await waiting == "6"
            socket.emit("between", b"x")
            client.send_text("5")
            assert await client.text() == '451-["between",{"_placeholder":true,"num":0}]'
            assert await client.frame() == (BINARY, b"x")
            client.send_text('420["echo",1]')
            assert await client.text() == "430[1]"
            await poller.get(status=400)
            await poller.post('421["echo",1]', status=400)
            status, _ = await running.upgrade(f"{SOCKET_PATH}?EIO=4&transport=websocket&sid={poller.sid}")
            assert status == 400
            assert len(running.sockets) == 1 and running.hall.closings == []

    async def test_the_last_words_reach_who_is_shown_out_in_the_middle_of_it(self) -> None:
        async with served() as running:
            poller = await running.poller()
            [socket] = running.hall.opened_sockets
            _, client = await running.upgrade(f"{SOCKET_PATH}?EIO=4&transport=websocket&sid={poller.sid}")
            client.send_text("2probe")
            assert await client.text() == "3probe"
            socket.emit("last", "words")
            socket.close(CloseReason.REVOKED)
            client.send_text("5")
            assert [await client.text(), await client.text()] == ['42["last","words"]', "41"]
            assert (await client.closing())[0] == 1008
            assert running.hall.reasons == [CloseReason.REVOKED]

    async def test_rooms_go_with_it(self) -> None:
        async with served() as running:
            poller = await running.poller()
            await poller.post('420["join","a"]')
            await poller.get()
            running.sockets.broadcast("a", "said", 1)
            assert await poller.get() == '42["said",1]'
            _, client = await running.upgrade(f"{SOCKET_PATH}?EIO=4&transport=websocket&sid={poller.sid}")
            client.send_text("2probe")
            await client.text()
            running.sockets.broadcast("a", "said", 2)
            client.send_text("5")
            assert await client.text() == '42["said",2]'
            running.sockets.broadcast("a", "said", 3)
            assert await client.text() == '42["said",3]'

    @pytest.mark.parametrize("said", ["5", "2", '42["echo"]', "3probe", ""])
    async def test_a_wrong_word_ends_the_trial_alone(self, said: str) -> None:
        async with served() as running:
            poller = await running.poller()
            _, client = await running.upgrade(f"{SOCKET_PATH}?EIO=4&transport=websocket&sid={poller.sid}")
            client.send_text(said)
            assert (await client.closing())[0] == 1002
            await poller.post('420["echo",1]')
            assert await poller.get() == "430[1]"

    async def test_a_trial_that_breaks_leaves_the_session_as_it_was(self) -> None:
        async with served() as running:
            poller = await running.poller()
            _, client = await running.upgrade(f"{SOCKET_PATH}?EIO=4&transport=websocket&sid={poller.sid}")
            client.send_text("2probe")
            await client.text()
            assert await poller.get() == "6"
            await client.close()
            await asyncio.sleep(0.05)
            waiting = asyncio.create_task(poller.get())
            await asyncio.sleep(0.05)
            running.hall.opened_sockets[0].emit("still", "there")
            assert await waiting == '42["still","there"]'


class TestHeartbeat:
    """Signs of life."""

    async def test_a_websocket_is_asked_and_lost_if_it_does_not_answer(self) -> None:
        async with served(QUICK) as running:
            client = await running.client()
            for _ in range(3):
                assert await client.text() == "2"
                client.send_text("3")
            assert running.hall.closings == []
            assert await client.text() == "2"
            assert (await client.closing())[0] == 1001
            assert running.hall.reasons == [CloseReason.SILENT]

    async def test_so_is_a_client_that_polls(self) -> None:
        async with served(QUICK) as running:
            poller = await running.poller()
            for _ in range(3):
                assert await poller.get() == "2"
                await poller.post("3")
            assert await poller.get() == "2"
            assert await poller.get() == "1"
            assert running.hall.reasons == [CloseReason.SILENT]

    async def test_an_event_is_a_sign_of_life_too(self) -> None:
        async with served(QUICK) as running:
            client = await running.client()
            for number in range(8):
                client.send_text(f'42["note",{number}]')
                await asyncio.sleep(0.1)
            assert running.hall.closings == []

    async def test_a_ping_of_the_websocket_is_answered(self) -> None:
        async with served() as running:
            client = await running.client()
            client.send(PING, b"there?")
            assert await client.frame() == (PONG, b"there?")


class TestFrames:
    """WebSocket frames that are not one text each."""

    async def test_pieces_become_one_message(self) -> None:
        async with served() as running:
            client = await running.client()
            client.send(TEXT, b'420["ec', final=False)
            client.send(PING, b"")
            client.send(0, b'ho","', final=False)
            client.send(0, 'ü"]'.encode())
            assert await client.frame() == (PONG, b"")
            assert await client.text() == '430["ü"]'

    @pytest.mark.parametrize(
        ("frames", "code"),
        [
            ([(0, b"x", True, 0)], 1002),
            ([(TEXT, b"x", False, 0), (TEXT, b"x", True, 0)], 1002),
            ([(TEXT, b'42["a"]', True, 4)], 1002),
            ([(TEXT, b"\xff\xfe", True, 0)], 1007),
            ([(TEXT, b'42["a","\xc3', False, 0), (0, b'("]', True, 0)], 1007),
            ([(TEXT, b"4" * 70_000, True, 0)], 1009),
            ([(TEXT, b"4" * 40_000, False, 0), (0, b"4" * 40_000, True, 0)], 1009),
            ([(TEXT, b"", False, 0), *[(0, b"", False, 0)] * 5000], 1009),
            ([(3, b"", True, 0)], 1002),
            ([(BINARY, b"x", True, 0)], 1002),
            ([(TEXT, b"", True, 0)], 1002),
            ([(TEXT, b"x", True, 0)], 1002),
            ([(TEXT, b"2", True, 0)], 1002),
            ([(TEXT, b'42["a"', True, 0)], 1002),
            ([(TEXT, b'451-["f",{"_placeholder":true,"num":0}]', True, 0), (TEXT, b'42["a"]', True, 0)], 1002),
            ([(TEXT, b'451-["f",{"_placeholder":true,"num":1}]', True, 0), (BINARY, b"a", True, 0)], 1002),
            ([(TEXT, b'452-["f"]', True, 0), *[(BINARY, b"a" * 40_000, True, 0)] * 2], 1009),
        ],
    )
    async def test_what_breaks_the_rules_is_closed_with_a_code(
        self, frames: list[tuple[int, bytes, bool, int]], code: int
    ) -> None:
        async with served() as running:
            other = await running.client()
            client = await running.client()
            for kind, payload, final, reserved in frames:
                client.send(kind, payload, final=final, reserved=reserved)
            assert (await client.closing())[0] == code
            await until(lambda: len(running.hall.closings) == 1)
            other.send_text('420["echo",1]')
            assert await other.text() == "430[1]", "nobody else is harmed"

    async def test_a_close_is_answered_with_its_code(self) -> None:
        async with served() as running:
            client = await running.client()
            client.send_text('42["note",1]')
            client.send(CLOSE, (3001).to_bytes(2, "big") + b"bye")
            assert await client.closing() == (3001, "")
            assert await client.ended() == b""
            await until(lambda: running.hall.reasons)
            assert running.hall.reasons == [CloseReason.CLIENT]
            assert [message.event for message in running.hall.received] == ["note"]

    async def test_a_cut_is_noticed(self) -> None:
        async with served() as running:
            client = await running.client()
            client.writer.transport.abort()
            await until(lambda: running.hall.reasons)
            assert running.hall.reasons == [CloseReason.LOST]
            assert len(running.sockets) == 0
