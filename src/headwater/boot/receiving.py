"""Joins sockets to what components declare: which messages are understood at which path, and who receives there."""

from collections.abc import Awaitable, Callable, Iterator

from headwater.boot.binding import bound, is_app, own_limits
from headwater.boot.errors import ClashingMessages, ClashingResumptions
from headwater.boot.parts import Parts
from headwater.flow import BoundMessage, FlowSettings
from headwater.kernel.component import Access, Component, Components, PlainSocket, SocketMessage
from headwater.kernel.database import Transactions
from headwater.kernel.errors import UnknownMessage
from headwater.kernel.limits import Limit
from headwater.kernel.principal import Principal
from headwater.kernel.sockets import (
    PLATFORM_SOCKET_ENVELOPE,
    SOCKET_IO_PATH,
    Handshake,
    Resumed,
    Socket,
    SocketEnvelope,
)

Resume = Callable[[Transactions, Principal, Handshake], Awaitable[Resumed]]
Welcome = Callable[[Transactions, Socket, object], Awaitable[None]]


class Place:
    """The sockets of one path: what they may say, how they are refused and welcomed."""

    def __init__(self, path: str, form: PlainSocket | None = None) -> None:
        self.path = path
        self.form = form
        self.envelope: SocketEnvelope = PLATFORM_SOCKET_ENVELOPE if form is None else form.envelope
        self.resume: Resume | None = None
        self.resumed_by = ""
        self.welcomes: list[Welcome] = []
        self._messages: dict[str, BoundMessage] = {}

    @property
    def access(self) -> Access:
        """Who may open a socket here."""
        return Access.CALLER if self.form is None else self.form.access

    def add(self, message: BoundMessage) -> None:
        """Understand a message; raises `ClashingMessages`."""
        event = message.declared.event
        if event in self._messages:
            one, other = self._messages[event].declared.name, message.declared.name
            raise ClashingMessages(path=self.path, event=event, one=one, other=other)
        self._messages[event] = message

    def resume_with(self, component: str, resume: Resume) -> None:
        """Let a component say what clients go on with; raises `ClashingResumptions` where another does.

        One client shows one secret, and one of the two would not know it: it would begin anew, and miss what came.
        """
        if self.resume is not None:
            raise ClashingResumptions(path=self.path, one=self.resumed_by, other=component)
        self.resume, self.resumed_by = resume, component

    def find(self, event: str) -> BoundMessage:
        """What answers to an event; raises `UnknownMessage`."""
        message = self._messages.get(event)
        if message is None:
            raise UnknownMessage(event=event)
        return message


class Places:
    """Every path where sockets are opened, by its name with a slash at the end."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}

    def at(self, path: str, form: PlainSocket | None = None) -> Place:
        """The place at a path, new if there was none."""
        name = path if path.endswith("/") else f"{path}/"
        if name not in self._places:
            self._places[name] = Place(path, form)
        return self._places[name]

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places.values())


def lay_places(parts: Parts, components: Components, settings: FlowSettings, root_app: str | None) -> Places:
    """Every message at its paths: those of the platform and of the root app at `/socket.io/`, an app's below its own.

    A plain socket's path is the root app's if that declares it too. Raises `ClashingMessages`,
    `ClashingResumptions`.
    """
    places = Places()
    places.at(SOCKET_IO_PATH)
    at_root = {form.path for component in components if component.name == root_app for form in component.sockets}
    for component in components:
        prefixes = [f"/apps/{component.name}"] if is_app(component) else []
        if component.name == root_app or not is_app(component):
            prefixes.append("")
        for prefix in prefixes:
            if component.messages or component.welcome:
                _declare(places.at(prefix + SOCKET_IO_PATH), parts, component, component.messages, settings)
            for form in component.sockets:
                if prefix or component.name == root_app or form.path not in at_root:
                    _declare(places.at(prefix + form.path, form), parts, component, form.messages, settings)
    return places


def _declare(
    place: Place, parts: Parts, component: Component, messages: tuple[SocketMessage, ...], settings: FlowSettings
) -> None:
    pace = Limit(name="messages", count=settings.messages_per_minute, seconds=60, by="principal")
    for declared in messages:
        place.add(
            BoundMessage(
                declared=declared,
                operation=bound(parts, component, declared.operation),
                guard=None if declared.guard is None else bound(parts, component, declared.guard),
                limits=(pace, *own_limits(declared.limits, "principal", settings)),
            )
        )
    welcome = component.welcome if place.form is None else place.form.welcome
    if welcome is not None:
        place.welcomes.append(bound(parts, component, welcome))
    if place.form is None and component.resume is not None:
        place.resume_with(component.name, bound(parts, component, component.resume))
    if place.form is None and component.socket_envelope is not None:
        place.envelope = component.socket_envelope
