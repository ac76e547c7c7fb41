"""Whose a room is: a component's own, or the house's."""

from headwater.boot.binding import is_app
from headwater.boot.errors import MissingPart, NotForApps
from headwater.boot.parts import Parts
from headwater.kernel.component import Component, Components
from headwater.kernel.models import Event
from headwater.kernel.sockets import OwnRooms, Sockets, must_be_owner, own_room

USER_ROOM = "user:"
"""Before a user's id: the room of all his sockets."""
ROLE_ROOM = "role:"
"""Before a role: the room of all sockets of those who have it."""


class Owners:
    """Knows the component that a class belongs to, by the package it stands in."""

    def __init__(self, components: Components) -> None:
        for component in components:
            must_be_owner(component.name)
        self._packages = {component.package: component for component in components}

    def find(self, kind: type) -> Component | None:
        """The component of a class; None for the house's own."""
        package = kind.__module__
        while package and package not in self._packages:
            package = package.rpartition(".")[0]
        return self._packages.get(package)

    def audience(self, event: Event) -> tuple[str, ...]:
        """The rooms that hear of an event: users' and roles' by their names, others are those of its component."""
        owner = self.find(type(event))
        return tuple(
            room if owner is None or room.startswith((USER_ROOM, ROLE_ROOM)) else own_room(owner.name, room)
            for room in event.audience()
        )


def lend_rooms(parts: Parts, components: Components) -> None:
    """Let every component have rooms of its own, and no app all sockets."""
    sockets, owners = parts.find(Sockets), Owners(components)

    def own_rooms(asker: type) -> OwnRooms:
        owner = owners.find(asker)
        if owner is None:
            raise MissingPart(owner=asker.__name__, kind=OwnRooms.__name__)
        return OwnRooms(sockets, owner.name)

    def must_be_no_app(asker: type) -> None:
        owner = owners.find(asker)
        if owner is not None and is_app(owner):
            raise NotForApps(owner=asker.__name__, app=owner.name, kind=Sockets.__name__, instead=OwnRooms.__name__)

    parts.add(owners)
    parts.make_each(OwnRooms, own_rooms)
    parts.keep_from(Sockets, must_be_no_app)
