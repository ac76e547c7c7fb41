"""Two nodes over one database: what changes anywhere is known everywhere, soon, and here at once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import NamedTuple

import pytest

from headwater.boot.aftermath import CATALOG, Aftermath
from headwater.kernel.bus import Nodes, PostgresBus
from headwater.kernel.cache import Cache, CacheSettings
from headwater.kernel.catalog import Catalog, CatalogWatch
from headwater.kernel.clock import SystemClock
from headwater.kernel.database import Connect, Connection, Database, Login
from headwater.kernel.observe import DatabaseLost, Observation, Observer
from tests.kernel.waiting import until
from tests.kit.database import Cluster

SOON = 1.0


class Node(NamedTuple):
    """What of a house follows the schemas."""

    catalog: Catalog
    aftermath: Aftermath
    bus: PostgresBus

    def knows(self, table: str) -> bool:
        """Whether a table is in the current snapshot."""
        return ("public", table) in self.catalog.current.relations


@asynccontextmanager
async def node(connector: Connect, database: Database, observer: Observer) -> AsyncGenerator[Node]:
    """A node for the length of a block; it looks only when it is told to."""
    catalog, bus = Catalog(database), PostgresBus(connector, database, observer)
    watch = CatalogWatch(catalog, observer)
    others = Nodes(bus, observer)
    cache = Cache(None, bus, others, SystemClock(), CacheSettings())
    aftermath = Aftermath(catalog, watch, bus, others, cache)
    aftermath.listen()
    await bus.start()
    await others.start()
    await catalog.refresh()
    watch.start()
    try:
        yield Node(catalog, aftermath, bus)
    finally:
        await watch.stop()
        await others.stop()
        await bus.stop()


@pytest.fixture
async def nodes(connector: Connect, database: Database, observer: Observer) -> AsyncIterator[tuple[Node, Node]]:
    async with node(connector, database, observer) as one, node(connector, database, observer) as other:
        yield one, other


@pytest.fixture
async def psql(connector: Connect) -> AsyncIterator[Connection]:
    connection = await connector(Login.ADMIN)
    yield connection
    await connection.close()


async def test_a_change_through_a_node_is_known_there_before_the_answer(
    nodes: tuple[Node, Node], psql: Connection
) -> None:
    one, other = nodes
    for number in range(5):
        await psql.execute(f"create table made_{number} (id integer)")
        await one.aftermath.forget([CATALOG])
        assert one.knows(f"made_{number}")
        began = monotonic()
        await until(partial(other.knows, f"made_{number}"))
        assert monotonic() - began < SOON
        one, other = other, one


async def test_a_change_by_hand_is_known_everywhere_soon(nodes: tuple[Node, Node], psql: Connection) -> None:
    began = monotonic()
    await psql.execute("create table by_hand (id integer)")
    await until(lambda: all(each.knows("by_hand") for each in nodes))
    await psql.execute("drop table by_hand")
    await until(lambda: not any(each.knows("by_hand") for each in nodes))
    assert monotonic() - began < 2 * SOON


async def test_a_change_undone_is_never_known(nodes: tuple[Node, Node], psql: Connection) -> None:
    await psql.execute("begin; create table undone (id integer)")
    await nodes[0].aftermath.forget([CATALOG])
    assert not nodes[0].knows("undone")
    await psql.execute("rollback; create table done (id integer)")
    await until(lambda: all(each.knows("done") for each in nodes))
    assert not any(each.knows("undone") for each in nodes)


@pytest.mark.parametrize("payload", ["reload schema", "reload config", ""])
async def test_notify_pgrst_reloads(
    nodes: tuple[Node, Node], psql: Connection, cluster: Cluster, database_name: str, payload: str
) -> None:
    superuser = await cluster.superuser(database_name)
    await superuser.execute("alter event trigger headwater_ddl disable")
    await psql.execute("create table quiet (id integer)")
    await psql.execute("notify pgrst, 'something else'")
    await asyncio.sleep(0.3)
    assert not any(each.knows("quiet") for each in nodes)
    await psql.execute(f"notify pgrst, '{payload}'")
    await until(lambda: all(each.knows("quiet") for each in nodes))
    await superuser.close()


async def test_what_changed_while_nobody_could_be_told_is_known_afterwards(
    nodes: tuple[Node, Node], cluster: Cluster, database_name: str, observations: list[Observation]
) -> None:
    """The listening connections end, and before they are back a table is made."""
    superuser = await cluster.superuser(database_name)
    await superuser.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
        " and usename = 'headwater_owner';"
        "create table meanwhile (id integer)"
    )
    await superuser.close()
    await until(lambda: all(each.knows("meanwhile") for each in nodes))
    assert all(each.bus.connected for each in nodes)
    assert sum(isinstance(seen, DatabaseLost) for seen in observations) == len(nodes)
