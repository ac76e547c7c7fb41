"""Socket.IO 5 on the wire: who is let in, and one message after the other."""

import asyncio
import json

import pytest

from headwater.kernel.observe import HookFailed
from headwater.kernel.sockets import Acknowledgement, CloseReason, Incoming, NotAcknowledged, Socket, SocketSettings
from tests.kit.sockets import SOCKET_PATH, Client, Served, served, until


async def test_a_socket_has_a_name_others_may_know() -> None:
    async with served() as running:
        status, client = await running.upgrade(f"{SOCKET_PATH}?EIO=4&transport=websocket")
        assert status == 101
        session = json.loads((await client.text())[1:])["sid"]
        client.send_text("40")
        name = json.loads((await client.text())[2:])["sid"]
        [socket] = running.hall.opened_sockets
        assert socket.id == name != session
        assert list(running.sockets) == [socket] and len(running.sockets) == 1


async def test_admission_sees_the_whole_handshake() -> None:
    async with served() as running:
        _, client = await running.upgrade(
            "/socket.io/?EIO=4&transport=websocket&a=1&a=2", Origin="http://x", Cookie="c=1"
        )
        await client.text()
        client.send_text('40{"token":"good"}')
        await client.text()
        [handshake] = running.hall.handshakes
        assert handshake.auth == {"token": "good"}
        assert handshake.query["a"] == "2" and handshake.carrier == "websocket"
        assert handshake.headers["origin"] == "http://x" and handshake.headers["cookie"] == "c=1"
        assert handshake.address == "127.0.0.1"
        [socket] = running.hall.opened_sockets
        assert socket.principal.id == "7" and socket.address == "127.0.0.1"


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("bad", {"message": "Invalid token", "data": {"code": "AUTH_UNAUTHORIZED"}}),
        ("crash", {"data": {"code": "INTERNAL_ERROR"}}),
    ],
)
async def test_who_is_not_let_in_hears_why_and_may_try_again(token: str, told: dict[str, object]) -> None:
    async with served() as running:
        client = await running.client(connect=False)
        client.send_text("40" + json.dumps({"token": token}))
        text = await client.text()
        assert text.startswith("44")
        assert told.items() <= json.loads(text[2:]).items()
        assert len(running.sockets) == 0 and running.hall.opened_sockets == []
        client.send_text('40{"token":"good"}')
        assert (await client.text()).startswith("40{")


async def test_nobody_tries_for_ever() -> None:
    async with served() as running:
        client = await running.client(connect=False)
        for _ in range(20):
            client.send_text('40{"token":"bad"}')
        assert (await client.closing())[0] == 1002
        assert running.hall.closings == [], "who was never let in is not seen out"


async def test_who_says_nothing_is_shown_out() -> None:
    async with served(SocketSettings(admission_seconds=0.2, ping_interval=1)) as running:
        client = await running.client(connect=False)
        assert (await client.closing())[0] == 1008
        await until(lambda: len(running.sockets._registry) == 0)


@pytest.mark.parametrize("said", ['42["echo",1]', "41", '431["a"]', '40{"a"', "40[]", "45", "4"])
async def test_nothing_goes_before_connect(said: str) -> None:
    async with served() as running:
        client = await running.client(connect=False)
        client.send_text(said)
        if said in ("41", '431["a"]'):
            client.send_text("1")
        await client.closing()
        assert running.hall.received == []


async def test_events_wait_for_admission() -> None:
    async with served() as running:
        client = await running.client(connect=False)
        client.send_text("40")
        client.send_text('420["echo","early"]')
        assert (await client.text()).startswith("40")
        assert await client.text() == '430["early"]'


async def test_connecting_twice_is_malformed() -> None:
    async with served() as running:
        client = await running.client()
        client.send_text("40")
        assert (await client.closing())[0] == 1002


async def test_other_namespaces_are_refused_and_cost_nothing() -> None:
    async with served() as running:
        client = await running.client()
        client.send_text("40/admin,{}")
        assert await client.text() == '44/admin,{"message":"Invalid namespace"}'
        client.send_text('420["echo",1]')
        assert await client.text() == "430[1]"
        client.send_text('42/admin,["echo",1]')
        assert (await client.closing())[0] == 1002


