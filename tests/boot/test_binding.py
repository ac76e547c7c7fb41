"""Joins what components declare to the instances that do it."""

from dataclasses import dataclass

import pytest

from headwater.boot.binding import lay_routes
from headwater.boot.errors import ClashingRoutes, UnknownApp
from headwater.boot.parts import Parts
from headwater.boot.routes import Routes
from headwater.boot.settings import Settings
from headwater.flow import FlowSettings, Request
from headwater.kernel.component import Access, Component, Components, Endpoint, Limit, Mode
from headwater.kernel.errors import UnknownEndpoint

OWN = (Limit(name="a", count=1, seconds=1), Limit(name="p", count=1, seconds=1, by="principal"))


@dataclass(frozen=True)
class Verbs:
    """Operations of every component of this test."""

    settings: FlowSettings

    async def look(self, _tx: object, _principal: object, _body: object) -> object:
        """An operation."""
        return self

    async def lock(self, _tx: object, _principal: object, _body: object) -> object:
        """A guard."""
        return self


def component(name: str, *paths: str, floor: str = "platform", guard: bool = False) -> Component:
    endpoints = tuple(
        Endpoint(
            method="GET",
            path=path,
            operation=Verbs.look,
            guard=Verbs.lock if guard else None,
            access=Access.ANYONE,
            transaction=Mode.NONE,
            limits=OWN,
        )
        for path in paths
    )
    return Component(name=name, package=f"headwater.{floor}.{name}", operations=Verbs, endpoints=endpoints)


def lay(*components: Component, root_app: str | None = None) -> Routes:
    parts = Parts(Settings({}))
    return lay_routes(parts, Components(components), parts.find(FlowSettings), root_app)


async def _nobody() -> None:
    raise AssertionError


def serves(routes: Routes, path: str) -> bool:
    try:
        routes.find(Request("GET", path, "", {}, "", _nobody))
    except UnknownEndpoint:
        return False
    return True


def test_the_platform_is_served_as_declared_and_an_app_below_its_name() -> None:
    routes = lay(component("system", "/api/x"), component("notes", "/notes", floor="apps"))
    assert [serves(routes, path) for path in ("/api/x", "/apps/notes/notes", "/notes", "/apps/system/api/x")] == [
        True,
        True,
        False,
        False,
    ]


def test_the_root_app_is_served_from_the_root_too_and_wins_there() -> None:
    system = component("system", "/health", "/ready")
    notes = component("notes", "/health", floor="apps", guard=True)
    for order in ((system, notes), (notes, system)):
        routes = lay(*order, root_app="notes")
        assert serves(routes, "/ready") and serves(routes, "/apps/notes/health")
        assert routes.find(Request("GET", "/health", "", {}, "", _nobody)).guard is not None


def test_a_clash_refuses_the_start() -> None:
    with pytest.raises(ClashingRoutes, match=r"GET /x is declared by Verbs\.look and by Verbs\.look"):
        lay(component("one", "/x"), component("two", "/x"))


@pytest.mark.parametrize("name", ["nothing", "system"])
def test_an_app_that_is_not_installed_refuses_the_start(name: str) -> None:
    with pytest.raises(UnknownApp, match=f"no app named {name}: installed are notes"):
        lay(component("system", "/x"), component("notes", floor="apps"), root_app=name)


def test_operations_are_bound_to_one_instance_and_the_houses_limits_come_first() -> None:
    routes = lay(component("system", "/x", "/y", guard=True))
    bound = [routes.find(Request("GET", path, "", {}, "", _nobody)) for path in ("/x", "/y")]
    owners = {id(getattr(each, "__self__", None)) for found in bound for each in (found.operation, found.guard)}
    assert len(owners) == 1
    assert [limit.name for limit in bound[0].address_limits] == ["address", "a"]
    assert [limit.name for limit in bound[0].principal_limits] == ["principal", "p"]
    assert {limit.by for limit in bound[0].principal_limits} == {"principal"}
    assert bound[0].address_limits[0].count == FlowSettings().requests_per_minute
