"""Finding the endpoint of a request, among ten routes and among five hundred."""

import sys
from collections.abc import Awaitable
from itertools import cycle, islice
from statistics import median
from time import perf_counter
from typing import Any

from bench.kit.report import Promise, conclude
from headwater.boot.routes import Routes
from headwater.flow import BoundEndpoint, Request
from headwater.kernel.component import Access, Endpoint, Mode

FEW = 10
MANY = 500
ROUNDS = 15
MATCHES = 20_000

# The shapes of a real house: words alone, one parameter at the end, two with words between.
_SHAPES = ("/api/area{}/items", "/api/area{}/items/{{id}}", "/api/area{}/items/{{id}}/notes/{{note}}")


async def _nothing(*_: object) -> None:
    """Stands in for an operation; it is found and never run."""


def _receive() -> Awaitable[Any]:
    raise AssertionError("a route is found without the body")


def paths(count: int) -> list[str]:
    """As many declared paths."""
    return [_SHAPES[number % len(_SHAPES)].format(number // len(_SHAPES)) for number in range(count)]


def house_of(declared: list[str]) -> Routes:
    """A router that knows these paths."""
    routes = Routes()
    for path in declared:
        endpoint = Endpoint(method="GET", path=path, operation=_nothing, access=Access.ANYONE, transaction=Mode.NONE)
        routes.add(
            path,
            BoundEndpoint(declared=endpoint, operation=_nothing, guard=None, address_limits=(), principal_limits=()),
        )
    return routes


def microseconds_to_match(routes: Routes, declared: list[str]) -> float:
    """What one match costs, every route asked for in turn."""
    asked = [path.replace("{id}", "7b1f").replace("{note}", "42") for path in declared]
    requests = [Request("GET", path, "", {}, "127.0.0.1", _receive) for path in islice(cycle(asked), MATCHES)]
    begun = perf_counter()
    for request in requests:
        routes.find(request)
    return (perf_counter() - begun) * 1e6 / MATCHES


def main() -> int:
    """Both routers in turns; 1 above a bar."""
    houses = {count: (house_of(paths(count)), paths(count)) for count in (FEW, MANY)}
    seen: dict[int, list[float]] = {FEW: [], MANY: []}
    for _ in range(ROUNDS):
        for count, (routes, declared) in houses.items():
            seen[count].append(microseconds_to_match(routes, declared))
    few, many = median(seen[FEW]), median(seen[MANY])
    return conclude(
        "matching a route",
        [
            Promise(f"among {FEW} routes", few, 2.0, "µs", at_most=True),
            Promise(f"among {MANY} routes", many, 2.0, "µs", at_most=True),
            Promise("between them", abs(many - few), 1.0, "µs", at_most=True),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