async def test_messages_are_carried_out_one_after_the_other() -> None:
    async with served() as running:
        running_now, most = 0, 0

        async def slow(_socket: Socket, message: Incoming) -> Acknowledgement:
            nonlocal running_now, most
            running_now += 1
            most = max(most, running_now)
            await asyncio.sleep(0.01)
            running_now -= 1
            return Acknowledgement(message.arguments)

        running.hall.answering["slow"] = slow
        client = await running.client()
        for number in range(10):
            client.send_text(f'42{number}["slow",{number}]')
        assert [await client.text() for _ in range(10)] == [f"43{number}[{number}]" for number in range(10)]
        assert most == 1


async def test_what_goes_behind_an_acknowledgement_goes_right_behind_it() -> None:
    async with served() as running:

        async def catch_up(socket: Socket, _message: Incoming) -> Acknowledgement:
            running.sockets.join(socket, "a")
            running.sockets.broadcast("a", "before")
            return Acknowledgement(("ok",), lambda: socket.emit("behind"))

        running.hall.answering["catch up"] = catch_up
        client = await running.client()
        client.send_text('427["catch up"]')
        assert [await client.text() for _ in range(3)] == ['42["before"]', '437["ok"]', '42["behind"]']


async def test_a_failure_is_blamed_and_harms_no_other_message() -> None:
    async with served() as running:
        client = await running.client()
        client.send_text('420["boom"]')
        client.send_text('421["echo",1]')
        assert await client.text() == "431[1]"
        [seen] = running.house.seen(HookFailed)
        assert isinstance(seen.failure, ZeroDivisionError)


async def test_a_client_is_asked_and_waited_for() -> None:
    async with served() as running:
        client = await running.client()
        [socket] = running.hall.opened_sockets
        asked = asyncio.create_task(socket.ask("question", 1))
        assert await client.text() == '420["question",1]'
        client.send_text('435["to nobody\'s question"]')
        client.send_text('430["yes",2]')
        assert await asked == ("yes", 2)
        with pytest.raises(NotAcknowledged):
            await socket.ask("question", within=0.05)
        client.send_text('431["too late"]')
        asked = asyncio.create_task(socket.ask("question"))
        await asyncio.sleep(0.02)
        await client.close()
        with pytest.raises(NotAcknowledged):
            await asked
        with pytest.raises(NotAcknowledged):
            await socket.ask("question")


async def test_what_the_client_sent_before_it_left_is_carried_out() -> None:
    async with served() as running:
        client = await running.client()
        for number in range(5):
            client.send_text(f'42["note",{number}]')
        client.send_text("41")
        await until(lambda: running.hall.reasons)
        assert running.hall.reasons == [CloseReason.CLIENT]
        assert len(running.hall.received) == 5


async def test_nothing_is_carried_out_for_whoever_was_shown_out() -> None:
    async with served() as running:
        client = await running.client()
        client.send_text('42["kick"]')
        for number in range(5):
            client.send_text(f'42["note",{number}]')
        assert await client.text() == "41"
        assert await client.closing() == (1008, "out")
        assert running.hall.reasons == [CloseReason.REVOKED]
        assert [message.event for message in running.hall.received] == ["kick"]


async def test_the_last_words_reach_whoever_is_shown_out() -> None:
    async with served() as running:
        client = await running.client()
        [socket] = running.hall.opened_sockets
        running.sockets.join(socket, "a")
        running.sockets.broadcast("a", "last", 1)
        socket.emit("words")
        called: list[str] = []
        socket.when_closed(lambda: called.append("closed"))
        socket.close(CloseReason.REVOKED)
        running.sockets.broadcast("a", "too late")
        socket.emit("too late")
        assert [await client.text() for _ in range(3)] == ['42["last",1]', '42["words"]', "41"]
        assert (await client.closing())[0] == 1008
        assert called == ["closed"] and socket.rooms == set() and not socket.connected


