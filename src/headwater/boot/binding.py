"""Joins what components declare to the instances that do it."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from headwater.boot.errors import UnknownApp
from headwater.boot.pages import PageSettings, read_kit, read_page
from headwater.boot.parts import Parts
from headwater.boot.routes import Routes
from headwater.flow import BoundEndpoint, FlowSettings
from headwater.kernel.component import Component, Components, Endpoint, Limit

PLATFORM = "headwater.platform."


def bound(parts: Parts, component: Component, operation: Callable[..., Any]) -> Callable[..., Any]:
    """An operation as a method of the one instance of its class."""
    name = operation.__name__
    owner = next(kind for kind in component.operation_classes if getattr(kind, name, None) is operation)
    instance: object = parts.find(owner)
    return getattr(instance, name)


def bind(parts: Parts, component: Component, endpoint: Endpoint, settings: FlowSettings) -> BoundEndpoint:
    """An endpoint ready to run, with the house's own limits before its own."""
    return BoundEndpoint(
        declared=endpoint,
        operation=bound(parts, component, endpoint.operation),
        guard=None if endpoint.guard is None else bound(parts, component, endpoint.guard),
        address_limits=(house_limit("address", settings), *own_limits(endpoint.limits, "address", settings)),
        principal_limits=(house_limit("principal", settings), *own_limits(endpoint.limits, "principal", settings)),
    )


def lay_routes(parts: Parts, components: Components, settings: FlowSettings, root_app: str | None) -> Routes:
    """Every endpoint and every page at its paths: the platform's as declared, an app's under `/apps/<name>`.

    The root app's are served from the root too, and win there. Raises `UnknownApp`, `ClashingRoutes`, `MissingPage`.
    """
    apps = {component.name for component in components if is_app(component)}
    if root_app is not None and root_app not in apps:
        raise UnknownApp(name=root_app, installed=", ".join(sorted(apps)) or "none")
    routes = Routes()
    for_everyone, pages = (house_limit("address", settings),), parts.find(PageSettings)
    for component in sorted(components, key=lambda component: component.name != root_app):
        at_root = component.name == root_app or not is_app(component)
        for place, envelope in component.envelopes.items():
            routes.wrap(f"/apps/{component.name}{place}" if is_app(component) else place, envelope)
            if at_root:
                routes.wrap(place, envelope)
        for declared in component.endpoints:
            endpoint = bind(parts, component, declared, settings)
            if is_app(component):
                routes.add(f"/apps/{component.name}{declared.path}", endpoint)
            if at_root:
                routes.add(declared.path, endpoint, yields=root_app is not None)
        if component.page is not None:
            place = f"/apps/{component.name}" if is_app(component) else f"/{component.name}"
            page = read_page(component, place, for_everyone, pages)
            page.lay(routes, place)
            if component.name == root_app:
                page.lay(routes, "")
    read_kit(for_everyone, pages).lay(routes, "/web/kit")
    return routes


def is_app(component: Component) -> bool:
    """Whether a component is a product, and no part of the platform."""
    return not component.package.startswith(PLATFORM)


def house_limit(by: Literal["address", "principal"], settings: FlowSettings) -> Limit:
    """How often anybody may ask for anything."""
    return Limit(name=by, count=settings.requests_per_minute, seconds=60, by=by)


def own_limits(
    declared: tuple[Limit, ...], by: Literal["address", "principal"], settings: FlowSettings
) -> tuple[Limit, ...]:
    """What an endpoint, or a message, adds to the house's limits."""
    return tuple(
        msgspec.structs.replace(limit, count=max(1, round(limit.count * settings.limits_factor)))
        for limit in declared
        if limit.by == by
    )
