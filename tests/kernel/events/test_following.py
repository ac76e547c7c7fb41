"""Followers act on events on every node, once, and are healed of what they missed; rooms hear after them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, ClassVar, NamedTuple
from uuid import UUID, uuid4

import msgspec
import pytest

from headwater.kernel.bus import Bus, MessageTooLarge, PostgresBus
from headwater.kernel.database import Connect, Database
from headwater.kernel.errors import DatabaseUnavailable
from headwater.kernel.events import BoundFollower, Follower, Following
from headwater.kernel.events.notices import NOTICE_BYTES, Happening, read_notice, write_notices
from headwater.kernel.events.pieces import LARGEST, Assembly, cut
from headwater.kernel.models import Event
from headwater.kernel.observe import HookFailed, Observation, Observer
from tests.kernel.waiting import until


class BoardMoved(Event, frozen=True, kw_only=True):
    wire_name: ClassVar[str | None] = "board_moved"
    by: int
    who: UUID | None = None
    note: str = ""

    def audience(self) -> tuple[str, ...]:
        return ("board", f"user:{self.who}", "board") if self.who else ()


class BoardClosed(Event, frozen=True, kw_only=True):
    by: int

    def audience(self) -> tuple[str, ...]:
        if self.by == 0:
            raise ZeroDivisionError
        return ("board",)


class Moved(msgspec.Struct, frozen=True):
    by: int


class Node:
    """A process with a follower that writes down what it is told, and rooms that do."""

    def __init__(self, bus: Bus, observer: Observer, trail: list[str], name: str = "") -> None:
        self.trail = trail
        self.bus = bus
        self.name = name
        self.gaps = 0
        self.fails_at: set[int] = set()
        self.heals: asyncio.Event = asyncio.Event()
        self.heals.set()
        self.told: list[tuple[tuple[str, ...], str, Any]] = []
        self.moved: list[int] = []
        self.noted: list[int] = []
        declared = Follower(name="desk", of="BoardMoved", payload=Moved, operation=self.move, on_gap=self.heal)
        other = Follower(name="watch", of="BoardMoved", payload=Moved, operation=self.see)
        home = Follower(name="home", of="BoardMoved", payload=Moved, operation=self.note, elsewhere=False)
        followers = [
            BoundFollower(declared, self.move, self.heal),
            BoundFollower(other, self.see),
            BoundFollower(home, self.note),
        ]
        self.following = Following(bus, observer, followers, self.tell_rooms)

    async def move(self, payload: object) -> None:
        assert isinstance(payload, Moved)
        await asyncio.sleep(0)
        if payload.by in self.fails_at:
            raise ZeroDivisionError(payload.by)
        self.moved.append(payload.by)
        self.trail.append(f"{self.name} moved {payload.by}")

    async def see(self, payload: object) -> None:
        assert isinstance(payload, Moved)
        self.trail.append(f"{self.name} saw {payload.by}")

    async def note(self, payload: object) -> None:
        assert isinstance(payload, Moved)
        self.noted.append(payload.by)

    async def heal(self) -> None:
        await self.heals.wait()
        self.gaps += 1

    def tell_rooms(self, rooms: Any, event: str, payload: msgspec.Raw) -> None:
        self.told.append((tuple(rooms), event, msgspec.json.decode(payload)))
        self.trail.append(f"{self.name} told")


class Pair(NamedTuple):
    one: Node
    other: Node
    trail: list[str]


@pytest.fixture
async def pair(connector: Connect, database: Database, observer: Observer) -> AsyncIterator[Pair]:
    buses = [PostgresBus(connector, database, observer) for _ in range(2)]
    trail: list[str] = []
    for bus in buses:
        await bus.start()
    pair = Pair(Node(buses[0], observer, trail, "one"), Node(buses[1], observer, trail, "other"), trail)
    nodes = pair.one, pair.other
    for node in nodes:
        node.following.start()
    yield pair
    for node, bus in zip(nodes, buses, strict=True):
        await node.following.stop()
        await bus.stop()


async def test_followers_have_acted_before_rooms_and_others_hear(pair: Pair) -> None:
    one, other, trail = pair
    who = uuid4()
    await one.following.tell([BoardMoved(by=1, who=who), BoardMoved(by=2)])
    here = ["one moved 1", "one saw 1", "one moved 2", "one saw 2", "one told"]
    assert trail == here
    await until(lambda: other.told)
    assert trail == [*here, *(step.replace("one", "other") for step in here)]
    heard = [(("board", f"user:{who}"), "board_moved", {"by": 1, "who": str(who), "note": ""})]
    assert one.told == other.told == heard
    await asyncio.sleep(0.1)
    assert (one.moved, other.moved) == ([1, 2], [1, 2]), "nobody acts twice, on his own events or on others'"


async def test_a_follower_may_stay_at_home(pair: Pair) -> None:
    await pair.one.following.tell([BoardMoved(by=1)])
    await pair.other.following.tell([BoardMoved(by=2)])
    await until(lambda: 2 in pair.one.moved and 1 in pair.other.moved)
    assert (pair.one.noted, pair.other.noted) == ([1], [2])


async def test_nothing_is_said_of_what_nobody_follows_and_no_room_hears(pair: Pair) -> None:
    class Unheard(Event, frozen=True, kw_only=True):
        pass

    published = spied(pair.one)
    await pair.one.following.tell([Unheard()])
    await asyncio.sleep(0.05)
    assert published == [] and pair.trail == []


def spied(node: Node) -> list[bytes]:
    """What the node publishes from now on."""
    published: list[bytes] = []
    publish = node.bus.publish

    async def spy(topic: str, message: bytes = b"") -> None:
        published.append(message)
        await publish(topic, message)

    node.bus.publish = spy
    return published


async def test_a_commit_is_one_message(pair: Pair) -> None:
    published = spied(pair.one)
    await pair.one.following.tell([BoardMoved(by=number) for number in range(50)])
    await until(lambda: len(pair.other.moved) == 50)
    assert pair.other.moved == list(range(50)) and len(published) == 1


async def test_events_come_in_the_order_of_their_sender(pair: Pair) -> None:
    for number in range(200):
        await pair.one.following.tell([BoardMoved(by=number)])
    await until(lambda: len(pair.other.moved) == 200)
    assert pair.other.moved == list(range(200))


async def test_a_failure_is_told_and_healed_and_hinders_nobody(pair: Pair, observations: list[Observation]) -> None:
    one, other, trail = pair
    one.fails_at = other.fails_at = {1}
    await one.following.tell([BoardMoved(by=1), BoardMoved(by=2)])
    await until(lambda: other.moved == [2] and other.gaps == one.gaps == 1)
    assert [step for step in trail if "saw" in step] == ["one saw 1", "one saw 2", "other saw 1", "other saw 2"]
    failed = [seen for seen in observations if isinstance(seen, HookFailed)]
    assert [(each.part, type(each.failure)) for each in failed] == [("followers: desk", ZeroDivisionError)] * 2


async def test_an_event_that_cannot_say_whom_it_tells_hinders_nobody(
    pair: Pair, observations: list[Observation]
) -> None:
    await pair.one.following.tell([BoardClosed(by=0), BoardClosed(by=1), BoardMoved(by=2)])
    await until(lambda: pair.other.moved == [2])
    assert [event for _, event, _ in pair.other.told] == ["BoardClosed"]
    assert any(isinstance(seen, HookFailed) and seen.part == "followers: BoardClosed" for seen in observations)


async def test_an_event_too_large_for_a_message_of_the_bus_reaches_followers_and_rooms_elsewhere(pair: Pair) -> None:
    one, other, _ = pair
    who, notes = uuid4(), ["", "\N{SNOWMAN}" * NOTICE_BYTES, "", "y" * 300_000, ""]
    commits = [[BoardMoved(by=by, who=who, note=note)] for by, note in enumerate(notes)]
    await asyncio.gather(*(one.following.tell(commit) for commit in commits))
    await one.following.tell([BoardMoved(by=by, who=who, note=note) for by, note in enumerate(notes, 5)])
    await until(lambda: len(other.told) == 10)
    assert other.moved == list(range(10)) and (one.gaps, other.gaps) == (0, 0)
    assert [told["note"] for _, _, told in other.told] == notes * 2
    assert one.told == other.told


async def test_what_is_too_large_to_be_told_is_a_gap_elsewhere_and_no_loss_in_silence(
    pair: Pair, observations: list[Observation]
) -> None:
    one, other, _ = pair
    await one.following.tell([BoardMoved(by=1), BoardMoved(by=2, note="x" * LARGEST), BoardMoved(by=3)])
    assert one.moved == [1, 2, 3] and one.gaps == 0
    await until(lambda: other.gaps == 1)
    assert other.moved == [1, 3]
    [failed] = [seen for seen in observations if isinstance(seen, HookFailed)]
    assert isinstance(failed.failure, MessageTooLarge) and "BoardMoved" in str(failed.failure)


async def test_what_the_others_could_not_be_told_is_a_gap_for_them(pair: Pair) -> None:
    one, other, _ = pair
    publish, away = one.bus.publish, True

    async def unreliable(topic: str, message: bytes = b"") -> None:
        if away:
            raise DatabaseUnavailable
        await publish(topic, message)

    one.bus.publish = unreliable
    await one.following.tell([BoardMoved(by=1)])
    await asyncio.sleep(0.05)
    assert one.moved == [1] and other.gaps == 0
    away = False
    await until(lambda: other.gaps == 1)
    assert other.moved == [] and one.gaps == 0


async def test_a_gap_of_the_bus_is_healed_until_it_succeeds(
    connector: Connect, database: Database, observer: Observer
) -> None:
    bus = PostgresBus(connector, database, observer)
    callbacks: list[Callable[[], Any]] = []

    def note(callback: Callable[[], Any]) -> None:
        callbacks.append(callback)

    bus.on_gap = note
    node = Node(bus, observer, [])
    failures = [DatabaseUnavailable(), ZeroDivisionError()]
    healed: list[int] = []

    async def heal() -> None:
        if failures:
            raise failures.pop(0)
        healed.append(1)

    node.following._healings["BoardMoved"][0]._on_gap = heal
    [gap] = callbacks
    gap()
    await asyncio.sleep(0.05)
    assert healed == [], "before the start it waits"
    node.following.start()
    await until(lambda: healed == [1])
    gap()
    gap()
    await until(lambda: len(healed) == 2)
    await asyncio.sleep(0.6)
    assert len(healed) == 2
    await node.following.stop()


async def test_what_comes_before_the_start_waits_for_it(
    connector: Connect, database: Database, observer: Observer
) -> None:
    buses = [PostgresBus(connector, database, observer) for _ in range(2)]
    for bus in buses:
        await bus.start()
    one, late = (Node(bus, observer, []) for bus in buses)
    await one.following.tell([BoardMoved(by=1)])
    await asyncio.sleep(0.1)
    assert late.moved == []
    late.following.start()
    await until(lambda: late.moved == [1])
    assert late.gaps == 0
    for node in (one, late):
        await node.following.stop()
    for bus in buses:
        await bus.stop()


async def test_whoever_gives_up_waiting_stops_nothing(pair: Pair) -> None:
    one, other, _ = pair
    telling = asyncio.create_task(one.following.tell([BoardMoved(by=1), BoardMoved(by=2)]))
    await asyncio.sleep(0)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    await until(lambda: other.moved == [1, 2])
    assert one.moved == [1, 2]


def test_notices_are_as_few_as_hold_what_happened() -> None:
    happenings = [
        Happening("A", "a", (), msgspec.Raw(msgspec.json.encode({"n": number, "x": "y" * size})))
        for number, size in enumerate([2000, 2000, 2000, 6000, 10, 20, LARGEST, 30])
    ]
    messages, large = write_notices("me", happenings)
    notices = [read_notice(message) for message in messages]
    assert [len(notice.happenings) for notice in notices] == [2, 1, 1, 3]
    assert [notice.missed for notice in notices] == [(), (), (), ("A",)]
    assert large == [happenings[6]]
    assert all(len(message) < NOTICE_BYTES + 200 for nth, message in enumerate(messages) if nth != 2)


def test_pieces_are_put_together_by_sender_and_one_with_a_hole_is_given_up() -> None:
    notice, another = bytes(range(256)) * 100, b"x" * 5001
    assembly = Assembly()
    interleaved = [piece for both in zip(cut("a", 1, notice), cut("b", 1, notice), strict=True) for piece in both]
    whole = [each for piece in interleaved if (each := assembly.add(piece)) is not None]
    assert whole == [notice, notice]

    for lost in range(6):
        pieces = cut("a", 2 + lost, notice)
        assert len(pieces) == 6
        assert [assembly.add(piece) for nth, piece in enumerate(pieces) if nth != lost] == [None] * 5
        assert [assembly.add(piece) for piece in cut("a", 50 + lost, another)] == [None, another]


def test_those_who_never_come_to_an_end_are_forgotten() -> None:
    assembly, notice = Assembly(), b"x" * 5001
    for sender in range(100):
        assembly.add(cut(str(sender), 0, notice)[0])
    assert assembly.add(cut("0", 0, notice)[1]) is None
    assert assembly.add(cut("99", 0, notice)[1]) == notice
