"""Gathers what components tell of themselves."""

from headwater.boot.binding import bound
from headwater.boot.parts import Parts
from headwater.kernel.component import BoundDescription, Components, Descriptions


def add_descriptions(parts: Parts, components: Components) -> None:
    """Let `Descriptions` know what components declare."""
    known = parts.find(Descriptions)
    for component in components:
        for declared in component.descriptions:
            describe = bound(parts, component, declared.operation)
            known.add(BoundDescription(name=declared.name, describe=describe))
