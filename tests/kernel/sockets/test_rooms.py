"""Order, joined writes and exact audiences."""

import asyncio
from random import Random

import pytest
from typing_extensions import override

from headwater.kernel.sockets import CloseReason, Packet, Socket
from headwater.kernel.sockets.packets import Bundle
from headwater.kernel.sockets.rooms import AT_ONCE, Rooms
from tests.kit.sockets import RememberingSocket


class Ear(RememberingSocket):
    """A socket that remembers: `writes` are the events of each write."""

    __slots__ = ("writes",)

    def __init__(self, rooms: Rooms) -> None:
        super().__init__(rooms, "/", "")
        self.writes: list[list[object]] = []

    @override
    def close(self, reason: CloseReason, message: str = "") -> None:
        self.connected = False
        self._post.withdraw(self)

    @override
    def deliver(self, bundle: Bundle) -> None:
        if self.connected:
            self.writes.append([packet.event for packet in bundle.packets])

    @property
    def heard(self) -> list[object]:
        """Every event, in its order."""
        return [event for write in self.writes for event in write]


def quiet_rooms() -> Rooms:
    """Rooms in which nothing unforeseen may happen."""

    def blame(failure: BaseException) -> None:
        raise failure

    return Rooms(blame)


def ears(rooms: Rooms, count: int, *joined: str) -> list[Ear]:
    """So many sockets, in these rooms."""
    made = [Ear(rooms) for _ in range(count)]
    for ear in made:
        for room in joined:
            rooms.join(ear, room)
    return made


def tell(rooms: Rooms, room: str, event: object, besides: Socket | None = None) -> int:
    """Broadcast an event."""
    return rooms.broadcast(room, Packet(str(event), ()), besides)


async def written(rooms: Rooms) -> int:
    """Wait until everything is written; the turns it took."""
    turns = 0
    while rooms.waiting:
        await asyncio.sleep(0)
        turns += 1
    return turns


async def test_one_turns_events_are_one_write() -> None:
    rooms = quiet_rooms()
    [one, other] = ears(rooms, 2, "a")
    for event in range(8):
        assert tell(rooms, "a", event) == 2
    assert one.writes == []
    await written(rooms)
    assert one.writes == other.writes == [[str(event) for event in range(8)]]


async def test_where_several_are_joined_the_next_turns_join_them_for_a_while() -> None:
    rooms = quiet_rooms()
    [one] = ears(rooms, 1, "a")
    tell(rooms, "a", "alone")
    await asyncio.sleep(0)
    assert one.writes == [["alone"]]
    told = 0
    while len(one.writes) == 1:
        tell(rooms, "a", told)
        tell(rooms, "a", told + 1)
        told += 2
        await asyncio.sleep(0)
        assert told < 20
    assert told > 4
    assert one.writes[1] == [str(event) for event in range(told)]


async def test_nobody_hears_of_a_room_he_is_not_in() -> None:
    rooms = quiet_rooms()
    [one] = ears(rooms, 1, "a")
    [other] = ears(rooms, 1, "b")
    assert tell(rooms, "nowhere", 1) == 0
    assert tell(rooms, "a", 1) == 1
    await written(rooms)
    assert (one.heard, other.heard) == (["1"], [])
    assert rooms.members("nowhere") == set() and rooms.members("a") == {one}


async def test_who_joins_hears_only_what_is_told_afterwards() -> None:
    rooms = quiet_rooms()
    [one, other] = ears(rooms, 2)
    rooms.join(one, "a")
    tell(rooms, "a", 1)
    rooms.join(other, "a")
    tell(rooms, "a", 2)
    await written(rooms)
    assert (one.heard, other.heard) == (["1", "2"], ["2"])


async def test_who_leaves_hears_nothing_more_not_even_what_was_told_before() -> None:
    rooms = quiet_rooms()
    [one, other] = ears(rooms, 2, "a", "b")
    tell(rooms, "a", "a1")
    tell(rooms, "b", "b1")
    rooms.leave(one, "a")
    rooms.join(one, "a")
    tell(rooms, "a", "a2")
    await written(rooms)
    assert one.heard == ["b1", "a2"]
    assert other.heard == ["a1", "b1", "a2"]


async def test_the_sender_may_be_spared() -> None:
    rooms = quiet_rooms()
    [one, other] = ears(rooms, 2, "a")
    tell(rooms, "a", 1)
    assert tell(rooms, "a", 2, besides=one) == 1
    tell(rooms, "a", 3)
    await written(rooms)
    assert (one.heard, other.heard) == (["1", "3"], ["1", "2", "3"])


async def test_what_is_said_to_one_stands_behind_what_was_told_to_all() -> None:
    rooms = quiet_rooms()
    [one, other] = ears(rooms, 2, "a")
    one.emit("first")
    assert one.writes == [["first"]], "nothing is before it: it is written at once"
    tell(rooms, "a", 1)
    one.emit("second")
    one.emit("third")
    tell(rooms, "a", 2)
    await written(rooms)
    assert one.writes == [["first"], ["1"], ["second", "third"], ["2"]]
    assert other.heard == ["1", "2"]
    one.emit("fourth")
    assert one.heard[-1] == "fourth"


async def test_strangers_do_not_wait_for_a_room() -> None:
    rooms = quiet_rooms()
    ears(rooms, 1, "a")
    [stranger] = ears(rooms, 1, "b")
    tell(rooms, "a", 1)
    stranger.emit("now")
    assert stranger.heard == ["now"]


