"""Tables that inherit and types of ranges survive an export and an import."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Database, Login
from tests.platform.database.test_transfer import EVERYTHING, Desk

SCHEMA = """
create domain height as numeric check (value > -12000);
create function apart(a height, b height) returns float8 language sql immutable strict as $$ select (a - b)::float8 $$;
create type layer as range (subtype = height, subtype_diff = apart, multirange_type_name = "many Layers");
create type span as range (subtype = text, subtype_opclass = text_pattern_ops, collation = "C");
create type bed as (name text, within layer);
create table places (
  id serial primary key, name text not null default 'here', height height, constraint named check (name <> '')
);
create table marked (mark text, since date default '2030-01-01');
create table cities (
  population int not null, depths "many Layers", name text not null default 'town',
  constraint alive check (population > 0)
) inherits (places, marked);
create table "Capital s" (state text unique, letters span) inherits (cities);
alter table cities alter column since set default '1999-09-09', alter column height set not null;
alter table places add column later int default 7;
create table apart_first (id int, name text not null, more bed);
create table joined (extra int, name text not null default 'x', mark text, since date);
alter table joined inherit marked;
create index deep on cities using gist (depths);
create policy everyone on cities using (true);
alter table cities enable row level security;
insert into places (name, height) values ('moor', 3);
insert into cities (name, height, mark, population, depths) values ('York', 17, 'm', 9, '{[-3, 4), [5, 6)}');
insert into "Capital s" (name, height, population, state, letters) values ('Rome', 21, 5, 'it', '[a,c)');
insert into apart_first values (1, 'x', row('sand', '[1,2)'));
insert into joined (mark) values ('j');
"""
EMPTY = """
drop table joined, apart_first, "Capital s", cities, marked, places;
drop type bed; drop type layer; drop type span; drop function apart; drop domain height;
"""


@pytest.fixture
async def desk(database: Database, clock: DrivenClock, connector: Connect) -> AsyncIterator[Desk]:
    connection = await connector(Login.ADMIN)
    await connection.execute(SCHEMA)
    yield Desk(database, clock, connection)
    await connection.close()


async def must_work(desk: Desk) -> None:
    """Rows are seen through those above, and a change above reaches those below, but only what they inherited."""
    value = desk.connection.fetchval
    assert await value("select array_agg(tableoid::regclass::text || ' ' || name order by id) from places") == [
        "places moor",
        "cities York",
        '"Capital s" Rome',
    ]
    assert await value("insert into cities (height, population) values (1, 1) returning id") == 4
    assert await value("select concat_ws(' ', name, since, later) from cities where id = 4") == "town 1999-09-09 7"
    with pytest.raises(Exception, match='"named"'):
        await value("""insert into "Capital s" (name, height, population) values ('', 1, 1)""")
    assert await value("select letters from \"Capital s\" where 'b'::text <@ letters") is not None
    assert await value("select 5.5::height <@ depths from cities where name = 'York'") is True
    assert await value("select 'layer(1,2)' is not null and lower('(1,2)'::layer) = 1") is True
    assert await value("select rngsubdiff::text from pg_range where rngtypid = 'layer'::regtype") == "apart"
    await desk.connection.execute(
        "alter table places drop column name, drop column later; alter table marked rename mark to sign"
    )
    columns = "select array_agg(attname::text order by attnum) from pg_attribute where attnum > 0 and not attisdropped"
    assert await value(f"{columns} and attrelid = 'joined'::regclass") in (
        ["extra", "name", "sign", "since"],
        ["sign", "since", "extra", "name"],
    )
    left = await value(f"{columns} and attrelid = 'cities'::regclass")
    assert set(left) == {"id", "name", "height", "sign", "since", "population", "depths"}


async def facts(desk: Desk) -> Any:
    """Everything there is; where a column stands does not count, because heirs have the inherited ones first."""
    told = await desk.export(format="json", **EVERYTHING)
    for table in told["data"]["tables"].values():
        table["schema"] = {column["columnName"]: column for column in table["schema"]}
    return told


async def test_what_is_there_works(desk: Desk) -> None:
    await must_work(desk)


@pytest.mark.parametrize("kind", ["sql", "json"])
async def test_heirs_and_ranges_are_the_same_elsewhere(desk: Desk, kind: str) -> None:
    first = await facts(desk)
    script = await desk.export(format=kind, **EVERYTHING)
    await desk.connection.execute(EMPTY)
    content = msgspec.json.encode(script["data"]) if kind == "json" else script["data"].encode()
    assert (await desk.take_in(content, f"export.{kind}"))["rowsImported"] == 5
    assert await facts(desk) == first
    await must_work(desk)


async def test_an_heir_brings_those_above_it_and_its_types(desk: Desk) -> None:
    told = await desk.export(format="json", tables=["Capital s"])
    assert list(told["data"]["tables"]) == ["marked", "places", "cities", "Capital s"]
    assert [each["name"] for each in told["data"]["types"]] == ["height", "layer", "span"]
    assert [len(table["rows"]) for table in told["data"]["tables"].values()] == [0, 1, 1, 1]
    assert list((await desk.export(format="json", tables=["places"]))["data"]["tables"]) == ["places"]
    await desk.connection.execute(EMPTY)
    assert (await desk.take_in(msgspec.json.encode(told["data"]), "export.json"))["rowsImported"] == 3


async def test_rows_of_heirs_are_not_counted_above(desk: Desk) -> None:
    assert "truncated" not in await desk.export(rowLimit=1)


async def test_a_table_that_inherits_from_elsewhere_stands_alone(desk: Desk) -> None:
    await desk.connection.execute(
        "create schema other; create table other.base (id int, name text default 'n');"
        " create table heir (own int) inherits (other.base); insert into heir values (1, 'a', 2)"
    )
    script = (await desk.export(tables=["heir"]))["data"]
    await desk.connection.execute("drop schema other cascade")
    assert (await desk.take_in(script))["rowsImported"] == 1
    assert await desk.connection.fetchval("select name from heir") == "a"
