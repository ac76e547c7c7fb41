"""Rows looked at and changed by hand: over HTTP as the dashboard asks, and what can go wrong on a real Postgres."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest

from headwater.kernel.database import Database, Transactions
from headwater.kernel.errors import Refusal
from headwater.kernel.models import RawRequest
from headwater.platform.database.models import ChangedRecord, EndedRecords, ListRecords
from headwater.platform.database.operations import AdminRecords
from tests.kit.server import RunningServer
from tests.platform.database.desk import ADMIN, INJECTIONS, Desk, refused

TABLE = "grid & co"
PATH = f"/api/database/admin/tables/{quote(TABLE, safe='')}/records"
MAKE = f"""
create type mood as enum ('good', 'bad');
create domain short as varchar(5);
create table "{TABLE}" (
  a int not null default 7, b text default 'b', "c;d" mood, big int8, price numeric(20, 6), at timestamptz, day date,
  tags text[], doc jsonb, raw bytea, took interval, code short, need int not null default 0, primary key (a, need));
alter table "{TABLE}" enable row level security;
"""


@pytest.fixture
def grid(server: RunningServer) -> Iterator[httpx.Client]:
    server.sql(MAKE)
    with server.client(server.admin_key) as client:
        yield client
    server.sql(f'drop table "{TABLE}"; drop domain short; drop type mood')


def test_rows_go_in_and_come_out_in_one_form(grid: httpx.Client) -> None:
    row = {
        "a": 1,
        "b": "it's",
        "c;d": "bad",
        "big": 9007199254740993,
        "price": "12345678901234.123456",
        "at": "2026-01-02T03:04:05.000Z",
        "day": "2026-01-02T00:00:00.000Z",
        "tags": ["x", 'y"', None],
        "doc": {"k": [1, None]},
        "raw": "\\x0102",
        "took": "1 day 02:00",
        "code": "äöü",
        "need": 3,
    }
    told = row | {
        "big": "9007199254740993",
        "raw": {"type": "Buffer", "data": [1, 2]},
        "took": {"days": 1, "hours": 2},
    }
    made = grid.post(PATH, json=[row])
    assert (made.status_code, made.json()) == (201, [told])
    found = grid.get(PATH)
    assert (found.status_code, found.json()) == (200, [told])
    assert found.headers["content-range"] == "0-0/1"
    assert found.headers["preference-applied"] == "count=exact"
    change = {"pkKeys": {"a": 1, "need": 3}, "data": {"big": told["big"], "day": told["day"], "price": 0.1, "doc": "x"}}
    changed = grid.patch(PATH, json=change)
    assert (changed.status_code, changed.json()) == (200, told | {"price": "0.100000", "doc": "x"})


def test_nothing_is_told_as_nothing(grid: httpx.Client) -> None:
    answer = grid.get(PATH)
    assert (answer.status_code, answer.json(), answer.headers["content-range"]) == (200, [], "0--1/0")
    grid.post(PATH, json=[{"a": 1}])
    beyond = grid.get(PATH, params={"offset": 5})
    assert (beyond.status_code, beyond.json(), beyond.headers["content-range"]) == (206, [], "0--1/1")
    assert grid.get(PATH + "/lookup", params={"column": "a", "value": "99"}).json() is None


def test_blanks_are_defaults_or_nulls_where_no_text_is(grid: httpx.Client) -> None:
    made = grid.post(PATH, json=[{"a": "", "b": "", "c;d": "", "code": ""}, {"need": 1}]).json()[0]
    assert (made["a"], made["b"], made["c;d"], made["code"]) == (7, "", None, "")


def test_all_rows_are_added_or_none(grid: httpx.Client) -> None:
    answer = grid.post(PATH, json=[{"a": 1}, {"a": 2, "b": "x"}, {"b": "y", "a": 3}, {"a": 1}])
    assert (answer.status_code, answer.json()["error"]) == (409, "DATABASE_DUPLICATE")
    assert grid.get(PATH).json() == []
    made = grid.post(PATH, json=[{"a": 1}, {"a": 2, "b": "x"}, {"b": "y", "a": 3}]).json()
    assert [(row["a"], row["b"]) for row in made] == [(1, "b"), (2, "x"), (3, "y")]


@pytest.fixture
def filled(grid: httpx.Client, server: RunningServer) -> httpx.Client:
    server.sql(
        f"""insert into "{TABLE}" (a, b, "c;d", need)
        select n, case n % 3 when 0 then '100%' when 1 then 'a_b' else 'A\\B' end,
        case when n % 2 = 0 then 'good' else 'bad' end::mood, n from generate_series(1, 12) n"""
    )
    return grid


@pytest.mark.parametrize(
    ("asked", "rows", "total", "status"),
    [
        ({}, list(range(1, 13)), 12, 200),
        ({"limit": 5}, [1, 2, 3, 4, 5], 12, 206),
        ({"limit": 5, "offset": 10}, [11, 12], 12, 206),
        ({"sort": "c;d:desc,a:desc", "limit": 2}, [11, 9], 12, 206),
        ({"sort": "b", "limit": 3}, [3, 6, 9], 12, 206),
        ({"sort": "b:ASC, a:DESC", "limit": 3}, [12, 9, 6], 12, 206),
        ({"search": "%"}, [3, 6, 9, 12], 4, 200),
        ({"search": "_"}, [1, 4, 7, 10], 4, 200),
        ({"search": "a\\b"}, [2, 5, 8, 11], 4, 200),
        ({"search": "12"}, [12], 1, 200),
        ({"search": "' or true --"}, [], 0, 200),
        ({"filterColumn": "c;d", "filterValue": "good"}, [2, 4, 6, 8, 10, 12], 6, 200),
        ({"filterColumn": "c;d", "filterValue": "good", "search": "a_b", "limit": 1}, [4], 2, 206),
        ({"filterColumn": "a", "filterValue": "3"}, [3], 1, 200),
    ],
)
def test_pages(filled: httpx.Client, asked: dict[str, Any], rows: list[int], total: int, status: int) -> None:
    answer = filled.get(PATH, params=asked)
    assert (answer.status_code, [row["a"] for row in answer.json()]) == (status, rows), answer.text
    start = asked.get("offset", 0)
    assert answer.headers["content-range"] == (f"{start}-{start + len(rows) - 1}/{total}" if rows else f"0--1/{total}")


@pytest.mark.parametrize(
    ("pairs", "row"),
    [
        ([("column", "a"), ("value", "3")], 3),
        ([("column", "a"), ("column", "need"), ("value", "3"), ("value", "3")], 3),
        ([("column", "a"), ("value", "3"), ("column", "need"), ("value", "4")], None),
        ([("column", "b"), ("value", "100%"), ("column", "a"), ("value", "9"), ("schema", "public")], 9),
    ],
)
def test_one_row_is_looked_up_by_its_values(filled: httpx.Client, pairs: Any, row: int | None) -> None:
    answer = filled.get(PATH + "/lookup", params=pairs)
    assert answer.status_code == 200
    found = answer.json()
    assert (found and found["a"]) == row


def test_rows_are_deleted_by_their_keys(filled: httpx.Client) -> None:
    keys = [{"a": 1, "need": 1}, {"a": 2, "need": 2}, {"a": 99, "need": 1}]
    answer = filled.request("DELETE", PATH, json={"pkKeys": keys})
    assert (answer.status_code, answer.json()) == (200, {"deletedCount": 2})
    assert [row["a"] for row in filled.get(PATH, params={"limit": 1}).json()] == [3]


KEY = {"a": 1, "need": 1}
REFUSALS: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "", {"params": {"limit": 0}}, 400, "INVALID_INPUT"),
    ("GET", "", {"params": {"limit": 501}}, 400, "INVALID_INPUT"),
    ("GET", "", {"params": {"offset": -1}}, 400, "INVALID_INPUT"),
    ("GET", "", {"params": {"offset": 10**30}}, 400, "INVALID_INPUT"),
    ("GET", "", {"params": {"sort": "a:up"}}, 400, "INVALID_INPUT"),
    ("GET", "", {"params": {"sort": "nope:asc"}}, 400, "DATABASE_VALIDATION_ERROR"),
    ("GET", "", {"params": {"filterColumn": "a"}}, 400, "INVALID_INPUT"),
    ("GET", "", {"params": {"filterColumn": "nope", "filterValue": "1"}}, 400, "DATABASE_VALIDATION_ERROR"),
    ("GET", "", {"params": {"filterColumn": "a", "filterValue": "x"}}, 400, "DATABASE_VALIDATION_ERROR"),
    ("GET", "", {"params": {"schema": "nowhere"}}, 404, "DATABASE_NOT_FOUND"),
    ("GET", "/lookup", {}, 400, "INVALID_INPUT"),
    ("GET", "/lookup", {"params": {"column": "a"}}, 400, "INVALID_INPUT"),
    ("GET", "/lookup", {"params": {"column": "nope", "value": "1"}}, 400, "DATABASE_VALIDATION_ERROR"),
    ("GET", "/lookup", {"params": {"column": "a", "value": "x"}}, 400, "DATABASE_VALIDATION_ERROR"),
    ("POST", "", {"json": {}}, 400, "INVALID_INPUT"),
    ("POST", "", {"json": list[Any]()}, 400, "INVALID_INPUT"),
    ("POST", "", {"json": [1]}, 400, "INVALID_INPUT"),
    ("POST", "", {"content": b"[{"}, 400, "INVALID_INPUT"),
    ("POST", "", {"content": b"\xff"}, 400, "INVALID_INPUT"),
    ("POST", "", {"json": [{"nope": 1}]}, 400, "DATABASE_VALIDATION_ERROR"),
    ("POST", "", {"json": [{"a": "x"}]}, 400, "DATABASE_VALIDATION_ERROR"),
    ("POST", "", {"json": [{"a": None}]}, 400, "MISSING_FIELD"),
    ("POST", "", {"json": [{"code": "too long"}]}, 400, "DATABASE_VALIDATION_ERROR"),
    ("POST", "", {"json": [{"b": "\0"}]}, 400, "DATABASE_VALIDATION_ERROR"),
    ("PATCH", "", {"json": {"pkKeys": KEY}}, 400, "INVALID_INPUT"),
    ("PATCH", "", {"json": {"pkKeys": {}, "data": {"b": 1}}}, 400, "INVALID_INPUT"),
    ("PATCH", "", {"json": {"pkKeys": KEY, "data": {}}}, 400, "INVALID_INPUT"),
    ("PATCH", "", {"json": {"pkKeys": {"a": 1}, "data": {"b": "x"}}}, 400, "INVALID_INPUT"),
    ("PATCH", "", {"json": {"pkKeys": KEY, "data": {"need": ""}}}, 400, "INVALID_INPUT"),
    ("PATCH", "", {"json": {"pkKeys": KEY, "data": {"nope": 1}}}, 400, "DATABASE_VALIDATION_ERROR"),
    ("PATCH", "", {"json": {"pkKeys": {"a": 99, "need": 1}, "data": {"b": "x"}}}, 404, "DATABASE_NOT_FOUND"),
    ("PATCH", "", {"json": {"pkKeys": KEY, "data": {"a": 2, "need": 2}}}, 409, "DATABASE_DUPLICATE"),
    ("DELETE", "", {"json": {}}, 400, "INVALID_INPUT"),
    ("DELETE", "", {"json": {"pkKeys": list[Any]()}}, 400, "INVALID_INPUT"),
    ("DELETE", "", {"json": {"pkKeys": [dict[str, Any]()]}}, 400, "INVALID_INPUT"),
    ("DELETE", "", {"json": {"pkKeys": [KEY, {"a": 2}]}}, 400, "INVALID_INPUT"),
    ("DELETE", "", {"json": {"pkKeys": [KEY, {"a": 2, "need": 2, "nope": 1}]}}, 400, "DATABASE_VALIDATION_ERROR"),
]


@pytest.mark.parametrize(("method", "path", "more", "status", "error"), REFUSALS)
def test_what_cannot_be_is_told_and_changes_nothing(
    filled: httpx.Client, method: str, path: str, more: dict[str, Any], status: int, error: str
) -> None:
    before = filled.get(PATH).json()
    answer = filled.request(method, PATH + path, **more)
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.json()["message"]
    assert filled.get(PATH).json() == before


class Rows:
    """The grid without HTTP."""

    def __init__(self, database: Database) -> None:
        self.desk = Desk(database)
        self.records = AdminRecords(database)

    async def list(self, table: str, **asked: Any) -> Any:
        body = ListRecords(table=table, **asked)
        reply = await self.records.list_records(Transactions(self.desk.database), ADMIN, body)
        return msgspec.json.decode(reply.body)

    async def create(self, table: str, *records: dict[str, Any], query: str = "") -> Any:
        raw = RawRequest(
            method="POST", path="", parameters={"table": table}, query=query, headers={},
            body=msgspec.json.encode(records), address="", id="",
        )  # fmt: skip
        rows = await self.records.create_records(Transactions(self.desk.database), ADMIN, raw)
        return msgspec.json.decode(msgspec.json.encode(rows))

    async def update(self, table: str, key: dict[str, Any], **values: Any) -> Any:
        asked = {"table": table, "pkKeys": key, "data": values}
        return await self.desk.ask(self.records.update_record, ChangedRecord, **asked)

    async def delete(self, table: str, *keys: dict[str, Any]) -> Any:
        return await self.desk.ask(self.records.delete_records, EndedRecords, table=table, pkKeys=keys)


@pytest.fixture
async def rows(database: Database) -> Rows:
    made = Rows(database)
    await made.desk.sql("create table people (id int primary key, name text); insert into people values (1, 'a')")
    return made


async def test_a_table_without_a_key_changes_one_row_or_none(rows: Rows) -> None:
    await rows.desk.sql("create table loose (a int, b text); insert into loose values (1, null), (2, 'x'), (2, 'x')")
    assert await rows.update("loose", {"a": 1, "b": None}, b="now") == {"a": 1, "b": "now"}
    await refused(409, "DATABASE_VALIDATION_ERROR", rows.update("loose", {"a": 2, "b": "x"}, b="y"))
    await refused(409, "DATABASE_VALIDATION_ERROR", rows.delete("loose", {"a": 1, "b": "now"}, {"a": 2}))
    assert len(await rows.list("loose")) == 3
    assert await rows.delete("loose", {"a": 1, "b": "now"}) == {"deletedCount": 1}


async def test_views_and_other_schemas_are_looked_at_too(rows: Rows) -> None:
    await rows.desk.sql(
        "create schema shop; create table shop.goods (n int); insert into shop.goods values (1); "
        "create view names as select name from people; create materialized view counted as select 1 n"
    )
    assert await rows.list("goods", schema="shop") == [{"n": 1}]
    assert await rows.list("names") == [{"name": "a"}]
    assert await rows.list("counted") == [{"n": 1}]
    assert await rows.create("goods", {"n": 2}, query="schema=shop") == [{"n": 2}]
    await refused(403, "FORBIDDEN", rows.list("migrations", schema="system"))


async def test_triggers_act_and_leave_nothing_behind(rows: Rows) -> None:
    await rows.desk.sql(
        "create function f() returns trigger language plpgsql as $$ begin "
        "perform set_config('search_path', 'pg_catalog', false); new.name = upper(new.name); return new; end $$; "
        "create trigger t before insert on people for each row execute function f()"
    )
    assert await rows.create("people", {"id": 2, "name": "b"}) == [{"id": 2, "name": "B"}]
    assert await rows.desk.value("show search_path") == "public"


async def test_generated_and_identity_columns(rows: Rows) -> None:
    await rows.desk.sql(
        "create table made (id int generated always as identity primary key, a int, "
        "d int generated always as (a * 2) stored)"
    )
    assert await rows.create("made", {"id": "", "a": 4}) == [{"id": 1, "a": 4, "d": 8}]
    assert await rows.update("made", {"id": 1}, a=5) == {"id": 1, "a": 5, "d": 10}
    await refused(400, "DATABASE_VALIDATION_ERROR", rows.create("made", {"id": 7, "a": 4}))
    await refused(400, "DATABASE_VALIDATION_ERROR", rows.update("made", {"id": 1}, d=4))


async def test_what_was_tried_is_audited(rows: Rows, database: Database) -> None:
    with pytest.raises(Refusal):
        await rows.delete("people", {"nope": 1})
    entries = await database.reading(lambda tx: tx.rows("select action, details from system.audit_logs"))
    assert [entry["action"] for entry in entries if "people" in entry["details"]][-1] == "DELETE_RECORDS"


@pytest.mark.parametrize("attack", INJECTIONS)
async def test_no_field_breaks_out_of_its_statement(rows: Rows, attack: str) -> None:
    attempts = [
        rows.list(attack),
        rows.list("people", schema=attack),
        rows.list("people", search=attack),
        rows.list("people", sort=attack),
        rows.list("people", sort=f"name:{attack}"),
        rows.list("people", filter_column=attack, filter_value="x"),
        rows.list("people", filter_column="name", filter_value=attack),
        rows.create(attack, {"id": 2}),
        rows.create("people", {attack: 2}),
        rows.create("people", {"id": 3, "name": attack}),
        rows.create("people", {"id": attack}),
        rows.create("people", {"id": 4}, query=f"schema={attack}"),
        rows.update("people", {"id": 1}, name=attack),
        rows.update("people", {attack: 1}, name="x"),
        rows.update("people", {"id": attack}, name="x"),
        rows.update("people", {"id": 1}, **{attack: 1}),
        rows.delete("people", {attack: 1}),
        rows.delete("people", {"id": attack}),
    ]
    for attempt in attempts:
        assert await rows.desk.status(attempt) in {200, 400, 404}
        assert await rows.desk.value("select to_regclass('people') is not null") is True
    assert await rows.desk.value("select count(*)::int from people") == 2