async def test_many_are_written_to_in_parts() -> None:
    rooms = quiet_rooms()
    crowd = ears(rooms, 2 * AT_ONCE + 1, "a")
    tell(rooms, "a", 1)
    await asyncio.sleep(0)
    assert sum(len(ear.writes) for ear in crowd) == AT_ONCE
    late = next(ear for ear in crowd if not ear.writes)
    early = next(ear for ear in crowd if ear.writes)
    late.emit("after")
    tell(rooms, "a", 2)
    rooms.leave(early, "a")
    await written(rooms)
    assert late.heard == ["1", "after", "2"]
    assert early.heard == ["1"]
    assert all(ear.heard == ["1", "2"] for ear in crowd if ear not in (late, early))


async def test_who_has_gone_hears_nothing_and_is_nowhere() -> None:
    rooms = quiet_rooms()
    [one, other] = ears(rooms, 2, "a", "b")
    tell(rooms, "a", 1)
    one.close(CloseReason.CLIENT)
    one.emit("lost")
    rooms.join(one, "a")
    await written(rooms)
    assert (one.heard, other.heard) == ([], ["1"])
    assert one.rooms == set() and rooms.members("a") == {other}
    other.close(CloseReason.CLIENT)
    assert not rooms.members("b")
    assert rooms._rooms == {}


async def test_what_was_told_can_be_written_before_the_end() -> None:
    rooms = quiet_rooms()
    [one, other] = ears(rooms, 2, "a", "b")
    tell(rooms, "a", 1)
    tell(rooms, "b", 2)
    one.emit("last")
    rooms.write_now(one)
    assert (one.heard, other.heard) == (["1", "2", "last"], [])
    tell(rooms, "b", 3)
    await written(rooms)
    assert one.heard == ["1", "2", "last", "3"]
    assert other.heard == ["1", "2", "3"]


async def test_any_history_is_heard_as_it_was_told(seeded: Random) -> None:
    rooms = quiet_rooms()
    crowd = ears(rooms, 12)
    expected: dict[Ear, list[object]] = {ear: [] for ear in crowd}
    places = "abc"
    for step in range(6000):
        ear, room = seeded.choice(crowd), seeded.choice(places)
        match seeded.randrange(10):
            case 0 | 1:
                rooms.join(ear, room)
            case 2 if not rooms.waiting:
                rooms.leave(ear, room)
            case 3 | 4:
                ear.emit(str(step))
                expected[ear].append(str(step))
            case 5:
                await asyncio.sleep(0)
            case 6:
                tell(rooms, room, step, besides=ear)
                for each in rooms.members(room):
                    if each is not ear:
                        expected[each].append(str(step))  # pyright: ignore[reportArgumentType] - every socket here is an ear
            case _:
                for each in rooms.members(room):
                    expected[each].append(str(step))  # pyright: ignore[reportArgumentType]
                tell(rooms, room, step)
    await written(rooms)
    for ear in crowd:
        assert ear.heard == expected[ear]
    assert rooms._awaited == {}


async def test_what_cannot_be_told_is_the_tellers_failure_alone() -> None:
    rooms = quiet_rooms()
    [one] = ears(rooms, 1, "a")
    for room in ("a", "nowhere"):
        with pytest.raises(TypeError):
            rooms.broadcast(room, Packet("said", (object(),)))
    tell(rooms, "a", 1)
    with pytest.raises(TypeError):
        one.emit("said", object())
    tell(rooms, "a", 2)
    await written(rooms)
    assert one.heard == ["1", "2"]


async def test_what_fails_for_one_is_no_others_loss() -> None:
    failures: list[BaseException] = []
    rooms = Rooms(failures.append)
    crowd = ears(rooms, 3, "a")
    broken = crowd[1]
    broken.writes = None  # pyright: ignore[reportAttributeAccessIssue] - whatever it writes to is gone
    tell(rooms, "a", 1)
    await written(rooms)
    assert crowd[0].heard == crowd[2].heard == ["1"]
    assert [type(failure) for failure in failures] == [AttributeError]


async def test_several_rooms_are_told_once_each_socket() -> None:
    rooms = quiet_rooms()
    [one] = ears(rooms, 1, "a", "b")
    [other] = ears(rooms, 1, "b")
    [third] = ears(rooms, 1, "c")
    tell(rooms, "a", "before")
    assert rooms.broadcast_to_all(["a", "b", "a", "nowhere"], Packet("both", ())) == 2
    assert rooms.broadcast_to_all(["nowhere"], Packet("none", ())) == 0
    assert rooms.broadcast_to_all(["c", "nowhere"], Packet("one", ())) == 1
    tell(rooms, "b", "after")
    one.emit("alone")
    await written(rooms)
    assert one.heard == ["before", "both", "after", "alone"]
    assert (other.heard, third.heard) == (["both", "after"], ["one"])


async def test_who_leaves_one_of_several_rooms_hears_what_the_other_is_told() -> None:
    rooms = quiet_rooms()
    stays, leaves = ears(rooms, 2, "a", "b")
    rooms.broadcast_to_all(["a", "b"], Packet("both", ()))
    rooms.leave(stays, "a")
    rooms.leave(leaves, "a")
    rooms.leave(leaves, "b")
    await written(rooms)
    assert (stays.heard, leaves.heard) == (["both"], [])
    assert rooms.waiting == 0 and rooms._awaited == {}
