"""Watches what others do to the schemas: whoever hears of a change tells it here."""

import asyncio

from headwater.kernel.bus import Rounds
from headwater.kernel.catalog.catalog import Catalog
from headwater.kernel.observe import Observer

DEBOUNCE = 0.1
"""Seconds between two looks, however many changes are told: a migration of a hundred statements costs a few looks."""


class CatalogWatch:
    """Renews a catalog when it is told of a change: at once, and once more for all that is told within 100 ms.

    With `every` it also looks every so many seconds, for databases where nobody may tell. A look that fails is
    repeated, later each time, and meanwhile the old snapshot serves.
    """

    def __init__(self, catalog: Catalog, observer: Observer, *, every: float | None = None) -> None:
        self._catalog = catalog
        self._every = every
        self._distrusted = False
        self._rounds = Rounds("catalog", observer, self._look)

    def start(self) -> None:
        """Begin with a look, for what changed before anybody listened."""
        self._rounds.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._rounds.stop()

    def hear(self) -> None:
        """Something may have changed."""
        self._rounds.ring()

    def distrust(self) -> None:
        """Somebody asks for everything to be read again."""
        self._distrusted = True
        self._rounds.ring()

    async def _look(self) -> float | None:
        distrusted, self._distrusted = self._distrusted, False
        try:
            if distrusted:
                await self._catalog.reload()
            else:
                await self._catalog.refresh_if_changed()
        except BaseException:
            self._distrusted = self._distrusted or distrusted
            raise
        await asyncio.sleep(DEBOUNCE)
        return None if self._every is None else max(self._every - DEBOUNCE, 0)
