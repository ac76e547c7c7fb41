"""The house: everything opened in order, joined, and closed in reverse."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

from headwater.boot.aftermath import Aftermath
from headwater.boot.binding import house_limit, lay_routes
from headwater.boot.descriptions import add_descriptions
from headwater.boot.engines import make_engines, start_engines
from headwater.boot.foundation import Foundation, Ground, stand_on
from headwater.boot.health import add_checks
from headwater.boot.outside import add_outside
from headwater.boot.parts import Parts
from headwater.boot.receiving import Places, lay_places
from headwater.boot.redis import add_cache, limiter_over, open_redis, redis_check
from headwater.boot.rooms import ROLE_ROOM, USER_ROOM, lend_rooms
from headwater.boot.routes import Routes
from headwater.boot.sockets import lay_polling
from headwater.boot.warming import begin, keep_warm
from headwater.flow import Authenticator, BoundEndpoint, BoundMessage, FlowSettings, Reception, Request
from headwater.kernel.bus import Bus, Nodes, PostgresBus, RedisBus, Revocations, Rounds
from headwater.kernel.catalog import INTERNAL_SCHEMAS, Catalog, CatalogWatch
from headwater.kernel.clock import Clock
from headwater.kernel.component import Components, Descriptions, Envelope, HealthChecks
from headwater.kernel.database import Database, Transactions
from headwater.kernel.jobs import Worker
from headwater.kernel.limits import Limit, Limiter
from headwater.kernel.mail import ReceivedLetter, list_letters
from headwater.kernel.models import CacheKey, Effects
from headwater.kernel.observe import MetricsListener, Observer
from headwater.kernel.outbound import Outbound
from headwater.kernel.principal import Principal
from headwater.kernel.sockets import Handshake, Resumed, Socket, SocketEnvelope, Sockets, SocketSettings
from headwater.kernel.tokens import Issuers, Tokens, TokenSettings
from headwater.platform.identity import Identity, Keys, ProjectKeys, RotatableKey

_SECONDS_WATCHED = 30.0
_SECONDS_UNWATCHED = 1.0
"""Between two looks at the schemas that nobody asked for, with an event trigger that tells of changes and without."""


class House:
    """Every part of a running server, as `flow.House` wants them."""

    def __init__(self, parts: Parts, routes: Routes, places: Places) -> None:
        self.settings = parts.find(FlowSettings)
        self.observer = parts.find(Observer)
        self.clock = parts.find(Clock)
        self.database = parts.find(Database)
        self.limiter = parts.find(Limiter)
        self.authenticator: Authenticator = parts.find(Identity)
        self.sockets = parts.find(Sockets)
        self.socket_limits = (Limit(name="sockets", count=self.settings.sockets_per_minute, seconds=60, by="address"),)
        self._aftermath = parts.find(Aftermath)
        self._routes = routes
        self._places = places

    def endpoint(self, request: Request) -> BoundEndpoint:
        """The endpoint of the request; see `Routes.find`."""
        return self._routes.find(request)

    def envelope(self, path: str) -> Envelope:
        """See `Routes.envelope`."""
        return self._routes.envelope(path)

    def message(self, path: str, event: str) -> BoundMessage:
        """What answers to an event on the sockets of a path; raises `UnknownMessage`."""
        return self._places.at(path).find(event)

    def socket_envelope(self, path: str) -> SocketEnvelope:
        """How refusals are told on the sockets of a path where no declared message answers."""
        return self._places.at(path).envelope

    async def resume(self, principal: Principal, handshake: Handshake) -> Resumed | None:
        """What a client that was admitted goes on with."""
        place = self._places.at(handshake.path)
        if place.form is not None:
            return Resumed("", handshake)  # nothing of a plain socket is kept: it goes on with what it was opened with
        return None if place.resume is None else await place.resume(Transactions(self.database), principal, handshake)

    async def welcome(self, socket: Socket, resumed: Resumed | None) -> None:
        """Bring a socket that was admitted to its user's rooms, and let every component do what it does for it."""
        self.recognise(socket)
        state = None if resumed is None else resumed.state
        for welcome in self._places.at(socket.path).welcomes:
            await welcome(Transactions(self.database), socket, state)

    def recognise(self, socket: Socket) -> None:
        """Let a socket hear what its user and his role are told, whoever that is now, and nobody else's."""
        user, role = socket.principal.id, ROLE_ROOM + socket.principal.role
        own = (role,) if user is None else (USER_ROOM + user, role)
        for room in [room for room in socket.rooms if room.startswith((USER_ROOM, ROLE_ROOM)) and room not in own]:
            self.sockets.leave(socket, room)
        for room in own:
            self.sockets.join(socket, room)

    async def forget(self, keys: Sequence[CacheKey]) -> None:
        """See `Aftermath.forget`."""
        await self._aftermath.forget(keys)

    async def tell(self, effects: Effects) -> None:
        """See `Aftermath.tell`."""
        await self._aftermath.tell(effects)


