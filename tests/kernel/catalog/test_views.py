"""Which columns of views are columns of tables, found in the rules that make the views."""

from collections.abc import AsyncIterator

import pytest

from headwater.kernel.catalog import Catalog, Snapshot
from headwater.kernel.database import Connect, Connection, Database, Login

SCHEMA = r"""
create schema hidden;
create table hidden.authors (id integer primary key, name text, "a } { :resno 5 :x" integer);
create table hidden.books (
  id integer, edition integer, author integer references hidden.authors, title text, primary key (id, edition));
create schema open;
create view open.authors as select id, name as called, "a } { :resno 5 :x" from hidden.authors;
create view open.books as select * from hidden.books;
create view open.titles as select author, title, upper(title) as loud, id + 1 as next from open.books;
create materialized view open.kept as select id, edition, title from open.books;
create view open.joined as
  select b.id, b.edition, b.author, a.name, a.id as writer, (select max(x.id) from hidden.books x) as newest
  from hidden.books b join hidden.authors a on a.id = b.author where b.id in (select y.id from hidden.books y);
create view open.with_query as
  with recent as (select id, title from hidden.books) select title, id, ':resno 1' as "}" from recent;
create view open.sub as select s.id, s.n from (select author as id, count(*) as n from hidden.books group by 1) s;
create view open.both as select id from hidden.books union all select id from hidden.authors;
create view open.grouped as select author, count(*) as n from hidden.books group by author;
create view open.reordered as select title, edition, id from open.kept;
create view open.system as select tableoid, b from hidden.books b;
"""


@pytest.fixture
async def admin(connector: Connect) -> AsyncIterator[Connection]:
    connection = await connector(Login.ADMIN)
    await connection.execute(SCHEMA)
    yield connection
    await connection.close()


@pytest.fixture
async def catalog(database: Database, admin: Connection) -> Catalog:
    catalog = Catalog(database, frozenset({"hidden"}))
    await catalog.refresh()
    return catalog


def origins(snapshot: Snapshot, view: str) -> dict[str, tuple[str, str]]:
    return {
        each.column: (f"{each.base_schema}.{each.base_relation}", each.base_column)
        for each in snapshot.view_columns
        if (each.schema, each.view) == ("open", view)
    }


def test_columns_are_followed_to_their_tables(catalog: Catalog) -> None:
    books, authors = "hidden.books", "hidden.authors"
    expected = {
        "authors": {
            "id": (authors, "id"),
            "called": (authors, "name"),
            "a } { :resno 5 :x": (authors, "a } { :resno 5 :x"),
        },
        "books": {name: (books, name) for name in ("id", "edition", "author", "title")},
        "titles": {name: (books, name) for name in ("author", "title")},
        "kept": {name: (books, name) for name in ("id", "edition", "title")},
        "joined": {
            **{name: (books, name) for name in ("id", "edition", "author")},
            "name": (authors, "name"),
            "writer": (authors, "id"),
        },
        "with_query": {name: (books, name) for name in ("id", "title")},
        "sub": {"id": (books, "author")},
        "both": {},
        "grouped": {"author": (books, "author")},
        "reordered": {name: (books, name) for name in ("title", "edition", "id")},
        "system": {},
    }
    assert {view: origins(catalog.current, view) for view in expected} == expected


def test_a_view_has_the_keys_it_shows_whole(catalog: Catalog) -> None:
    keys = {name: r.primary_key for (schema, name), r in catalog.current.relations.items() if schema == "open"}
    assert keys == {
        "authors": ("id",),
        "books": ("id", "edition"),
        "titles": (),
        "kept": ("id", "edition"),
        "joined": ("id", "edition", "writer"),
        "with_query": (),
        "sub": (),
        "both": (),
        "grouped": (),
        "reordered": ("id", "edition"),
        "system": (),
    }


async def test_what_changes_below_is_seen_above(catalog: Catalog, admin: Connection) -> None:
    await admin.execute("alter table hidden.books rename column author to writer")
    await catalog.refresh()
    assert origins(catalog.current, "titles")["author"] == ("hidden.books", "writer")
    await admin.execute("alter table hidden.books rename to volumes")
    await catalog.refresh()
    assert origins(catalog.current, "titles")["author"] == ("hidden.volumes", "writer")
    await admin.execute("alter table hidden.volumes drop constraint books_pkey")
    await catalog.refresh()
    assert catalog.current.relations["open", "joined"].primary_key == ("writer",)
    await admin.execute("create or replace view open.grouped as select 1 as author, count(*) as n from hidden.volumes")
    await catalog.refresh()
    assert origins(catalog.current, "grouped") == {}
    await admin.execute("drop table hidden.volumes cascade")
    await catalog.refresh()
    assert {each.view for each in catalog.current.view_columns} == {"authors"}


async def test_a_view_over_a_changed_view_is_told_anew(catalog: Catalog, admin: Connection) -> None:
    assert catalog.current.relations["open", "titles"].insertable
    await admin.execute("create or replace view open.books as select distinct * from hidden.books")
    await catalog.refresh()
    assert not catalog.current.relations["open", "titles"].insertable
