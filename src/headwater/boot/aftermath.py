"""What is due after a commit: caches forget, the others are told."""

from collections.abc import Awaitable, Callable, Sequence

from headwater.kernel.bus import Bus, Nodes
from headwater.kernel.cache import Cache
from headwater.kernel.catalog import CATALOG, CATALOG_TOPIC, DDL_CHANNEL, Catalog, CatalogWatch
from headwater.kernel.models import CacheKey, Effects

RELOAD_CHANNEL = "pgrst"
RELOADS = frozenset({"", "reload schema", "reload config"})
"""What PostgREST understands on that channel. Settings stand in our environment and cannot change while we run; what
of a configuration stands in the database, the settings of functions, is the catalog's."""


class Aftermath:
    """Carries out the effects of committed transactions, whoever ran them."""

    def __init__(self, catalog: Catalog, watch: CatalogWatch, bus: Bus, nodes: Nodes, cache: Cache) -> None:
        self._catalog = catalog
        self._watch = watch
        self._bus = bus
        self._nodes = nodes
        self._cache = cache
        self._hearers: list[Callable[[Effects], Awaitable[None]]] = []

    def listen(self) -> None:
        """Follow schema changes made by other nodes and by hand."""
        self._nodes.answer(CATALOG_TOPIC, self._refresh)
        self._bus.listen_raw(DDL_CHANNEL, lambda _payload: self._watch.hear())
        self._bus.listen_raw(RELOAD_CHANNEL, self._reload)
        self._bus.on_gap(self._watch.hear)

    def add(self, hearer: Callable[[Effects], Awaitable[None]]) -> None:
        """From now on `hearer` is told the effects of every commit, and waited for."""
        self._hearers.append(hearer)

    async def forget(self, keys: Sequence[CacheKey]) -> None:
        """Return once nobody finds an old value under these keys, on any live node."""
        cached = [key for key in keys if key != CATALOG]
        try:
            if len(cached) < len(keys):
                await self._catalog.refresh()
                await self._nodes.tell_all(CATALOG_TOPIC, self._nodes.id.encode())
        finally:
            if cached:
                await self._cache.forget(cached)

    async def tell(self, effects: Effects) -> None:
        """Hurry what is durable, tell what is not, and return once this process' followers of events have acted."""
        for hearer in self._hearers:
            await hearer(effects)

    async def carry_out(self, effects: Effects) -> None:
        """Both, in the pipeline's order."""
        await self.forget(effects.forgets)
        await self.tell(effects)

    async def _refresh(self, asker: bytes) -> None:
        if asker != self._nodes.id.encode():
            await self._catalog.refresh()

    def _reload(self, payload: str) -> None:
        if payload in RELOADS:
            self._watch.distrust()
