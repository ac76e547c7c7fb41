"""Joins what components declare to the instances that do it."""

from collections.abc import Callable
from typing import Any, Literal

from headwater.boot.errors import UnknownApp
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
        address_limits=(house_limit("address", settings), *_limits(endpoint, "address")),
        principal_limits=(house_limit("principal", settings), *_limits(endpoint, "principal")),
    )


def lay_routes(parts: Parts, components: Components, settings: FlowSettings, root_app: str | None) -> Routes:
    """Every endpoint at its paths: the platform's as declared, an app's under `/apps/<name>`.

    The root app's are served from the root too, and win there. Raises `UnknownApp`, `ClashingRoutes`.
    """
    apps = {component.name for component in components if is_app(component)}
    if root_app is not None and root_app not in apps:
        raise UnknownApp(name=root_app, installed=", ".join(sorted(apps)) or "none")
    routes = Routes()
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
    return routes


def is_app(component: Component) -> bool:
    """Whether a component is a product, and no part of the platform."""
    return not component.package.startswith(PLATFORM)


def house_limit(by: Literal["address", "principal"], settings: FlowSettings) -> Limit:
    """How often anybody may ask for anything."""
    return Limit(name=by, count=settings.requests_per_minute, seconds=60, by=by)


def _limits(endpoint: Endpoint, by: str) -> tuple[Limit, ...]:
    return tuple(limit for limit in endpoint.limits if limit.by == by)
