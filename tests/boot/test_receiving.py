"""Which messages are understood at which path, and what refuses the start."""

from dataclasses import dataclass

import pytest

from headwater.boot.errors import ClashingMessages, ClashingResumptions
from headwater.boot.parts import Parts
from headwater.boot.receiving import Places, lay_places
from headwater.boot.settings import Settings
from headwater.flow import FlowSettings
from headwater.kernel.component import Access, Component, Components, Mode, SocketMessage
from headwater.kernel.errors import UnknownMessage
from headwater.kernel.sockets import SOCKET_IO_PATH

BELOW = f"/apps/chat{SOCKET_IO_PATH}"


@dataclass(frozen=True)
class Verbs:
    """Operations of every component of this test."""

    async def say(self, _tx: object, _principal: object, _body: object) -> object:
        """A message's operation."""
        return self

    async def resume(self, _transactions: object, _principal: object, _handshake: object) -> object:
        """What clients go on with."""
        return self


def component(name: str, *events: str, floor: str = "apps", resumes: bool = False) -> Component:
    return Component(
        name=name,
        package=f"headwater.{floor}.{name}",
        operations=Verbs,
        messages=tuple(
            SocketMessage(event=event, operation=Verbs.say, access=Access.CALLER, transaction=Mode.NONE)
            for event in events
        ),
        resume=Verbs.resume if resumes else None,
    )


def lay(*components: Component, root_app: str | None = None) -> Places:
    parts = Parts(Settings({}))
    return lay_places(parts, Components(components), parts.find(FlowSettings), root_app)


REALTIME = component("realtime", "subscribe", floor="platform", resumes=True)


def understands(places: Places, path: str, event: str) -> bool:
    try:
        places.at(path).find(event)
    except UnknownMessage:
        return False
    return True


def test_the_platform_speaks_at_the_root_and_an_app_below_its_name_until_it_is_the_roots() -> None:
    for root_app, heard in ((None, False), ("chat", True)):
        places = lay(REALTIME, component("chat", "shout"), root_app=root_app)
        assert understands(places, SOCKET_IO_PATH, "subscribe") and understands(places, BELOW, "shout")
        assert understands(places, SOCKET_IO_PATH, "shout") is heard
        assert not understands(places, BELOW, "subscribe")


def test_a_message_of_the_root_app_that_the_platform_has_too_refuses_the_start() -> None:
    with pytest.raises(ClashingMessages, match=r"The event subscribe on /socket\.io/ is declared by Verbs\.say and by"):
        lay(REALTIME, component("chat", "subscribe"), root_app="chat")
    lay(REALTIME, component("chat", "subscribe"))


def test_a_root_app_cannot_take_the_place_of_realtimes_recovery() -> None:
    chat = component("chat", "shout", resumes=True)
    for order in ((REALTIME, chat), (chat, REALTIME)):
        with pytest.raises(ClashingResumptions, match=r"On /socket\.io/ both \w+ and \w+ declare `resume`"):
            lay(*order, root_app="chat")
    places = lay(REALTIME, chat)
    assert (places.at(SOCKET_IO_PATH).resumed_by, places.at(BELOW).resumed_by) == ("realtime", "chat")
