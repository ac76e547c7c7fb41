"""What the catalog tells of functions, of domains that are written their own way, and of media types."""

import pytest

from headwater.kernel.catalog import Catalog, Function, MediaHandler, Representation, Snapshot
from headwater.kernel.database import Connect, Database, Login

SCHEMA = """
create domain hue as integer;
create type pair as (one varchar(4), two hue);
create table films (id integer primary key, title text);
comment on table films is 'moving';
create view shown as select * from films;
create function label(films) returns text language sql stable as 'select $1.title';
create function sequels(f films) returns setof films rows 7 language sql stable as 'select * from films';
create function of_shown(shown) returns films language sql stable as 'select null::films';
create function by_body(json) returns json language sql as 'select $1';
create function by_bodies(json, json) returns json language sql as 'select $1';
create function by_number(integer) returns integer language sql as 'select $1';
create function half_named(a integer, text) returns integer language sql as 'select $1';
create function raised(a integer, inout b integer, out c text) language sql as 'select 1, null::text';
create function one_out(a integer, out b integer) language sql as 'select 1';
create function listed(a integer default 3) returns table (x integer, y hue) language sql as 'select 1, 1';
create function paired() returns pair language sql as 'select null::pair';
comment on function paired() is 'Two of a kind';
create function loose() returns setof record language sql as 'select 1';
create procedure done() language sql as '';
create aggregate summed(integer) (sfunc = int4pl, stype = integer);
create function told(hue) returns json language sql immutable as $$ select to_json('#' || $1) $$;
create function heard(json) returns hue language sql immutable as $$ select 1::hue $$;
create function "Read"(text) returns hue language sql immutable as $$ select 1::hue $$;
create domain "application/x-film" as bytea;
create domain "*/*" as bytea;
create function raw() returns "application/x-film" language sql as 'select null::bytea';
create function step(state "application/x-film", next films) returns "application/x-film" language sql as 'select $1';
create aggregate film(films) (sfunc = step, stype = "application/x-film");
create function step_any("*/*", anyelement) returns "*/*" language sql as 'select $1';
create aggregate anything(anyelement) (sfunc = step_any, stype = "*/*");
"""
CASTS = """
create cast (hue as json) with function told(hue) as implicit;
create cast (json as hue) with function heard(json) as implicit;
create cast (text as hue) with function "Read"(text) as implicit;
"""


@pytest.fixture
async def snapshot(database: Database, connector: Connect) -> Snapshot:
    connection = await connector(Login.ADMIN)
    await connection.execute(SCHEMA + CASTS)
    await connection.close()
    catalog = Catalog(database)
    await catalog.refresh()
    return catalog.current


def the(snapshot: Snapshot, name: str) -> Function:
    (function,) = snapshot.functions["public", name]
    return function


def test_whose_row_a_function_takes_and_gives(snapshot: Snapshot) -> None:
    films = ("public", "films")
    assert {
        name: (the(snapshot, name).row_of, the(snapshot, name).returns_relation, the(snapshot, name).rows)
        for name in ("label", "sequels", "of_shown", "by_body", "loose")
    } == {
        "label": (films, None, 1.0),
        "sequels": (films, films, 7.0),
        "of_shown": (("public", "shown"), films, 1.0),
        "by_body": (None, None, 1.0),
        "loose": (None, None, 1000.0),
    }


def test_which_can_be_called_over_http(snapshot: Snapshot) -> None:
    refused = {name for (schema, name), (f, *_) in snapshot.functions.items() if schema == "public" and not f.callable}
    assert refused == {"label", "of_shown", "by_bodies", "by_number", "half_named", "told", "step_any"}
    assert "done" not in {name for _, name in snapshot.functions}
    assert "summed" not in {name for _, name in snapshot.functions}


def test_the_columns_of_what_comes_back(snapshot: Snapshot) -> None:
    def columns(name: str) -> list[tuple[str, str, str | None]]:
        return [(column.name, column.base_type, column.domain) for column in the(snapshot, name).columns]

    assert columns("listed") == [("x", "integer", None), ("y", "integer", "public.hue")]
    assert columns("raised") == [("b", "integer", None), ("c", "text", None)]
    assert columns("one_out") == [("b", "integer", None)]
    assert columns("paired") == [("one", "character varying", None), ("two", "integer", "public.hue")]
    assert the(snapshot, "paired").columns[0].max_length == 4
    assert columns("loose") == columns("sequels") == columns("by_number") == []
    assert all(the(snapshot, name).composite for name in ("listed", "raised", "one_out", "paired", "loose", "sequels"))
    assert not the(snapshot, "by_number").composite
    assert the(snapshot, "paired").comment == "Two of a kind"


def test_inputs_are_told_without_the_outputs(snapshot: Snapshot) -> None:
    assert [(a.name, a.type, a.has_default) for a in the(snapshot, "raised").arguments] == [
        ("a", "integer", False),
        ("b", "integer", False),
    ]
    assert [(a.name, a.type) for a in the(snapshot, "half_named").arguments] == [("a", "integer"), ("", "text")]
    assert the(snapshot, "listed").arguments[0].has_default


def test_domains_written_their_own_way(snapshot: Snapshot) -> None:
    assert dict(snapshot.representations) == {
        "public.hue": Representation(
            domain="public.hue", to_json="public.told", from_json="public.heard", from_text='public."Read"'
        )
    }


def test_media_types_of_ones_own(snapshot: Snapshot) -> None:
    def handler(name: str, media_type: str, relation: tuple[str, str] | None, *, aggregate: bool) -> MediaHandler:
        return MediaHandler(
            media_type=media_type,
            schema="public",
            name=name,
            aggregate=aggregate,
            relation=relation,
            binary=True,
        )

    assert {each.name: each for each in snapshot.media_handlers} == {
        "raw": handler("raw", "application/x-film", None, aggregate=False),
        "step": handler("step", "application/x-film", None, aggregate=False),
        "film": handler("film", "application/x-film", ("public", "films"), aggregate=True),
        "step_any": handler("step_any", "*/*", None, aggregate=False),
        "anything": handler("anything", "*/*", None, aggregate=True),
    }
