"""The house: everything opened in order, joined, and closed in reverse."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic

from headwater.boot.aftermath import Aftermath
from headwater.boot.binding import bound, lay_routes
from headwater.boot.foundation import Foundation, Ground, stand_on
from headwater.boot.parts import Parts
from headwater.boot.routes import Routes
from headwater.boot.worker import make_engines, start_engines
from headwater.flow import Authenticator, BoundEndpoint, FlowSettings, Request
from headwater.kernel.bus import Bus, PostgresBus, Rounds
from headwater.kernel.catalog import INTERNAL_SCHEMAS, Catalog
from headwater.kernel.clock import Clock
from headwater.kernel.component import BoundCheck, Components, Envelope, HealthChecks
from headwater.kernel.database import Database, Transactions
from headwater.kernel.errors import DatabaseUnavailable
from headwater.kernel.limits import Limiter, MemoryLimiter
from headwater.kernel.models import CacheKey, Effects
from headwater.kernel.observe import MetricsListener, Observer
from headwater.kernel.tokens import Tokens, TokenSettings
from headwater.platform.identity import Identity, ProjectKeys


class House:
    """Every part of a running server, as `flow.House` wants them."""

    def __init__(self, parts: Parts, routes: Routes) -> None:
        self.settings = parts.find(FlowSettings)
        self.observer = parts.find(Observer)
        self.clock = parts.find(Clock)
        self.database = parts.find(Database)
        self.limiter: Limiter = parts.find(MemoryLimiter)
        self.authenticator: Authenticator = parts.find(Identity)
        self._aftermath = parts.find(Aftermath)
        self._routes = routes

    def endpoint(self, request: Request) -> BoundEndpoint:
        """The endpoint of the request; see `Routes.find`."""
        return self._routes.find(request)

    def envelope(self, path: str) -> Envelope:
        """See `Routes.envelope`."""
        return self._routes.envelope(path)

    async def forget(self, keys: Sequence[CacheKey]) -> None:
        """See `Aftermath.forget`."""
        await self._aftermath.forget(keys)

    async def tell(self, effects: Effects) -> None:
        """See `Aftermath.tell`."""
        await self._aftermath.tell(effects)


@asynccontextmanager
async def open_house(ground: Ground, metrics: MetricsListener, *, root_app: str | None = None) -> AsyncGenerator[House]:
    """A house that is ready to answer, for the length of a block.

    Opens the database, then each mechanism, warms every component, and begins to do the jobs; closes in reverse.
    """
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(stand_on(ground))
        parts = await _furnish(stack, ground, foundation, metrics)
        engines = make_engines(parts)
        await _warm(parts, ground.components)
        await start_engines(stack, engines)
        _add_checks(parts, ground.components)
        yield House(parts, lay_routes(parts, ground.components, parts.find(FlowSettings), root_app))


async def read_house_keys(ground: Ground) -> ProjectKeys:
    """The keys of the house on this ground, whether it runs or not; raises a refusal before its first start."""
    async with stand_on(ground, shared=True) as foundation:
        bus = PostgresBus(foundation.connect, foundation.database, ground.observer)
        parts = _parts(ground, foundation, bus)
        return await foundation.database.reading(parts.find(Identity).read_keys)


def _parts(ground: Ground, foundation: Foundation, bus: PostgresBus) -> Parts:
    """What components may ask for of the ground and the foundation."""
    parts = Parts(ground.settings)
    tokens = Tokens(ground.settings.part(TokenSettings), ground.clock, foundation.vault)
    for part in (ground.components, ground.observer, foundation.database, foundation.vault, tokens):
        parts.add(part)
    parts.add(ground.clock, Clock)
    parts.add(bus, Bus)
    return parts


async def _furnish(stack: AsyncExitStack, ground: Ground, foundation: Foundation, metrics: MetricsListener) -> Parts:
    """The parts that components may ask for."""
    database = foundation.database
    bus = PostgresBus(foundation.connect, database, ground.observer)
    await bus.start()
    stack.push_async_callback(bus.stop)
    owned = {schema for component in ground.components for schema in component.schemas}
    catalog = Catalog(database, INTERNAL_SCHEMAS | owned)
    await catalog.refresh()
    aftermath = Aftermath(catalog, bus)
    aftermath.listen()
    if not foundation.ddl_watched:
        await _poll_catalog(stack, catalog, ground.observer)
    parts = _parts(ground, foundation, bus)
    await parts.find(Tokens).load(Transactions(database))
    for part in (catalog, aftermath, metrics, HealthChecks()):
        parts.add(part)
    parts.add(MemoryLimiter(monotonic), MemoryLimiter, Limiter)
    return parts


async def _poll_catalog(stack: AsyncExitStack, catalog: Catalog, observer: Observer) -> None:
    """Where no event trigger may tell of schema changes, look for them each second."""

    async def look() -> float:
        await catalog.refresh_if_changed()
        return 1.0

    rounds = Rounds("catalog", observer, look)
    rounds.start()
    stack.push_async_callback(rounds.stop)


async def _warm(parts: Parts, components: Components) -> None:
    for kind in (kind for component in components for kind in component.operation_classes):
        if warm := getattr(parts.find(kind), "warm", None):
            await warm(Transactions(parts.find(Database)))


def _add_checks(parts: Parts, components: Components) -> None:
    """The kernel's own parts, then what components declare."""
    checks, bus = parts.find(HealthChecks), parts.find(Bus)

    async def hear() -> None:
        if not bus.connected:
            raise DatabaseUnavailable

    checks.add(BoundCheck(name="bus", check=hear, essential=False))
    for component in components:
        for declared in component.health_checks:
            check = bound(parts, component, declared.operation)
            checks.add(BoundCheck(name=declared.name, check=check, essential=declared.essential))
