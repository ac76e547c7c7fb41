"""Clients that poll: what they may ask, and what becomes of those who go in the middle."""

import asyncio

import httpx
import pytest

from headwater.kernel.models import RawRequest
from headwater.kernel.sockets import CloseReason, Incoming, Socket, SocketSettings, polling, registry
from tests.kit.sockets import SOCKET_PATH, Poller, served, until

QUICK = SocketSettings(ping_interval=0.25, ping_timeout=0.2, admission_seconds=30.0)


def raw_poll(poller: Poller) -> RawRequest:
    """A GET of this client, as the pipeline gives it to an operation."""
    query = "&".join(f"{name}={value}" for name, value in poller.query.items())
    return RawRequest(
        method="GET", path=SOCKET_PATH, parameters={}, query=query, headers={}, body=b"", address="127.0.0.1", id="1"
    )


async def test_a_head_opens_no_session() -> None:
    async with served() as running, httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as http:
        answer = await http.head(SOCKET_PATH, params={"EIO": "4", "transport": "polling"})
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
        assert len(running.sockets._registry) == 0


async def test_a_request_that_waits_for_room_is_answered_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert polling.LONGEST_HOLD + 5 < 30.0, "else the pipeline answers it, with 504"
    monkeypatch.setattr(polling, "LONGEST_HOLD", 0.05)
    async with served(SocketSettings(waiting_messages=2)) as running:
        release = asyncio.Event()

        async def linger(_socket: Socket, _message: Incoming) -> None:
            await release.wait()

        running.hall.answering["linger"] = linger
        poller = await running.poller()
        assert await poller.post(*['42["linger"]'] * 5) == "ok"
        assert not release.is_set() and running.hall.closings == []
        release.set()
        await until(lambda: len(running.hall.received) == 5)


class TestCutPoll:
    """A client that goes while it is answered."""

    async def test_a_client_may_come_back_for_what_a_cut_poll_waited_for(self) -> None:
        async with served() as running:
            poller = await running.poller()
            [socket] = running.hall.opened_sockets
            [session] = running.sockets._registry.polling.values()
            waiting = asyncio.create_task(poller.get())
            await until(lambda: session.queue is not None and session.queue.is_asked)
            waiting.cancel()
            await until(lambda: session.queue is not None and not session.queue.is_asked)
            socket.emit("now")
            assert await poller.get() == '42["now"]'
            assert running.hall.closings == []

    async def test_one_that_does_not_come_back_is_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(registry, "_MISSED", 0.1)
        async with served(QUICK) as running:
            poller = await running.poller()
            [session] = running.sockets._registry.polling.values()
            waiting = asyncio.create_task(poller.get())
            await until(lambda: session.queue is not None and session.queue.is_asked)
            running.sockets._registry.heartbeat.remove(session)  # else it may be found silent first
            waiting.cancel()
            await until(lambda: running.hall.reasons)
            assert running.hall.reasons == [CloseReason.LOST]
            assert len(running.sockets._registry) == 0

    async def test_what_was_not_written_is_told_again_and_once(self) -> None:
        async with served() as running:
            poller = await running.poller()
            [socket] = running.hall.opened_sockets
            asked = raw_poll(poller)
            socket.emit("one")
            cut = await running.sockets.read(asked)
            socket.emit("two")
            assert cut.sent is not None
            cut.sent(False)
            assert await poller.get() == '42["one"]\x1e42["two"]'
            socket.emit("three")
            assert await poller.get() == '42["three"]'
            assert running.hall.closings == []

    async def test_what_was_not_written_goes_on_by_websocket(self) -> None:
        async with served() as running:
            poller = await running.poller()
            [socket] = running.hall.opened_sockets
            socket.emit("one")
            cut = await running.sockets.read(raw_poll(poller))
            assert cut.sent is not None
            cut.sent(False)
            _, client = await running.upgrade(f"{SOCKET_PATH}?EIO=4&transport=websocket&sid={poller.sid}")
            client.send_text("2probe")
            await client.text()
            client.send_text("5")
            assert await client.text() == '42["one"]'
            cut.sent(True)
            socket.emit("two")
            assert await client.text() == '42["two"]'
            assert running.sockets._registry.heartbeat._later.get(poller.sid) is None, (
                "nothing ends it later for having been away"
            )

    async def test_the_last_word_waits_too(self) -> None:
        async with served() as running:
            poller = await running.poller()
            running.hall.opened_sockets[0].close(CloseReason.EXPIRED)
            cut = await running.sockets.read(raw_poll(poller))
            assert (cut.body, running.sockets._registry.polling != {}) == (b"1", True)
            assert await poller.get() == "1"
            assert running.sockets._registry.polling == {}
