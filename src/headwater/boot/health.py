"""How every part of a house is asked for its health."""

from headwater.boot.binding import bound
from headwater.boot.parts import Parts
from headwater.kernel.bus import Bus
from headwater.kernel.component import BoundCheck, Components, HealthChecks
from headwater.kernel.errors import DatabaseUnavailable, Draining
from headwater.kernel.outbound import Outbound
from headwater.kernel.sockets import Sockets


def add_checks(parts: Parts, components: Components) -> None:
    """The kernel's own parts, then what components declare."""
    checks = parts.find(HealthChecks)
    bus, sockets, outbound = parts.find(Bus), parts.find(Sockets), parts.find(Outbound)

    async def hear() -> None:
        if not bus.connected:
            raise DatabaseUnavailable

    async def count_sockets() -> str:
        if sockets.closed:
            raise Draining
        return f"{len(sockets)} open"

    async def reach_others() -> str:
        outbound.must_reach_all()
        return "no host is left alone"

    checks.add(BoundCheck(name="bus", check=hear, essential=False))
    checks.add(BoundCheck(name="sockets", check=count_sockets, essential=False))
    checks.add(BoundCheck(name="external", check=reach_others, essential=False))
    for component in components:
        for declared in component.health_checks:
            check = bound(parts, component, declared.operation)
            checks.add(BoundCheck(name=declared.name, check=check, essential=declared.essential))
