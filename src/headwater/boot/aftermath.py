"""What is due after a commit: caches forget, the others are told."""

from collections.abc import Callable, Sequence

from headwater.kernel.bus import Bus
from headwater.kernel.catalog import Catalog, Follower
from headwater.kernel.models import CacheKey, Effects

CATALOG = CacheKey("catalog")
CATALOG_TOPIC = "catalog"
DDL_CHANNEL = "headwater_ddl"
RELOAD_CHANNEL = "pgrst"
RELOADS = frozenset({"", "reload schema", "reload config"})
"""What PostgREST understands on that channel. Settings stand in our environment and cannot change while we run; what
of a configuration stands in the database, the settings of functions, is the catalog's."""


class Aftermath:
    """Carries out the effects of committed transactions, whoever ran them."""

    def __init__(self, catalog: Catalog, follower: Follower, bus: Bus) -> None:
        self._catalog = catalog
        self._follower = follower
        self._bus = bus
        self._hearers: list[Callable[[Effects], None]] = []

    def listen(self) -> None:
        """Follow schema changes made by other nodes and by hand."""
        self._bus.subscribe(CATALOG_TOPIC, lambda _message: self._follower.hear())
        self._bus.listen_raw(DDL_CHANNEL, lambda _payload: self._follower.hear())
        self._bus.listen_raw(RELOAD_CHANNEL, self._reload)
        self._bus.on_gap(self._follower.hear)

    def add(self, hearer: Callable[[Effects], None]) -> None:
        """From now on `hearer` is told the effects of every commit."""
        self._hearers.append(hearer)

    async def forget(self, keys: Sequence[CacheKey]) -> None:
        """Return once nobody here finds an old value under these keys; the other nodes are told."""
        if CATALOG in keys:
            await self._catalog.refresh()
            await self._bus.publish(CATALOG_TOPIC)

    async def tell(self, effects: Effects) -> None:
        """Hurry what is durable, and tell what is not."""
        for hearer in self._hearers:
            hearer(effects)

    async def carry_out(self, effects: Effects) -> None:
        """Both, in the pipeline's order."""
        await self.forget(effects.forgets)
        await self.tell(effects)

    def _reload(self, payload: str) -> None:
        if payload in RELOADS:
            self._follower.distrust()