async def test_the_end_is_told_after_the_message_that_runs() -> None:
    async with served() as running:
        go_on = asyncio.Event()

        async def slow(socket: Socket, _message: Incoming) -> None:
            await go_on.wait()
            running.sockets.join(socket, "a")

        running.hall.answering["slow"] = slow
        client = await running.client()
        client.send_text('42["slow"]')
        await until(lambda: running.hall.received)
        await client.close()
        await asyncio.sleep(0.05)
        assert running.hall.closings == []
        go_on.set()
        await until(lambda: running.hall.closings)
        assert not running.sockets.members("a"), "who has gone joins nothing"


class TestPace:
    """Too much, too fast, too slow."""

    async def test_too_frequent_messages_are_refused_and_then_the_socket_is_closed(self) -> None:
        async with served(SocketSettings(messages_per_second=20)) as running:
            other = await running.client()
            client = await running.client()
            for number in range(25):
                client.send_text(f'42["note",{number}]')
            await until(lambda: len(running.hall.refusals) >= 3)
            assert {refusal.code for refusal in running.hall.refusals} == {"TOO_MANY_REQUESTS"}
            assert running.hall.closings == []
            for number in range(60):
                client.send_text(f'42["note",{number}]')
            assert (await client.closing())[0] == 1008
            await until(lambda: running.hall.reasons)
            assert running.hall.reasons == [CloseReason.FREQUENT]
            other.send_text('420["echo",1]')
            assert await other.text() == "430[1]"

    async def test_pings_count_too(self) -> None:
        async with served(SocketSettings(messages_per_second=20)) as running:
            client = await running.client()
            for _ in range(200):
                client.send(9, b"")
            await client_is_closed(client)
            await until(lambda: running.hall.reasons)
            assert running.hall.reasons == [CloseReason.FREQUENT]

    async def test_who_sends_more_than_is_carried_out_waits(self) -> None:
        settings = SocketSettings(messages_per_second=10_000, waiting_messages=4)
        async with served(settings) as running:
            done = asyncio.Semaphore(0)

            async def slow(_socket: Socket, message: Incoming) -> None:
                await done.acquire()

            running.hall.answering["slow"] = slow
            client = await running.client()
            for number in range(30):
                client.send_text(f'42["slow",{number}]')
            await until(lambda: _is_paused(running))
            assert running.hall.closings == []
            for _ in range(30):
                done.release()
            await until(lambda: len(running.hall.received) == 30)
            assert [message.arguments[0] for message in running.hall.received] == list(range(30))
            client.send_text('420["echo",1]')
            assert await client.text() == "430[1]"

    async def test_so_does_who_polls(self) -> None:
        settings = SocketSettings(messages_per_second=10_000, waiting_messages=4)
        async with served(settings) as running:
            done = asyncio.Event()

            async def slow(_socket: Socket, message: Incoming) -> None:
                await done.wait()

            running.hall.answering["slow"] = slow
            poller = await running.poller()
            sending = asyncio.create_task(poller.post(*(f'42["slow",{number}]' for number in range(20))))
            await asyncio.sleep(0.1)
            assert not sending.done()
            done.set()
            assert await sending == "ok"
            await until(lambda: len(running.hall.received) == 20)

    async def test_a_client_that_does_not_read_is_dropped_and_holds_up_nobody(self) -> None:
        async with served(SocketSettings(write_buffer=65536)) as running:
            slow = await running.client()
            other = await running.client()
            for client in (slow, other):
                client.send_text('420["join","a"]')
                assert await client.text() == '430["joined"]'
            for _ in range(400):
                running.sockets.broadcast("a", "said", "x" * 60_000)
                assert len(await other.text()) > 60_000
                if running.hall.closings:
                    break
            assert running.hall.reasons == [CloseReason.SLOW]
            assert running.hall.closings[0][0] is not running.hall.opened_sockets[1]
            assert len(running.sockets) == 1


def _is_paused(running: Served) -> bool:
    [socket] = running.sockets._registry
    return socket._reading_paused


async def client_is_closed(client: Client) -> None:
    """Read until the close frame, whatever comes before."""
    while (await client.frame())[0] != 8:
        pass
