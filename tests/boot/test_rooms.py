"""Whose a room is: no app's name for one can mean another's, or the house's."""

from dataclasses import dataclass

import pytest

from headwater.boot.errors import MissingPart, NotForApps
from headwater.boot.parts import Parts
from headwater.boot.rooms import Owners, lend_rooms
from headwater.boot.settings import Settings
from headwater.kernel.component import Component, Components
from headwater.kernel.models import Event
from headwater.kernel.observe import Observer
from headwater.kernel.sockets import OwnRooms, Sockets, SocketSettings
from tests.platform.realtime.conftest import ANON, Ear


class Chat:
    """What an app keeps of its rooms."""

    def __init__(self, rooms: OwnRooms) -> None:
        self.rooms = rooms


class Board(Chat):
    """Another app's."""


class Greedy:
    """An app's class that wants every socket."""

    def __init__(self, sockets: Sockets) -> None:
        self.sockets = sockets


class Delivery(Greedy):
    """A class of the platform that does."""


class Stranger(Chat):
    """Of no component."""


@dataclass(frozen=True)
class Verbs:
    """Operations of the components of this test."""


Chat.__module__ = Greedy.__module__ = "headwater.apps.chat.rooms"
Board.__module__ = "headwater.apps.board.operations.watching"
Delivery.__module__ = "headwater.platform.realtime.delivery"
COMPONENTS = Components(
    Component(name=name, package=f"headwater.{floor}.{name}", operations=Verbs)
    for name, floor in (("realtime", "platform"), ("board", "apps"), ("chat", "apps"), ("chatter", "apps"))
)


class Shouted(Event, frozen=True, kw_only=True):
    """Somebody has shouted, in rooms by any names."""

    rooms: tuple[str, ...]

    def audience(self) -> tuple[str, ...]:
        """The rooms."""
        return self.rooms


@pytest.fixture
def sockets() -> Sockets:
    return Sockets(SocketSettings(), Observer())


@pytest.fixture
def parts(sockets: Sockets) -> Parts:
    made = Parts(Settings({}))
    made.add(sockets)
    lend_rooms(made, COMPONENTS)
    return made


@pytest.mark.parametrize("name", ["realtime:news", "user:1", "role:project_admin", "board:x", "x", ""])
async def test_a_room_that_an_app_names_is_its_own(parts: Parts, sockets: Sockets, name: str) -> None:
    chat, board = parts.find(Chat).rooms, parts.find(Board).rooms
    ours, theirs, everyones = (Ear(sockets, ANON) for _ in range(3))
    chat.join(ours, name)
    board.join(theirs, name)
    for room in (name, "realtime:news", "user:1", "role:project_admin"):
        sockets.join(everyones, room)

    assert (chat.broadcast(name, "said", 1), board.members(name)) == (1, {theirs})
    chat.leave(ours, name)
    assert (chat.broadcast(name, "said", 2), board.broadcast(name, "said", 3)) == (0, 1)
    for ear in (ours, theirs, everyones):
        sockets.write_now(ear)
    assert (ours.heard("said"), theirs.heard("said"), everyones.heard("said")) == ([], [3], [])


def test_no_app_gets_at_all_sockets_and_the_platform_does(parts: Parts, sockets: Sockets) -> None:
    with pytest.raises(NotForApps, match=r"Greedy of the app chat asks for Sockets, .* ask for OwnRooms"):
        parts.find(Greedy)
    assert parts.find(Delivery).sockets is sockets
    with pytest.raises(MissingPart):
        parts.find(Stranger)


@pytest.mark.parametrize("owner", ["user", "role", "a:b", ""])
def test_no_component_is_named_as_the_houses_rooms_are(sockets: Sockets, owner: str) -> None:
    with pytest.raises(ValueError, match="No component can be named"):
        OwnRooms(sockets, owner)
    with pytest.raises(ValueError, match="No component can be named"):
        Owners(Components([Component(name=owner, package="headwater.apps.it", operations=Verbs)]))


def test_an_events_rooms_are_its_components_but_for_users_and_roles(monkeypatch: pytest.MonkeyPatch) -> None:
    owners, told = Owners(COMPONENTS), Shouted(rooms=("realtime:news", "x", "user:1", "role:anon"))
    assert owners.audience(told) == told.rooms
    monkeypatch.setattr(Shouted, "__module__", "headwater.apps.chat.events")
    assert owners.audience(told) == ("chat:realtime:news", "chat:x", "user:1", "role:anon")