@asynccontextmanager
async def open_house(
    ground: Ground,
    metrics: MetricsListener,
    *,
    root_app: str | None = None,
    working: bool = True,
    shared: bool = False,
    home: str = "",
) -> AsyncGenerator[House]:
    """A house that is ready to answer, for the length of a block; it also does the jobs if it is `working`.

    With `shared` it stands on the embedded database that another process runs; `home` names it where several processes
    answer at one address. Opens the database, then each mechanism, warms every component, and begins to do the jobs;
    closes in reverse.
    """
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(stand_on(ground, shared=shared))
        parts = await _furnish(stack, ground, foundation, metrics, home)
        engines = make_engines(parts)
        await begin(stack, parts, ground.components)
        await start_engines(stack, engines, working=working)
        await keep_warm(stack, parts, ground.components)
        add_checks(parts, ground.components)
        add_descriptions(parts, ground.components)
        yield await _open_doors(stack, parts, ground.components, root_app)


@asynccontextmanager
async def open_workshop(ground: Ground, metrics: MetricsListener, only: Sequence[str]) -> AsyncGenerator[Worker]:
    """A house that answers nobody and does the jobs, or `only` those named, for the length of a block.

    Stands beside a server on the same database, or alone.
    """
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(stand_on(ground, shared=True))
        parts = await _furnish(stack, ground, foundation, metrics)
        engines = make_engines(parts, only)
        await begin(stack, parts, ground.components)
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
    async with AsyncExitStack() as stack:
        foundation = await stack.enter_async_context(stand_on(ground, shared=True))
        bus = PostgresBus(foundation.connect, foundation.database, ground.observer)
        parts = _parts(ground, foundation, bus)
        await _begin(stack, bus, parts.find(Nodes))
        return await parts.find(Keys).rotate_unasked(Transactions(foundation.database), kind, grace)


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
    parts.add(Nodes(bus, ground.observer))
    parts.add(Revocations(parts.find(Nodes)))
    add_outside(parts, ground, foundation)
    parts.add(Issuers(ground.settings.part(TokenSettings), ground.clock, parts.find(Outbound)))
    return parts


async def _begin(stack: AsyncExitStack, *parts: PostgresBus | RedisBus | Nodes) -> None:
    """Start what leads to the other processes, until the stack is closed."""
    for part in parts:
        await part.start()
        stack.push_async_callback(part.stop)


async def _furnish(
    stack: AsyncExitStack, ground: Ground, foundation: Foundation, metrics: MetricsListener, home: str = ""
) -> Parts:
    """The parts that components may ask for."""
    database = foundation.database
    redis = await open_redis(stack, ground)
    postgres = PostgresBus(foundation.connect, database, ground.observer)
    bus = postgres if redis is None else RedisBus(redis, postgres, ground.observer)
    owned = {schema for component in ground.components for schema in component.schemas}
    catalog = Catalog(database, INTERNAL_SCHEMAS | owned)
    look_every = _SECONDS_WATCHED if foundation.ddl_watched else _SECONDS_UNWATCHED
    watch = CatalogWatch(catalog, ground.observer, every=look_every)
    parts = _parts(ground, foundation, postgres)
    parts.add(bus, Bus)
    parts.add(Sockets(parts.find(SocketSettings), ground.observer, home))
    lend_rooms(parts, ground.components)
    aftermath = Aftermath(catalog, watch, bus, parts.find(Nodes), add_cache(stack, parts, ground, metrics, redis))
    aftermath.listen()
    await _begin(stack, postgres, parts.find(Nodes), *((bus,) if bus is not postgres else ()))
    await catalog.refresh()
    watch.start()
    stack.push_async_callback(watch.stop)
    stack.push_async_callback(parts.find(Outbound).close)
    await parts.find(Tokens).load(Transactions(database))
    metrics.bring(kind for component in ground.components for kind in component.observations)
    parts.add(metrics, MetricsListener)
    for part in (catalog, aftermath, Descriptions(), HealthChecks([redis_check(redis)] if redis else [])):
        parts.add(part)
    parts.add(limiter_over(redis), Limiter)
    if redis is not None:
        parts.add(redis)
    return parts


async def _open_doors(stack: AsyncExitStack, parts: Parts, components: Components, root_app: str | None) -> House:
    """The house with its routes laid, and its doors open for sockets until the stack is closed."""
    settings, sockets = parts.find(FlowSettings), parts.find(Sockets)
    routes = lay_routes(parts, components, settings, root_app)
    places = lay_places(parts, components, settings, root_app)
    house = House(parts, routes, places)
    for place in places:
        reception = Reception(house, place.access)
        sockets.open_door(place.path, reception, place.form)
        parts.find(Revocations).add(lambda _revoked, reception=reception: reception.recheck())
        parts.find(Bus).on_gap(reception.distrust)
        sweeping = Rounds("sockets", house.observer, reception.sweep)
        sweeping.start()
        stack.push_async_callback(sweeping.stop)
    lay_polling(routes, sockets, (house_limit("address", settings),), (house_limit("principal", settings),))
    await sockets.start()
    stack.push_async_callback(sockets.stop)
    return house
