"""Every kind of change is noticed, nothing else is, and what is read of it alone is as good as reading everything."""

from collections.abc import Sequence

import msgspec
import pytest

from headwater.kernel.catalog import Catalog, Snapshot, queries
from headwater.kernel.database import Connection, Database, ReadingTransaction, Row

CHANGES = [
    "alter table children drop constraint by_code",
    "alter table children add constraint by_code foreign key (code) references parents (code)",
    "alter table parents rename code to sign",
    "alter table parents rename sign to code",
    "alter table children drop constraint children_pkey",
    "alter table children add primary key (parent)",
    "create table more (id integer)",
    "comment on table more is 'more of it'",
    "comment on column more.id is 'which'",
    "comment on schema mine is 'all of it'",
    "alter type mood add value 'tame'",
    "alter type mood rename value 'tame' to 'meek'",
    "alter type mood rename to temper",
    "alter sequence parents_id_seq rename to parents_numbers",
    "alter domain very_positive rename to most_positive",
    "alter table parts rename to pieces",
    "alter table pieces rename to parts",
    "alter function nothing() rename to nought",
    "comment on function nought() is 'none'",
    "create view twofold as select * from shown",
    "drop view twofold",
    "create trigger t instead of insert on counted for each row execute function triggered()",
    "drop trigger t on counted",
    "create function told(positive) returns json language sql as 'select null::json'",
    "create cast (positive as json) with function told(positive) as implicit",
    'create domain "text/x" as text;create function x() returns "text/x" language sql as $$ select null $$',
    "alter table more add column x text",
    "alter table more alter column x type varchar(9)",
    "alter table more alter column x type varchar(12)",
    "alter table more rename column x to y",
    "alter table more alter column y set default 'z'",
    "alter table more alter column y set not null",
    "alter table more add primary key (id)",
    "alter table more add constraint again unique (y)",
    "alter table more drop constraint again",
    "alter table more drop column y",
    "create function f() returns integer language sql as 'select 1'",
    "alter function f() stable",
    "drop function f()",
    "create policy p on more using (exists (select from parts))",
    "alter policy p on more using (false)",
    "create view seen as select 1 as id",
    "create or replace view seen as select id from parts",
    "drop view seen",
    "create schema theirs",
    "drop table more",
    "drop schema theirs",
]


async def whole(database: Database, version: int) -> Snapshot:
    """What somebody sees who looks for the first time."""
    fresh = Catalog(database)
    await fresh.refresh()
    return msgspec.structs.replace(fresh.current, version=version)


async def test_every_change_is_noticed_and_nothing_else_is(
    catalog: Catalog, admin: Connection, database: Database
) -> None:
    await catalog.refresh_if_changed()
    for change in CHANGES:
        before = catalog.version
        await admin.execute(change)
        assert await catalog.refresh_if_changed(), change
        assert catalog.version == before + 1, change
        assert not await catalog.refresh_if_changed(), change
        assert catalog.current == await whole(database, catalog.version), change
    before = catalog.version
    await admin.execute("insert into mine.things values (1)")
    await admin.execute("analyze mine.things")
    await admin.execute("grant select on mine.things to anon")
    await catalog.refresh()
    assert not await catalog.refresh_if_changed()
    assert catalog.version == before


async def test_only_what_changed_is_read_again(
    catalog: Catalog, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    listed = queries.list_relations

    async def listen(tx: ReadingTransaction, oids: Sequence[int]) -> list[Row]:
        asked.append(len(oids))
        return await listed(tx, oids)

    monkeypatch.setattr(queries, "list_relations", listen)
    await admin.execute("create table apart (id integer primary key)")
    await catalog.refresh()
    await admin.execute("alter table apart add other integer")
    await catalog.refresh()
    await catalog.refresh()
    assert asked == [1, 1]
    await catalog.reload()
    assert asked[-1] == len(catalog.current.relations)
