"""Watchers are told at most so often, and always the newest at last; by a clock that the test moves."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.kernel.clock import DrivenClock
from headwater.kernel.errors import DatabaseUnavailable
from headwater.kernel.observe import Observer

from ..delivery import Broadcaster
from ..models import ScoreboardSettings


class Room:
    """Sockets that note what they are told, instead of a wire."""

    def __init__(self, clock: DrivenClock) -> None:
        self.clock = clock
        self.told: list[tuple[float, str, bytes]] = []
        self.joined: list[str] = []

    def members(self, _room: str) -> bool:
        return True

    def join(self, _socket: object, room: str) -> None:
        self.joined.append(room)

    def broadcast(self, room: str, _event: str, told: dict[str, Any]) -> None:
        self.told.append((self.clock.timestamp(), room, bytes(told["data"])))


class Watcher:
    """One socket."""

    def __init__(self) -> None:
        self.told: list[bytes] = []
        self.gone: list[Any] = []

    def when_closed(self, callback: Any) -> None:
        self.gone.append(callback)

    def emit(self, _event: str, told: dict[str, Any]) -> None:
        self.told.append(bytes(told["data"]))


class World:
    """A board whose places are a number."""

    def __init__(self, rate: float = 10.0) -> None:
        self.clock = DrivenClock()
        self.room = Room(self.clock)
        self.value = 0
        self.failing = 0
        told_to: Any = self.room
        self.broadcaster = Broadcaster(told_to, self.clock, Observer(), ScoreboardSettings(updates_per_second=rate))
        self.broadcaster._view = self.view

    async def view(self, board: str) -> bytes | None:
        await asyncio.sleep(0)
        if self.failing:
            self.failing -= 1
            raise DatabaseUnavailable
        return None if board == "gone" else str(self.value).encode()

    def change(self, board: str = "arena") -> None:
        self.value += 1
        self.broadcaster.mark(board)

    @property
    def values(self) -> list[int]:
        return [int(data) for _, _, data in self.room.told]


@given(st.lists(st.floats(0, 0.4), min_size=1, max_size=30), st.sampled_from([1.0, 3.0, 10.0]))
@settings(max_examples=60)
def test_a_burst_becomes_few_messages_and_the_last_change_is_told(pauses: list[float], rate: float) -> None:
    async def play() -> None:
        world = World(rate)
        for pause in pauses:
            world.clock.advance(pause)
            world.change()
            await world.broadcaster._tell()
        while (wait := await world.broadcaster._tell()) is not None:
            assert 0 < wait <= 1 / rate
            world.clock.advance(max(wait, 1e-6))
        assert world.values[-1] == world.value == len(pauses), "the newest at last"
        assert world.values == sorted(set(world.values)), "and nothing twice"
        at = [moment for moment, _, _ in world.room.told]
        for earlier, later in pairwise(at):
            assert later - earlier >= 1 / rate - 1e-5

    asyncio.run(play())


async def test_each_board_has_a_pause_of_its_own() -> None:
    world = World()
    world.change("arena")
    world.change("other")
    assert await world.broadcaster._tell() is None
    assert {room for _, room, _ in world.room.told} == {"arena", "other"}


async def test_what_could_not_be_read_is_told_when_it_can() -> None:
    world = World()
    world.failing = 1
    world.change("arena")
    with pytest.raises(DatabaseUnavailable):
        await world.broadcaster._tell()
    assert world.values == []
    world.clock.advance(0.1)
    await world.broadcaster._tell()
    assert world.values == [1], "without another change"


async def test_the_failure_of_one_board_is_not_anothers() -> None:
    world = World()
    world.failing = 1
    world.change("arena")
    world.change("other")
    with pytest.raises(DatabaseUnavailable):
        await world.broadcaster._tell()
    assert len(world.room.told) == 1


async def test_a_board_that_is_gone_is_told_to_nobody() -> None:
    world = World()
    world.change("gone")
    await world.broadcaster._tell()
    assert world.room.told == [] and world.broadcaster._told_at == {}


async def test_a_clock_that_is_put_back_holds_nobody_up() -> None:
    world = World()
    world.change()
    await world.broadcaster._tell()
    world.clock.advance(-3600)
    world.change()
    await world.broadcaster._tell()
    assert world.values == [1, 2]


async def test_who_comes_is_told_the_places_and_nothing_older_than_everybody() -> None:
    world, watcher, late = World(), Watcher(), Watcher()
    socket: Any = watcher
    await world.broadcaster.join(socket, "arena")
    assert (watcher.told, world.broadcaster.watchers) == ([b"0"], 1)

    loaded, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_board: str) -> bytes:
        seen = str(world.value).encode()
        loaded.set()
        await go_on.wait()
        return seen

    world.broadcaster._view = slow
    socket = late
    joining = asyncio.ensure_future(world.broadcaster.join(socket, "arena"))
    await loaded.wait()
    world.broadcaster._view = world.view
    world.change()
    await world.broadcaster._tell()
    go_on.set()
    await joining
    assert (late.told, world.values) == ([], [1]), "he was in the room already when the newest was told"
    for callback in (*watcher.gone, *late.gone):
        callback()
    assert world.broadcaster.watchers == 0
