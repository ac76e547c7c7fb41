"""Partitions, composite types, comments, identities and where sequences stand survive an export and an import."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Database, Login
from tests.platform.database.test_transfer import EVERYTHING, Desk

SCHEMA = """
create type currency as enum ('eur', 'usd');
create type money_of as (amount numeric(12, 2), "in What" currency);
create domain positive as int check (value > 0);
create type place as (x positive, prices money_of[]);
create table events (
  id bigint generated always as identity (start with 100 increment by 10), at date not null,
  kind text default 'plain', price money_of, twice numeric generated always as ((price).amount * 2) stored,
  primary key (at, id), constraint short check (length(kind) < 20)
) partition by range (at);
create table events_2029 partition of events for values from ('2029-01-01') to ('2030-01-01');
create table events_2030 partition of events for values from ('2030-01-01') to ('2031-01-01') partition by range (id);
create table "events 2030 low" partition of events_2030 for values from (minvalue) to (115);
create table events_2030_rest partition of events_2030 default;
alter table events_2029 alter column kind set default 'old', alter column price set not null;
alter table events_2029 add constraint of_old check (kind <> 'new');
create index events_by_kind on events (kind);
create index old_by_price on events_2029 ((price));
create table notes (
  id serial primary key, place place, event_at date, event_id bigint,
  foreign key (event_at, event_id) references events (at, id)
);
create sequence tickets start 5 increment 5;
create sequence unused minvalue 10 start 20;
alter sequence unused restart with 77;
create view loud with (security_invoker = true) as select id from events where kind = 'loud';
create function price_of(e events) returns numeric language sql stable as $$ select (e.price).amount $$;
create function price_of(n int) returns int language sql immutable as $$ select n $$;
create trigger stamp before update on events for each row execute function suppress_redundant_updates_trigger();
create policy everyone on events using (true);
alter table events enable row level security;
comment on table events is 'What happened; it''s "all"';
comment on column events.kind is 'how';
comment on table events_2029 is 'long ago';
comment on type money_of is 'an amount';
comment on domain positive is 'more than nothing';
comment on index events_by_kind is 'for the list';
comment on constraint short on events is 'no essays';
comment on policy everyone on events is 'open';
comment on trigger stamp on events is 'saves work';
comment on view loud is 'the loud ones';
comment on function price_of(int) is 'of a number';
insert into events (at, kind, price) values ('2029-05-05', 'old', (1.5, 'eur')), ('2030-05-05', 'loud', (2, 'usd')),
  ('2030-06-06', 'else', null);
insert into notes (place, event_at, event_id) select row(3, array[(9.99, 'usd')::money_of])::place, at, id from events;
select nextval('tickets'), nextval('tickets');
"""
EMPTY = """
drop view loud; drop function price_of(events), price_of(int); drop table notes, events; drop sequence tickets, unused;
drop type place; drop domain positive; drop type money_of, currency;
"""
COMMENTS = (
    "select array_agg(description order by description) from pg_description where objoid > 16383 and description ~ $1"
)


@pytest.fixture
async def desk(database: Database, clock: DrivenClock, connector: Connect) -> AsyncIterator[Desk]:
    connection = await connector(Login.ADMIN)
    await connection.execute(SCHEMA)
    yield Desk(database, clock, connection)
    await connection.close()


async def must_work(desk: Desk) -> None:
    """Everything behaves as it did: rows go where they belong, numbers go on, keys hold."""
    value = desk.connection.fetchval
    assert await value("select array_agg(tableoid::regclass::text order by id) from events") == [
        "events_2029",
        '"events 2030 low"',
        "events_2030_rest",
    ]
    assert await value("insert into events (at, kind) values ('2030-07-07', 'loud') returning id") == 130
    with pytest.raises(Exception, match='null value in column "price"'):
        await value("insert into events_2029 (at) values ('2029-07-07')")
    assert await value("select twice from events where id = 110") == 4
    assert await value("select nextval('tickets')") == 15
    assert await value("select nextval('unused')") == 77
    assert await value("select (place).prices[1].amount::text from notes where id = 1") == "9.99"
    assert await value("insert into notes (place) values (null) returning id") == 4
    assert await value("select price_of(e) from events e where id = 100") == 1.5


@pytest.mark.parametrize("kind", ["sql", "json"])
async def test_every_kind_of_thing_is_the_same_elsewhere(desk: Desk, kind: str) -> None:
    told = ["all", "amount", "ago", "essays", "how", "list", "loud ones", "nothing", "number", "open", "saves"]
    comments = await desk.connection.fetchval(COMMENTS, "|".join(told))
    first = await desk.export(format="json", **EVERYTHING)
    script = first if kind == "json" else await desk.export(**EVERYTHING)
    await desk.connection.execute(EMPTY)
    assert await desk.connection.fetchval(COMMENTS, "essays|amount") is None
    content = msgspec.json.encode(script["data"]) if kind == "json" else script["data"].encode()
    answer = await desk.take_in(content, f"export.{kind}")
    assert answer["rowsImported"] == 6
    assert await desk.export(format="json", **EVERYTHING) == first
    assert await desk.connection.fetchval(COMMENTS, "|".join(told)) == comments
    await must_work(desk)


async def test_a_partition_brings_what_it_is_a_part_of(desk: Desk) -> None:
    told = await desk.export(format="json", tables=["events_2029"], includeData=False)
    assert set(told["data"]["tables"]) == {"events", "events_2029"}
    assert {each["name"] for each in told["data"]["types"]} == {"currency", "money_of"}
    told = await desk.export(format="json", tables=["events"])
    tables: dict[str, Any] = told["data"]["tables"]
    assert [name for name, table in tables.items() if "rows" in table] == [
        "events_2029",
        "events 2030 low",
        "events_2030_rest",
    ]
    assert next(iter(tables)) == "events"


async def test_types_within_types_come_along(desk: Desk) -> None:
    told = await desk.export(format="json", tables=["notes"], includeData=False)
    assert [each["name"] for each in told["data"]["types"]] == ["currency", "money_of", "positive", "place"]
