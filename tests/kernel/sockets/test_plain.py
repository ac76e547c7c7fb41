"""Plain sockets: JSON objects, credentials in the handshake or in the first frame."""

import asyncio

import pytest

from headwater.kernel.sockets import Acknowledgement, CloseReason, Incoming, PlainSocket, Socket, SocketSettings
from tests.kit.sockets import PLAIN_PATH, PONG, served, until


async def test_messages_go_both_ways() -> None:
    async with served() as running:
        client = await running.plain_client()
        client.send_text('{"type":"echo","text":"hi"}')
        assert await client.json() == {"type": "echo", "text": "hi"}
        client.send_text('{"type":"echo","id":"a1","text":"hi"}')
        assert await client.json() == {"id": "a1", "text": "hi"}
        assert [message.id for message in running.plain.received] == [None, "a1"]


async def test_field_names_are_declared() -> None:
    form = PlainSocket(path=PLAIN_PATH, event_field="kind", payload_field="data", id_field=None)
    async with served(form=form) as running:
        client = await running.plain_client()
        client.send_text('{"kind":"echo","data":[1],"id":3}')
        assert await client.json() == {"kind": "echo", "data": [1]}
        client.send_text('{"kind":"note"}')
        client.send_text('{"kind":"note","data":"\\u0000"}')
        await until(lambda: len(running.plain.received) == 3)
        assert running.plain.received[1].arguments == ()
        assert [message.may_hold_nul for message in running.plain.received] == [False, False, True]


@pytest.mark.parametrize("path", [PLAIN_PATH, PLAIN_PATH + "/"])
async def test_a_token_may_stand_in_the_query(path: str) -> None:
    async with served() as running:
        status, _ = await running.upgrade(path + "?token=good")
        assert status == 101
        await until(lambda: running.plain.opened_sockets)
        assert running.plain.opened_sockets[0].principal.id == "7"


async def test_a_bad_token_is_told_and_closed() -> None:
    async with served() as running:
        client = await running.plain_client("?token=bad")
        assert await client.json() == {"type": "error", "code": "AUTH_UNAUTHORIZED", "message": "Invalid token"}
        assert await client.closing() == (1008, "Invalid token")
        assert running.plain.opened_sockets == [] and running.plain.closings == []


@pytest.mark.parametrize("delay", [0.0, 0.05])
async def test_the_first_frame_may_say_who_it_is(delay: float) -> None:
    async with served() as running:
        client = await running.plain_client("")
        await asyncio.sleep(delay)
        client.send_text('{"type":"auth","token":"good"}')
        client.send_text('{"type":"echo","text":"hi"}')
        assert await client.json() == {"type": "echo", "text": "hi"}
        assert running.plain.handshakes[-1].auth == {"type": "auth", "token": "good"}
        assert [message.event for message in running.plain.received] == ["echo"]


async def test_a_bad_first_frame_ends_it() -> None:
    async with served() as running:
        client = await running.plain_client("")
        client.send_text('{"type":"auth","token":"bad"}')
        client.send_text('{"type":"echo"}')
        assert (await client.json())["code"] == "AUTH_UNAUTHORIZED"
        assert (await client.closing())[0] == 1008
        assert running.plain.received == []


async def test_who_never_says_who_it_is_is_shown_out() -> None:
    async with served(SocketSettings(admission_seconds=0.2, ping_interval=1.0)) as running:
        client = await running.plain_client("")
        assert (await client.closing())[0] == 1008


@pytest.mark.parametrize("said", ["", "x", "[]", "1", "{", '{"type":1}', "{}", '{"text":"hi"}', "[" * 5000])
async def test_a_malformed_frame_is_answered_and_the_socket_stays(said: str) -> None:
    async with served() as running:
        client = await running.plain_client()
        await until(lambda: running.plain.opened_sockets)
        client.send_text(said)
        assert await client.json() == {"type": "refused", "code": "INVALID_INPUT"}
        client.send_text('{"type":"echo","text":"hi"}')
        assert (await client.json())["text"] == "hi"


async def test_binary_is_no_json() -> None:
    async with served() as running:
        client = await running.plain_client()
        client.send(2, b"x")
        assert (await client.closing())[0] == 1002


async def test_an_offered_subprotocol_is_taken() -> None:
    async with served() as running:
        status, client = await running.upgrade(PLAIN_PATH + "?token=good", Sec_WebSocket_Protocol="bearer, abc")
        assert status == 101
        assert "Sec-WebSocket-Protocol: bearer\r\n" in client.head
        await until(lambda: running.plain.handshakes)
        assert running.plain.handshakes[0].subprotocols == ["bearer", "abc"]


async def test_heartbeats_are_the_websockets_own() -> None:
    async with served(SocketSettings(ping_interval=0.25, ping_timeout=0.2)) as running:
        client = await running.plain_client()
        for _ in range(3):
            assert (await client.frame())[0] == 9
            client.send(PONG, b"")
        assert (await client.frame())[0] == 9
        assert (await client.closing())[0] == 1001
        await until(lambda: running.plain.reasons)
        assert running.plain.reasons == [CloseReason.SILENT]


async def test_rooms_hold_sockets_of_every_kind() -> None:
    async with served() as running:
        plain, client, poller = await running.plain_client(), await running.client(), await running.poller()
        await until(lambda: len(running.sockets) == 3)
        for socket in running.sockets:
            running.sockets.join(socket, "a")
        assert running.sockets.broadcast("a", "said", {"text": "hi", "file": "x"}) == 3
        assert await plain.json() == {"type": "said", "text": "hi", "file": "x"}
        assert await client.text() == '42["said",{"text":"hi","file":"x"}]'
        assert await poller.get() == '42["said",{"text":"hi","file":"x"}]'
        running.sockets.broadcast("a", "said", {"file": b"\x00"})
        assert await plain.json() == {"type": "said", "file": "AA=="}


async def test_a_result_may_be_any_json() -> None:
    async with served() as running:

        async def count(_socket: Socket, _message: Incoming) -> Acknowledgement:
            return Acknowledgement((3,))

        running.plain.answering["count"] = count
        client = await running.plain_client()
        client.send_text('{"type":"count","id":1}')
        assert await client.json() == {"id": 1, "payload": 3}
