"""The house of the dialect alone: kernel, flow and records, over a database that stays as it is."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec

from headwater.boot.aftermath import RELOADS
from headwater.boot.binding import bound
from headwater.boot.parts import Parts
from headwater.boot.rest.roles import Roles, key_of
from headwater.boot.rest.settings import RestOptions
from headwater.boot.rest.tokens import Bearers
from headwater.boot.routes import Routes
from headwater.boot.settings import Settings
from headwater.flow import Authenticator, BoundEndpoint, FlowSettings, Request
from headwater.kernel.bus import PostgresBus
from headwater.kernel.catalog import Catalog, CatalogWatch
from headwater.kernel.clock import Clock
from headwater.kernel.component import Envelope
from headwater.kernel.database import Connection, Database, DatabaseSettings, Lease
from headwater.kernel.limits import Limiter, MemoryLimiter
from headwater.kernel.models import CacheKey, Effects
from headwater.kernel.observe import Observer
from headwater.platform.records import COMPONENT, EXACT_MOUNT, RecordsSettings

_LOOK_EVERY = 1.0
_LONGEST = 3600.0
"""Seconds a request may take as far as we are concerned: its `statement_timeout` is the database's to set."""


class RestHouse:
    """Every part that a request for rows meets, as `flow.House` wants them."""

    def __init__(self, parts: Parts, routes: Routes, watch: CatalogWatch, bus: PostgresBus) -> None:
        self.settings = parts.find(FlowSettings)
        self.observer = parts.find(Observer)
        self.clock = parts.find(Clock)
        self.database = parts.find(Database)
        self.limiter: Limiter = parts.find(MemoryLimiter)
        self.authenticator: Authenticator = parts.find(Bearers)
        self._routes = routes
        self._watch = watch
        self._bus = bus

    @property
    def ready(self) -> bool:
        """Whether the database answers; the catalog is read before there is a house."""
        return self._bus.connected

    def reload(self) -> None:
        """Let the catalog be read again, all of it."""
        self._watch.distrust()

    def endpoint(self, request: Request) -> BoundEndpoint:
        """The endpoint of the request; see `Routes.find`."""
        return self._routes.find(request)

    def envelope(self, path: str) -> Envelope:
        """The dialect's, everywhere."""
        return self._routes.envelope(path)

    async def forget(self, keys: Sequence[CacheKey]) -> None:
        """Nothing is cached but the catalog, which follows the database."""

    async def tell(self, effects: Effects) -> None:
        """Nobody is told anything."""


@asynccontextmanager
async def open_rest_house(settings: RestOptions, clock: Clock, observer: Observer) -> AsyncGenerator[RestHouse]:
    """A house that is ready to answer, for the length of a block.

    Raises `RestDatabaseUnreachable`, and `InvalidSetting` for a secret or a path that cannot be read.
    """
    bearers, roles = Bearers(settings, clock), Roles(settings)
    await roles.must_be_reached()
    async with AsyncExitStack() as stack:
        patience = _database_settings(settings)
        lease = Lease(roles.open, patience, observer)
        await lease.start()
        stack.push_async_callback(lease.close)
        database = Database(lease, clock, observer, patience, key_of=key_of)
        bus = PostgresBus(_as_authenticator(roles), database, observer)
        catalog = Catalog(database, served=settings.db_schemas)
        watch = CatalogWatch(catalog, observer, every=_LOOK_EVERY)
        bus.on_gap(watch.hear)
        if settings.db_channel_enabled:
            bus.listen_raw(settings.db_channel, lambda payload: watch.distrust() if payload in RELOADS else None)
        await bus.start()
        stack.push_async_callback(bus.stop)
        await catalog.refresh()
        watch.start()
        stack.push_async_callback(watch.stop)
        parts = Parts(Settings({}))
        for part in (bearers, database, catalog, observer, _flow_settings(settings), _records_settings(settings)):
            parts.add(part)
        parts.add(clock, Clock)
        parts.add(MemoryLimiter(clock.timestamp), MemoryLimiter)
        yield RestHouse(parts, _routes(parts), watch, bus)


def _as_authenticator(roles: Roles) -> Callable[[str], Any]:
    """For who listens: whatever login the house would use, here there is only the authenticator."""

    async def open_connection(_login: str) -> Connection:
        return await roles.open(key_of(None))

    return open_connection


def _routes(parts: Parts) -> Routes:
    """Every endpoint of the exact dialect, at the root, without limits of the house."""
    routes = Routes()
    routes.wrap("", COMPONENT.envelopes[EXACT_MOUNT])
    for declared in COMPONENT.endpoints:
        if not declared.path.startswith(EXACT_MOUNT):
            continue
        path = declared.path.removeprefix(EXACT_MOUNT)
        operation = bound(parts, COMPONENT, declared.operation)
        endpoint = msgspec.structs.replace(declared, path=path, timeout=max(declared.timeout, _LONGEST))
        routes.add(
            path,
            BoundEndpoint(declared=endpoint, operation=operation, guard=None, address_limits=(), principal_limits=()),
        )
    return routes


def _database_settings(settings: RestOptions) -> DatabaseSettings:
    return DatabaseSettings(
        pool_min=0,
        pool_max=settings.db_pool,
        pool_idle=settings.db_pool_max_idletime,
        pool_wait=settings.db_pool_acquisition_timeout,
        statement_timeout=_LONGEST,
    )


def _flow_settings(settings: RestOptions) -> FlowSettings:
    return FlowSettings(
        allowed_origins=settings.server_cors_allowed_origins,
        only_allowed_origins=bool(settings.server_cors_allowed_origins),
        server_timing=settings.server_timing_enabled,
        trace_header=settings.server_trace_header,
    )


def _records_settings(settings: RestOptions) -> RecordsSettings:
    return RecordsSettings(
        max_rows=settings.db_max_rows,
        aggregates=settings.db_aggregates_enabled,
        extra_search_path=settings.db_extra_search_path,
        pre_request=settings.db_pre_request,
        hoisted_settings=settings.db_hoisted_tx_settings,
        tx_end=settings.db_tx_end,
        plan=settings.db_plan_enabled,
        error_verbosity=settings.client_error_verbosity,
        content_location=True,
        keep_replies=False,
        openapi=settings.openapi_mode,
        root_spec=settings.db_root_spec or None,
        openapi_server_proxy_uri=settings.openapi_server_proxy_uri or "/",
        openapi_security_active=settings.openapi_security_active,
    )
