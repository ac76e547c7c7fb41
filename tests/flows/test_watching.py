"""The drawings "WebSocket Connection Flow" and "WebSocket Optimization"; docs/flows/watching.md."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from headwater.apps.scoreboard.delivery import Broadcaster
from headwater.apps.scoreboard.operations import Health
from headwater.flow import Reception
from headwater.kernel.sockets import Socket, Sockets
from headwater.kernel.sockets.attended import AttendedSocket
from headwater.kernel.sockets.packets import Bundle
from headwater.kernel.sockets.registry import Registry
from tests.flows.client import emitted, joined
from tests.flows.players import enter, hear, hear_score, part_of, told_room, watching
from tests.flows.trace import Trace, noting
from tests.kit.door import Door
from tests.kit.sockets import until

pytestmark = pytest.mark.asyncio(loop_scope="session")
ROOM = "scoreboard:default"


def delivered(_socket: AttendedSocket, _bundle: Bundle) -> str:
    """A step of a trace: one socket is written to, once for all that was told in a turn."""
    return "write: one socket"


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: who keeps the sockets, what they are told, the queue, the batch and the broadcast."""
    trace.watch(Reception, "opened")
    trace.watch(Reception, "closed")
    trace.watch(Sockets, "join", joined)
    trace.watch(Socket, "emit", emitted)
    trace.watch(Registry, "gone")
    trace.watch(Broadcaster, "mark")
    trace.watch(Broadcaster, "_tell_one", noting("batch: {1}"))
    trace.watch(Sockets, "broadcast", told_room)
    return trace


async def test_a_connection_is_kept_greeted_and_let_go_as_drawn(door: Door, trace: Trace) -> None:
    sockets = door.house.sockets
    with trace.following_everybody():
        async with watching(door) as client:
            status = await hear(client, "connection_status")
            await hear(client, "scoreboard_update")
            assert status["status"] == "connected"
            [kept] = [socket for socket in sockets if socket.id == status["connectionId"]]
            assert kept in sockets.members(ROOM)
            client.send_text('{"type":"ping"}')
            assert await hear(client, "pong") == {"connectionId": kept.id}
        await until(lambda: kept not in sockets.members(ROOM))
        await until(lambda: "call: Registry.gone" in trace.steps)
    trace.must_pass(
        "stage: limit",
        "stage: authenticate",
        "call: Reception.opened",
        "emit: connection_status",
        f"join: {ROOM}",
        "emit: scoreboard_update",
        "stage: validate",
        "emit: pong",
        "call: Reception.closed",
        "call: Registry.gone",
    )
    assert kept not in set(sockets)


async def test_what_a_client_says_is_repeated_to_nobody(door: Door, trace: Trace) -> None:
    async with watching(door) as one, watching(door) as other:
        for client in (one, other):
            await hear(client, "scoreboard_update")
        with trace.following_everybody():
            for said in ('{"type":"connection_status","data":{"userId":"mallory"}}', "not JSON", '{"type":"ping"}'):
                one.send_text(said)
            codes = {(await hear(one, "error"))["code"] for _ in range(2)}
            await hear(one, "pong")
        trace.must_not_pass("broadcast: *", "batch: *")
        assert codes == {"NOT_FOUND", "INVALID_INPUT"}
        other.send_text('{"type":"ping"}')
        assert (await other.json())["type"] == "pong", "the first that the other hears"


async def test_updates_are_queued_gathered_and_broadcast(door: Door, trace: Trace) -> None:
    players = [await enter(door, f"in-a-burst-{number}") for number in range(6)]
    async with watching(door) as one, watching(door) as other:
        clients = (one, other)
        for client in clients:
            await hear(client, "scoreboard_update")
        with trace.following_everybody():
            await asyncio.gather(*(player.play(900 + number) for number, player in enumerate(players, 1)))
            for client in clients:
                await hear_score(client, players[-1], 906)
    marks = [step for step in trace.steps if step == "call: Broadcaster.mark"]
    batches = [step for step in trace.steps if step == "batch: default"]
    assert len(marks) == 6
    assert 1 <= len(batches) <= 3, "a tenth of a second apart, the last one with the newest"
    trace.must_pass("call: Broadcaster.mark", "batch: default", f"broadcast: {ROOM}")


async def test_each_client_is_written_to_once_for_all_that_a_turn_tells(door: Door) -> None:
    writes: list[int] = []
    async with watching(door) as one, watching(door) as other:
        for client in (one, other):
            await hear(client, "scoreboard_update")
        members: Any = door.house.sockets.members(ROOM)
        for socket in members:
            transport = socket._wire.transport
            write = transport.write

            def count(told: bytes, write: Callable[[bytes], None] = write) -> None:
                writes.append(len(told))
                write(told)

            transport.write = count
        for number in range(5):
            door.house.sockets.broadcast(ROOM, "probe", {"data": number})
        heard = [[await hear(client, "probe") for _ in range(5)] for client in (one, other)]
    assert heard == [[0, 1, 2, 3, 4]] * 2
    assert len(writes) == 2, "five messages, two watchers, two writes"


async def test_the_house_knows_who_watches(door: Door) -> None:
    health = part_of(door, "/health", Health)
    before = len(health.rooms)
    async with watching(door) as client:
        await hear(client, "scoreboard_update")
        assert len(health.rooms) == before + 1
