"""What is exported can be imported elsewhere, and is the same there: keys, constraints, sequences, policies, rows."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Connection, Database, Login, Transactions
from headwater.kernel.errors import Refusal
from headwater.kernel.models import RawRequest
from headwater.kernel.principal import principal_from_claims
from headwater.platform.database.models import WantedExport
from headwater.platform.database.operations import Transfers
from tests.platform.database.test_bulk import raw

ADMIN = principal_from_claims({"sub": "local:admin", "role": "project_admin"})
SCHEMA = r"""
create type mood as enum ('sad', 'it''s "ok"', 'happy');
create domain percent as int default 50 check (value between 0 and 100);
create table teams (id int generated always as identity primary key, name text not null unique, lead int);
create table people (
  id serial primary key, "Full Name" text not null default 'it''s;', feeling mood default 'happy', share percent,
  moods mood[], team int references teams (id) on delete cascade, twice int generated always as (id * 2) stored,
  worth numeric(20, 4), seen timestamptz, raw bytea, extra jsonb, updated_at timestamptz default now(),
  constraint named_check check (worth > 0 or worth is null), unique (team, "Full Name")
);
alter table teams add constraint led_by foreign key (lead) references people (id) deferrable initially deferred;
create index people_by_seen on people (seen desc) where seen is not null;
create function is_happy(m mood) returns boolean language sql immutable as $$ select m = 'happy'; $$;
create view happy_people with (security_invoker = true) as select id, "Full Name" from people where is_happy(feeling);
alter table people enable row level security;
create policy own_team on people as restrictive for update to authenticated, anon using (team = 1) with check (true);
create policy everyone on people using (true);
revoke insert on people from anon;
create trigger people_update_timestamp before update on people for each row execute function system.update_updated_at();
insert into teams (name) values ('a'), ('b');
insert into people ("Full Name", feeling, share, moods, team, worth, seen, raw, extra)
  values (E'tab\t "quoted" \\ \n é', 'it''s "ok"', 7, array['sad', null]::mood[], 1, 12345678901234.5678,
          '2026-01-02 03:04:05.678901+02', '\x00ff', '{"a": [1, null]}'),
         ('plain', null, null, '{}', null, null, null, null, null);
