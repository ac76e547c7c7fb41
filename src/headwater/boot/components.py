"""Finds every component: under platform/ and apps/, and installed ones by entry point."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pkgutil import iter_modules

from headwater.kernel.component import Component, Components
from headwater.kernel.database import Migration, read_migrations

FLOORS = ("headwater.platform", "headwater.apps")
ENTRY_POINT_GROUP = "headwater.components"
KERNEL_MODULES = ("database", "vault", "mail", "events", "jobs")
"""The kernel's modules with tables of their own, in the order their migrations run."""


def find_components() -> Components:
    """Every component of the house, the platform's first, then the apps, then plug-ins; each group by name.

    A plug-in is a package whose `COMPONENT` is named by an entry point of the group `headwater.components`.
    """
    found = [*_components_of(FLOORS[0]), *_components_of(FLOORS[1])]
    names = {component.name for component in found}
    for entry_point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry_point: entry_point.name):
        component: Component = entry_point.load()
        if component.name in names:
            raise ValueError(f"Two components are named {component.name}: uninstall or rename {entry_point.value}")
        names.add(component.name)
        found.append(component)
    return Components(found)


def find_migrations(components: Sequence[Component]) -> tuple[Migration, ...]:
    """The kernel's migrations, then those of the components."""
    kernel = (("kernel." + name, f"headwater.kernel.{name}") for name in KERNEL_MODULES if _exists(name))
    packages = (*kernel, *((component.name, component.package) for component in components))
    return tuple(migration for name, package in packages for migration in read_migrations(name, package))


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
