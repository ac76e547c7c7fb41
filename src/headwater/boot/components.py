"""Finds every component: under platform/ and apps/, and installed ones by entry point."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pkgutil import iter_modules

from headwater.boot.errors import ClashingNames
from headwater.kernel.component import Component, Components
from headwater.kernel.database import Migration, read_migrations

FLOORS = ("headwater.platform", "headwater.apps")
ENTRY_POINT_GROUP = "headwater.components"
KERNEL_MODULES = ("database", "vault", "mail", "events", "jobs")
"""The kernel's modules with tables of their own, in the order their migrations run."""


def find_components() -> Components:
    """Every component of the house, the platform's first, then the apps, then plug-ins; each group by name.

    A plug-in is a package whose `COMPONENT` is named by an entry point of the group `headwater.components`. Raises
    `ClashingNames`.
    """
    found = [*_components_of(FLOORS[0]), *_components_of(FLOORS[1])]
    names = {component.name for component in found}
    for entry_point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry_point: entry_point.name):
        component: Component = entry_point.load()
        if component.name in names:
            raise ValueError(f"Two components are named {component.name}: uninstall or rename {entry_point.value}")
        names.add(component.name)
        found.append(component)
    must_be_told_apart(found)
    return Components(found)


def must_be_told_apart(components: Sequence[Component]) -> None:
    """Raises `ClashingNames` where two components declare something under one name (docs/decisions/0074)."""
    owners: dict[tuple[str, str], str] = {}
    for component in components:
        for kind, name in _names_of(component):
            owner = owners.setdefault((kind, name), component.name)
            if owner != component.name:
                raise ClashingNames(kind=kind, name=name, one=owner, other=component.name)


def find_migrations(components: Sequence[Component]) -> tuple[Migration, ...]:
    """The kernel's migrations, then those of the components."""
    kernel = (("kernel." + name, f"headwater.kernel.{name}") for name in KERNEL_MODULES if _exists(name))
    packages = (*kernel, *((component.name, component.package) for component in components))
    return tuple(migration for name, package in packages for migration in read_migrations(name, package))


def _names_of(component: Component) -> Iterator[tuple[str, str]]:
    yield from (("schema", schema) for schema in component.schemas)
    yield from (("event", event.__name__) for event in component.events)
    yield from (("job", job.name) for job in component.jobs)
    yield from (("timer", timer.name) for timer in component.timers)
    yield from (("consumer", consumer.name) for consumer in component.consumers)
    yield from (("follower", follower.name) for follower in component.followers)
    yield from (("metric", metric.name) for observation in component.observations for metric in observation.metrics)
    limited = (*component.endpoints, *component.messages)
    yield from (("limit", limit.name) for each in limited for limit in each.limits)


def _exists(kernel_module: str) -> bool:
    return find_spec(f"headwater.kernel.{kernel_module}") is not None


def _components_of(floor: str) -> Iterator[Component]:
    if find_spec(floor) is None:
        return
    package = import_module(floor)
    for module in sorted(iter_modules(package.__path__), key=lambda module: module.name):
        component = getattr(import_module(f"{floor}.{module.name}"), "COMPONENT", None)
        if isinstance(component, Component):
            yield component
