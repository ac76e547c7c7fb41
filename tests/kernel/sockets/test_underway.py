"""Messages whose outcome takes its time: the next of their kind begin meanwhile, and all are answered in order."""

import asyncio

from headwater.kernel.sockets import Acknowledgement, CloseReason, Incoming, Socket, SocketSettings, Underway
from tests.kit.sockets import Client, Served, served, until


class Slow:
    """Answers `slow` when a test says so; a number that is even is refused at once."""

    def __init__(self, running: Served) -> None:
        self.begun: list[object] = []
        self.outcomes: dict[object, asyncio.Future[Acknowledgement | None]] = {}
        running.hall.answering["slow"] = self.begin  # pyright: ignore[reportArgumentType]

    async def begin(
        self, _socket: Socket, message: Incoming
    ) -> Acknowledgement | Underway[Acknowledgement | None] | None:
        number = message.arguments[0]
        self.begun.append(number)
        if number in ("no", "quiet"):
            return Acknowledgement(("refused",)) if number == "no" else None
        outcome = self.outcomes[number] = asyncio.get_running_loop().create_future()
        return Underway(outcome)

    def settle(self, *numbers: object) -> None:
        """Let messages have their outcome."""
        for number in numbers:
            self.outcomes[number].set_result(Acknowledgement((number,)))


async def ask(client: Client, *events: str) -> None:
    for number, event in enumerate(events):
        client.send_text(f"42{number}{event}")


async def test_acknowledgements_come_in_the_order_sent_whatever_ends_first() -> None:
    async with served() as running:
        slow, client = Slow(running), await running.client()
        await ask(client, '["slow",1]', '["slow",2]', '["slow","no"]', '["slow",3]')
        await until(lambda: slow.begun == [1, 2, "no", 3])
        slow.settle(3, 2)
        await asyncio.sleep(0)
        slow.settle(1)
        assert [await client.text() for _ in range(4)] == ["430[1]", "431[2]", '432["refused"]', "433[3]"]


async def test_another_event_waits_until_all_of_them_have_their_outcome() -> None:
    async with served() as running:
        slow, client = Slow(running), await running.client()
        await ask(client, '["slow",1]', '["slow",2]', '["echo","behind"]', '["slow",3]')
        await until(lambda: slow.begun == [1, 2])
        slow.settle(2)
        await asyncio.sleep(0.01)
        assert [each.event for each in running.hall.received] == ["slow", "slow"]
        slow.settle(1)
        assert [await client.text() for _ in range(3)] == ["430[1]", "431[2]", '432["behind"]']
        await until(lambda: 3 in slow.outcomes)
        slow.settle(3)
        assert await client.text() == "433[3]"


async def test_one_that_fails_is_nobody_elses_loss() -> None:
    async with served() as running:
        slow, client = Slow(running), await running.client()
        await ask(client, '["slow",1]', '["slow","quiet"]', '["slow",2]')
        await until(lambda: slow.begun == [1, "quiet", 2])
        slow.outcomes[1].set_exception(ZeroDivisionError())
        slow.settle(2)
        assert await client.text() == "432[2]"


async def test_no_more_are_underway_than_may_wait() -> None:
    async with served(SocketSettings(waiting_messages=3)) as running:
        slow, client = Slow(running), await running.client()
        await ask(client, *[f'["slow",{number}]' for number in range(5)])
        await until(lambda: slow.begun == [0, 1, 2])
        slow.settle(1)
        await asyncio.sleep(0.01)
        assert slow.begun == [0, 1, 2]
        slow.settle(0)
        await until(lambda: slow.begun == [0, 1, 2, 3, 4])
        slow.settle(2, 3, 4)
        assert [await client.text() for _ in range(5)] == [f"43{number}[{number}]" for number in range(5)]


async def test_what_a_socket_sent_behind_is_not_begun_once_it_is_closed() -> None:
    async with served(SocketSettings(waiting_messages=2)) as running:
        slow, client = Slow(running), await running.client()
        await ask(client, *[f'["slow",{number}]' for number in range(4)])
        await until(lambda: slow.begun == [0, 1])
        [socket] = running.hall.opened_sockets
        socket.close(CloseReason.REVOKED)
        assert running.hall.closings == [], "it is seen out behind its last message"
        slow.settle(0, 1)
        await until(lambda: running.hall.closings == [(socket, CloseReason.REVOKED)])
        assert slow.begun == [0, 1]


async def test_what_a_client_sent_before_he_left_is_still_carried_out() -> None:
    async with served() as running:
        slow, client = Slow(running), await running.client()
        await ask(client, '["slow",0]', '["slow",1]')
        client.send_text("41")
        await until(lambda: slow.begun == [0, 1])
        slow.settle(1, 0)
        await until(lambda: running.hall.reasons == [CloseReason.CLIENT])
