"""The catalog sees what is there, notices what changes, and is read no more often than needed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from headwater.boot.components import find_components
from headwater.kernel.catalog import (
    INTERNAL_SCHEMAS,
    Argument,
    Catalog,
    Column,
    ForeignKey,
    Function,
    Relation,
    queries,
)
from headwater.kernel.database import Connection, Database, ReadingTransaction
from headwater.kernel.principal import Principal

T = TypeVar("T")


async def test_relations(catalog: Catalog) -> None:
    relations = catalog.current.relations
    assert relations["public", "parents"] == Relation(
        schema="public",
        name="parents",
        kind="table",
        columns=(
            Column(
                name="id",
                type="integer",
                base_type="integer",
                category="N",
                nullable=False,
                default="nextval('public.parents_id_seq'::pg_catalog.regclass)",
                identity="always",
            ),
            Column(
                name="code",
                type="character varying(8)",
                base_type="character varying",
                category="S",
                nullable=False,
                default="'x'::character varying",
                max_length=8,
                comment="told by",
            ),
            Column(
                name="feeling",
                type="public.mood",
                base_type="public.mood",
                category="E",
                nullable=True,
                enum=("wild", "calm"),
            ),
            Column(
                name="amount",
                type="public.very_positive",
                base_type="integer",
                category="N",
                nullable=True,
                domain="public.very_positive",
            ),
            Column(name="twice", type="integer", base_type="integer", category="N", nullable=True, generated=True),
        ),
        primary_key=("id",),
        unique_keys=(("code",), ("code", "feeling")),
        insertable=True,
        updatable=True,
        deletable=True,
        comment="Who has children",
    )
    kinds = {name: (r.kind, r.insertable, r.updatable) for (schema, name), r in relations.items() if schema == "public"}
    assert kinds == {
        "parents": ("table", True, True),
        "children": ("table", True, True),
        "shown": ("view", True, True),
        "counted": ("view", False, False),
        "kept": ("materialized view", False, False),
        "parts": ("partitioned table", True, True),
    }


async def test_what_reaches_partitions(catalog: Catalog, admin: Connection) -> None:
    await admin.execute(
        "create view over_parts as select * from parts; create view over_view as select * from over_parts;"
        "create table guarded (id integer); alter table guarded enable row level security;"
        "create policy p on guarded using (id in (select id from over_view))"
    )
    await catalog.refresh()
    reaching = {name for (_, name), relation in catalog.current.relations.items() if relation.reaches_partitions}
    assert reaching == {"parts", "over_parts", "over_view", "guarded"}


async def test_foreign_keys(catalog: Catalog) -> None:
    ours = [key for key in catalog.current.foreign_keys if key.schema == "public"]
    assert ours == [
        ForeignKey(
            name="by_code",
            schema="public",
            relation="children",
            columns=("code",),
            target_schema="public",
            target_relation="parents",
            target_columns=("code",),
            one_to_one=False,
        ),
        ForeignKey(
            name="children_parent_fkey",
            schema="public",
            relation="children",
            columns=("parent",),
            target_schema="public",
            target_relation="parents",
            target_columns=("id",),
            one_to_one=True,
        ),
    ]


async def test_functions(catalog: Catalog) -> None:
    functions = catalog.current.functions
    assert functions["public", "plain"] == (
        Function(
            schema="public",
            name="plain",
            arguments=(
                Argument(name="a", type="integer"),
                Argument(name="b", type="text", has_default=True),
                Argument(name="c", type="integer[]", has_default=True, variadic=True),
            ),
            returns="integer",
            returns_set=False,
            composite=False,
            returns_void=False,
            volatility="stable",
        ),
    )
    (table_of,) = functions["public", "table_of"]
    assert (table_of.arguments, table_of.returns_set, table_of.composite) == ((), True, True)
    assert [(column.name, column.type) for column in table_of.columns] == [("x", "integer"), ("y", "text")]
    (parent_of,) = functions["public", "parent_of"]
    assert (parent_of.arguments, parent_of.composite, parent_of.returns) == (
        (Argument(name="", type="integer"),),
        True,
        "public.parents",
    )
    assert (parent_of.returns_relation, parent_of.columns, parent_of.callable) == (("public", "parents"), (), False)
    (nothing,) = functions["public", "nothing"]
    assert (nothing.returns_void, nothing.settings) == (True, ("statement_timeout=1s",))
    assert ("public", "triggered") not in functions


async def test_schemas_that_are_served(catalog: Catalog, database: Database) -> None:
    of_apps = {schema for component in find_components() for schema in component.schemas} - INTERNAL_SCHEMAS
    assert {"public", "mine"} == set(catalog.current.exposed_schemas) - of_apps
    assert "system" in catalog.current.schemas
    narrower = Catalog(database, internal_schemas=frozenset({"mine", "system"}))
    await narrower.refresh()
    assert "mine" not in narrower.current.exposed_schemas


class CountingDatabase(Database):
    """Counts the readings, and holds each back until it is let go."""

    count = 0
    gate: asyncio.Event

    async def reading(
        self, work: Callable[[ReadingTransaction], Awaitable[T]], principal: Principal | None = None
    ) -> T:
        self.count += 1
        await self.gate.wait()
        return await super().reading(work, principal)


async def test_many_who_ask_share_a_reading(database: Database, admin: Connection) -> None:
    counting = CountingDatabase.__new__(CountingDatabase)
    counting.__dict__.update(database.__dict__)
    counting.gate = asyncio.Event()
    catalog = Catalog(counting)
    first = [asyncio.create_task(catalog.refresh()) for _ in range(10)]
    await asyncio.sleep(0.01)
    await admin.execute("create table late (id integer)")
    later = [asyncio.create_task(catalog.refresh()) for _ in range(10)]
    await asyncio.sleep(0.01)
    assert counting.count == 1
    later[0].cancel()
    counting.gate.set()
    await asyncio.gather(*first)
    await asyncio.gather(*later, return_exceptions=True)
    assert counting.count == 2
    assert ("public", "late") in catalog.current.relations


async def test_a_failed_reading_keeps_what_was_known(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> object:
        raise ConnectionError

    before = catalog.current
    with monkeypatch.context() as patched:
        patched.setattr(Database, "reading", fails)
        with pytest.raises(ConnectionError):
            await catalog.refresh()
    assert catalog.current is before
    await catalog.refresh()


async def test_a_table_that_came_between_a_look_and_its_reading_can_go_again(
    catalog: Catalog, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fingerprint from before it came is that from after it went: kept, it would keep the table for ever."""
    original = queries.find_fingerprint
    await admin.execute("create table stays (id integer)")

    async def meanwhile(tx: ReadingTransaction) -> str:
        told = await original(tx)
        monkeypatch.setattr(queries, "find_fingerprint", original)
        await admin.execute("create table passing (id integer)")
        return told

    monkeypatch.setattr(queries, "find_fingerprint", meanwhile)
    assert await catalog.refresh_if_changed()
    assert ("public", "passing") in catalog.current.relations
    await admin.execute("drop table passing")
    assert await catalog.refresh_if_changed()
    assert ("public", "passing") not in catalog.current.relations
    assert not await catalog.refresh_if_changed()
