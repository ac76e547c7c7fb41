"""A catalog that is told of changes: at once, joined, again after a failure, and never without a snapshot."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest

from headwater.kernel.catalog import Catalog, CatalogWatch
from headwater.kernel.catalog.watch import DEBOUNCE
from headwater.kernel.database import Connection
from headwater.kernel.observe import HookFailed, Observation, Observer
from tests.kernel.waiting import until


class Looks:
    """Stands before a catalog and counts; fails as often as it is told to."""

    def __init__(self, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times: list[float] = []
        self.reloads = 0
        self.failures = 0
        look, reload = catalog.refresh_if_changed, catalog.reload

        async def count() -> bool:
            self.times.append(monotonic())
            self._fail()
            return await look()

        async def count_reload() -> None:
            self.reloads += 1
            self._fail()
            await reload()

        monkeypatch.setattr(catalog, "refresh_if_changed", count)
        monkeypatch.setattr(catalog, "reload", count_reload)

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError


@pytest.fixture
def looks(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(catalog, monkeypatch)


@pytest.fixture
async def watch(catalog: Catalog, looks: Looks, observer: Observer) -> AsyncIterator[CatalogWatch]:
    watch = CatalogWatch(catalog, observer)
    watch.start()
    await until(lambda: len(looks.times) == 1)
    await asyncio.sleep(DEBOUNCE * 1.5)
    yield watch
    await watch.stop()


async def test_a_burst_costs_a_look_at_once_and_one_after_it(
    watch: CatalogWatch, looks: Looks, catalog: Catalog, admin: Connection
) -> None:
    await admin.execute("create table burst_0 (id integer)")
    began = monotonic()
    watch.hear()
    for number in range(1, 20):
        await admin.execute(f"create table burst_{number} (id integer)")
        watch.hear()
    await until(lambda: len(looks.times) > 1)
    assert looks.times[1] - began < DEBOUNCE
    await until(lambda: ("public", "burst_19") in catalog.current.relations)
    spent = monotonic() - began
    assert len(looks.times) <= 3 + spent / DEBOUNCE


async def test_nothing_is_looked_at_without_a_reason(watch: CatalogWatch, looks: Looks) -> None:
    await asyncio.sleep(DEBOUNCE * 3)
    assert len(looks.times) == 1


async def test_where_nobody_tells_it_looks_by_itself(catalog: Catalog, admin: Connection, observer: Observer) -> None:
    watch = CatalogWatch(catalog, observer, every=0.2)
    watch.start()
    await admin.execute("create table untold (id integer)")
    await until(lambda: ("public", "untold") in catalog.current.relations)
    await watch.stop()


async def test_a_failed_look_is_repeated_and_the_old_snapshot_serves_meanwhile(
    watch: CatalogWatch, looks: Looks, catalog: Catalog, admin: Connection, observations: list[Observation]
) -> None:
    before = catalog.current
    looks.failures = 2
    await admin.execute("create table after_all (id integer)")
    watch.hear()
    await until(lambda: looks.failures == 0)
    assert catalog.current is before
    await until(lambda: ("public", "after_all") in catalog.current.relations)
    assert sum(isinstance(seen, HookFailed) for seen in observations) == 2


async def test_distrust_survives_a_failure(watch: CatalogWatch, looks: Looks) -> None:
    looks.failures = 1
    watch.distrust()
    await until(lambda: looks.reloads == 2)
    assert len(looks.times) == 1
