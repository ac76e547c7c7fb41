"""A request and its answer on a real connection: who is told that a client has gone, and that an answer was written."""

import asyncio

import pytest

from headwater.kernel.models import RawRequest, Reply
from tests.kit.house import SmallHouse, endpoint, serving
from tests.kit.sockets import until


class Slow:
    """An operation that answers when it is let, and hears of its client's end."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.asked = 0
        self.gone = 0
        self.sent: list[bool] = []

    async def answer(self, _tx: object, _principal: object, body: RawRequest) -> Reply:
        """Wait."""
        self.asked += 1
        assert body.hung_up is not None
        watching = asyncio.ensure_future(body.hung_up())
        watching.add_done_callback(self._note)
        await self.may_answer.wait()
        watching.cancel()
        return Reply(body=b"{}", sent=self.sent.append)

    def _note(self, watching: asyncio.Future[None]) -> None:
        self.gone += not watching.cancelled()


def house_of(slow: Slow) -> SmallHouse:
    """A house that has this operation alone."""
    return SmallHouse(*(endpoint(method, "/slow", slow.answer, body=RawRequest) for method in ("GET", "POST")))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_client_that_goes_is_noticed_and_its_answer_counts_as_unsent(method: str) -> None:
    slow = Slow()
    async with serving(house_of(slow)) as running:
        wire = await running.wire()
        body = b"abc" if method == "POST" else b""
        await wire.send(f"{method} /slow HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n", body)
        await until(lambda: slow.asked)
        assert slow.gone == 0
        await wire.close()
        await until(lambda: slow.gone)
        slow.may_answer.set()
        await until(lambda: slow.sent)
        assert slow.sent == [False]


async def test_an_answer_that_was_written_counts_as_sent() -> None:
    slow = Slow()
    slow.may_answer.set()
    async with serving(house_of(slow)) as running:
        wire = await running.wire()
        for count in (1, 2):
            assert (await wire.ask("/slow")).status == 200
            await until(lambda count=count: slow.sent == [True] * count)
        assert slow.gone == 0, "the connection is there"


async def test_the_first_of_two_requests_on_a_connection_that_breaks_is_unsent_too() -> None:
    slow = Slow()
    async with serving(house_of(slow)) as running:
        wire = await running.wire()
        await wire.send("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n" * 2)
        await until(lambda: slow.asked)
        await wire.close()
        await until(lambda: not running.server.server_state.connections)
        slow.may_answer.set()
        await until(lambda: slow.sent)
        assert slow.sent == [False]
