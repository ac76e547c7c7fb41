"""The house: everything opened in order, joined, and closed in reverse."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from time import monotonic

from headwater.boot.aftermath import Aftermath
from headwater.boot.binding import bound, lay_routes
from headwater.boot.foundation import Foundation, Ground, stand_on
from headwater.boot.outside import add_outside
from headwater.boot.parts import Parts
from headwater.boot.routes import Routes
from headwater.boot.worker import make_engines, start_engines
from headwater.flow import Authenticator, BoundEndpoint, FlowSettings, Request
from headwater.kernel.bus import Bus, PostgresBus
from headwater.kernel.catalog import INTERNAL_SCHEMAS, Catalog, Follower
from headwater.kernel.clock import Clock
from headwater.kernel.component import BoundCheck, Components, Envelope, HealthChecks
from headwater.kernel.database import Database, Transactions
from headwater.kernel.errors import DatabaseUnavailable
from headwater.kernel.jobs import Worker
from headwater.kernel.limits import Limiter, MemoryLimiter
from headwater.kernel.mail import ReceivedLetter, list_letters
from headwater.kernel.models import CacheKey, Effects
from headwater.kernel.observe import MetricsListener, Observer
from headwater.kernel.outbound import Outbound
from headwater.kernel.tokens import Issuers, Tokens, TokenSettings
from headwater.platform.identity import Identity, Keys, ProjectKeys, RotatableKey

_SECONDS_WATCHED = 30.0
_SECONDS_UNWATCHED = 1.0
"""Between two looks at the schemas that nobody asked for, with an event trigger that tells of changes and without."""


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
async def open_house(
    ground: Ground, metrics: MetricsListener, *, root_app: str | None = None, working: bool = True
) -> AsyncGenerator[House]:
    """A house that is ready to answer, for the length of a block; it also does the jobs if it is `working`.

    Opens the database, then each mechanism, warms every component, and begins to do the jobs; closes in reverse.
    """
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(stand_on(ground))
        parts = await _furnish(stack, ground, foundation, metrics)
        engines = make_engines(parts)
        await _warm(parts, ground.components)
        await start_engines(stack, engines, working=working)
        _add_checks(parts, ground.components)
        yield House(parts, lay_routes(parts, ground.components, parts.find(FlowSettings), root_app))


@asynccontextmanager
async def open_workshop(ground: Ground, metrics: MetricsListener, only: Sequence[str]) -> AsyncGenerator[Worker]:
    """A house that answers nobody and does the jobs, or `only` those named, for the length of a block.

    Stands beside a server on the same database, or alone.
    """
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(stand_on(ground, shared=True))
        parts = await _furnish(stack, ground, foundation, metrics)
        engines = make_engines(parts, only)
        await _warm(parts, ground.components)
        await start_engines(stack, engines, working=True)
        yield engines.worker


async def read_house_keys(ground: Ground) -> ProjectKeys:
    """The keys of the house on this ground, whether it runs or not; raises a refusal before its first start."""
    async with stand_on(ground, shared=True) as foundation:
        bus = PostgresBus(foundation.connect, foundation.database, ground.observer)
        parts = _parts(ground, foundation, bus)
        return await foundation.database.reading(parts.find(Keys).read_keys)


async def rotate_house_key(ground: Ground, kind: RotatableKey, grace: timedelta) -> datetime:
    """Make a new key for the house on this ground, whether it runs or not; until when the old ones are good."""
    async with stand_on(ground, shared=True) as foundation:
        bus = PostgresBus(foundation.connect, foundation.database, ground.observer)
        keys = _parts(ground, foundation, bus).find(Keys)
        return await keys.rotate_unasked(Transactions(foundation.database), kind, grace)


async def read_house_mail(ground: Ground) -> list[ReceivedLetter]:
    """The letters in the development mailbox of the house on this ground, whether it runs or not."""
    async with stand_on(ground, shared=True) as foundation:
        return await foundation.database.reading(lambda tx: list_letters(tx, foundation.vault))


def _parts(ground: Ground, foundation: Foundation, bus: PostgresBus) -> Parts:
    """What components may ask for of the ground and the foundation."""
    parts = Parts(ground.settings)
    tokens = Tokens(ground.settings.part(TokenSettings), ground.clock, foundation.vault)
    for part in (ground.components, ground.observer, foundation.database, foundation.vault, tokens):
        parts.add(part)
    parts.add(foundation.archives)
    parts.add(ground.clock, Clock)
    parts.add(bus, Bus)
    add_outside(parts, ground, foundation)
    parts.add(Issuers(ground.settings.part(TokenSettings), ground.clock, parts.find(Outbound)))
    return parts


async def _furnish(stack: AsyncExitStack, ground: Ground, foundation: Foundation, metrics: MetricsListener) -> Parts:
    """The parts that components may ask for."""
    database = foundation.database
    bus = PostgresBus(foundation.connect, database, ground.observer)
    owned = {schema for component in ground.components for schema in component.schemas}
    catalog = Catalog(database, INTERNAL_SCHEMAS | owned)
    look_every = _SECONDS_WATCHED if foundation.ddl_watched else _SECONDS_UNWATCHED
    follower = Follower(catalog, ground.observer, every=look_every)
    aftermath = Aftermath(catalog, follower, bus)
    aftermath.listen()
    await bus.start()
    stack.push_async_callback(bus.stop)
    await catalog.refresh()
    follower.start()
    stack.push_async_callback(follower.stop)
    parts = _parts(ground, foundation, bus)
    stack.push_async_callback(parts.find(Outbound).close)
    await parts.find(Tokens).load(Transactions(database))
    for part in (catalog, aftermath, metrics, HealthChecks()):
        parts.add(part)
    parts.add(MemoryLimiter(monotonic), MemoryLimiter, Limiter)
    return parts


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