update teams set lead = 1 where id = 1;
"""
EMPTY = """
drop view happy_people; drop table people, teams cascade; drop function is_happy; drop type mood; drop domain percent;
"""


class Desk:
    """The admin with two places: what is exported from one is imported in the other."""

    def __init__(self, database: Database, clock: DrivenClock, connection: Connection) -> None:
        self.transfers = Transfers(database, Catalog(database), clock)
        self.database = database
        self.connection = connection

    async def export(self, **wanted: Any) -> Any:
        body = msgspec.convert(wanted, WantedExport)
        answer = await self.transfers.export_tables(Transactions(self.database), ADMIN, body)
        return msgspec.json.decode(msgspec.json.encode(answer))

    async def take_in(self, text: str | bytes, filename: str = "export.sql", **fields: str) -> Any:
        body = text.encode() if isinstance(text, str) else text
        query = "&".join(f"{name}={value}" for name, value in {"filename": filename, **fields}.items())
        request: RawRequest = raw(body, {"content-type": "application/sql"}, query)
        answer = await self.transfers.import_file(Transactions(self.database), ADMIN, request)
        return msgspec.json.decode(msgspec.json.encode(answer))


@pytest.fixture
async def desk(database: Database, clock: DrivenClock, connector: Connect) -> AsyncIterator[Desk]:
    connection = await connector(Login.ADMIN)
    await connection.execute(SCHEMA)
    yield Desk(database, clock, connection)
    await connection.close()


async def refused(status: int, code: str, work: Any) -> str:
    with pytest.raises(Refusal) as caught:
        await work
    assert (caught.value.status, caught.value.code) == (status, code), caught.value.message
    return caught.value.message


EVERYTHING = {"includeFunctions": True, "includeViews": True, "includeSequences": True}


async def same_again(desk: Desk, first: Any) -> None:
    """What is there now exports to the same, works as before, and gives out new numbers."""
    again = await desk.export(format="json", **EVERYTHING)
    assert again == first
    connection = desk.connection
    assert await connection.fetchval("insert into people (team) values (2) returning id") == 3
    assert await connection.fetchval("insert into teams (name) values ('c') returning id") == 3
    with pytest.raises(Exception, match="named_check"):
        await connection.execute("insert into people (worth) values (-1)")
    with pytest.raises(Exception, match="people_team_fkey"):
        await connection.execute("insert into people (team) values (99)")
    assert await connection.fetchval("select count(*) from happy_people") == 1
    assert await connection.fetchval("select has_table_privilege('anon', 'people', 'insert')") is False
    assert await connection.fetchval("select has_table_privilege('anon', 'people', 'select')") is True


async def test_sql_makes_the_same_elsewhere(desk: Desk) -> None:
    first = await desk.export(format="json", **EVERYTHING)
    script = await desk.export(**EVERYTHING)
    assert (script["format"], script["timestamp"], "truncated" in script) == ("sql", "2030-01-01T00:00:00.000Z", False)
    await desk.connection.execute(EMPTY)
    answer = await desk.take_in(script["data"])
    assert (answer["success"], answer["rowsImported"], answer["tables"]) == (True, 4, ["people", "teams"])
    assert answer["fileSize"] == len(script["data"].encode())
    await same_again(desk, first)


async def test_json_makes_the_same_elsewhere(desk: Desk) -> None:
    first = await desk.export(format="json", **EVERYTHING)
    people = first["data"]["tables"]["people"]
    assert [column["columnName"] for column in people["schema"]][:2] == ["id", "Full Name"]
    assert people["rlsEnabled"] is True
    assert {policy["policyName"] for policy in people["policies"]} == {"own_team", "everyone"}
    assert people["rows"][0]["worth"] == 12345678901234.5678
    raw_text = msgspec.json.encode(
        (
            await desk.transfers.export_tables(
                Transactions(desk.database), ADMIN, msgspec.convert({"format": "json", **EVERYTHING}, WantedExport)
            )
        ).content
    )
    await desk.connection.execute(EMPTY)
    assert (await desk.take_in(raw_text, "export.json"))["rowsImported"] == 4
    await same_again(desk, first)


async def test_csv_holds_the_rows(desk: Desk) -> None:
    told = await desk.export(format="csv", tables=["teams"])
    assert told["data"] == {"teams": "id,name,lead\n1,a,1\n2,b,\n"}


async def test_some_tables_bring_what_they_need(desk: Desk) -> None:
    told = await desk.export(format="json", tables=["people"], includeData=False)
    assert [each["name"] for each in told["data"]["types"]] == ["mood", "percent"]
    assert [each["name"] for each in told["data"]["sequences"]] == ["people_id_seq"]
    assert "rows" not in told["data"]["tables"]["people"]
    assert "functions" not in told["data"]
    await refused(404, "DATABASE_NOT_FOUND", desk.export(tables=["nobody"]))
    await refused(404, "DATABASE_NOT_FOUND", desk.export(schema="nowhere"))
    await refused(403, "DATABASE_FORBIDDEN", desk.export(schema="auth"))


async def test_rows_that_are_left_out_are_told(desk: Desk) -> None:
    await desk.connection.execute('insert into people ("Full Name") select n::text from generate_series(1, 20) n')
    told = await desk.export(rowLimit=5)
    assert told["truncated"] == {"people": 22}
    assert "-- not all rows: 'people' has 22" in told["data"]
    assert "truncated" not in await desk.export(rowLimit=22)


async def test_a_conflict_is_told_and_nothing_happens(desk: Desk) -> None:
    script = (await desk.export())["data"]
    await desk.connection.execute("drop table people, teams cascade")
    told = await refused(400, "DATABASE_VALIDATION_ERROR", desk.take_in(script, "mine.sql"))
    assert told.startswith("mine.sql: statement 2 failed at line 3, column 1: ")
    assert 'type "mood" already exists' in told
    assert "nothing was imported" in told
    assert await desk.connection.fetchval("select to_regclass('people')") is None


async def test_truncate_empties_what_is_written(desk: Desk) -> None:
    text = "insert into teams (name) values ('new')"
    assert (await desk.take_in(text))["rowsImported"] == 1
    await refused(400, "DATABASE_VALIDATION_ERROR", desk.take_in(text))
    told = await refused(400, "DATABASE_VALIDATION_ERROR", desk.take_in(text, truncate="true"))
    assert "truncate a table referenced in a foreign key" in told
    await desk.connection.execute("alter table people drop constraint people_team_fkey")
    assert (await desk.take_in(text, truncate="true"))["tables"] == ["teams"]
    assert await desk.connection.fetchval("select array_agg(name) from teams") == ["new"]


async def test_what_an_import_may_not(desk: Desk) -> None:
    await refused(403, "FORBIDDEN", desk.take_in("set role postgres"))
    await refused(403, "FORBIDDEN", desk.take_in("begin; select 1"))
    await refused(403, "FORBIDDEN", desk.take_in("copy teams from stdin"))
    await refused(400, "DATABASE_VALIDATION_ERROR", desk.take_in("selekt"))
    await refused(400, "INVALID_INPUT", desk.take_in(b"\xff", "x.sql"))
    await refused(400, "INVALID_INPUT", desk.take_in("select 1", "x.txt"))
    await refused(400, "INVALID_INPUT", desk.take_in('{"tables": 1}', "x.json"))
    told = await refused(400, "DATABASE_VALIDATION_ERROR", desk.take_in("select * from system.secrets"))
    assert "SQLSTATE 42501" in told


async def test_a_file_that_begins_with_a_byte_order_mark_is_taken(desk: Desk) -> None:
    marked = "\ufeffcreate table marked (a integer); insert into marked values (1), (2);".encode()
    assert (await desk.take_in(marked, "x.sql"))["rowsImported"] == 2


async def test_definitions_in_json_pass_the_same_guard(desk: Desk) -> None:
    sly: dict[str, Any] = {
        "timestamp": "x",
        "tables": {},
        "functions": [{"name": "f", "definition": "set role postgres; drop schema auth cascade"}],
    }
    await refused(403, "FORBIDDEN", desk.take_in(msgspec.json.encode(sly), "x.json"))


async def test_another_schema_keeps_its_name(desk: Desk) -> None:
    await desk.connection.execute("create schema shop; create table shop.items (id int primary key)")
    script = (await desk.export(schema="shop"))["data"]
    await desk.connection.execute("drop table shop.items")
    assert (await desk.take_in(script))["tables"] == ["items"]
    assert await desk.connection.fetchval("select to_regclass('shop.items') is not null")
