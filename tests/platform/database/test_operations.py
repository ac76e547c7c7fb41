"""Tables made, described and ended, and SQL run, on a real Postgres."""

import asyncio
from typing import Any

import msgspec
import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Database, Transactions
from headwater.kernel.errors import Refusal
from headwater.kernel.models import CacheKey
from headwater.kernel.principal import principal_from_claims
from headwater.platform.database import DatabaseAdmin
from headwater.platform.database.models import ListTables, NamedTable, Sql, WantedTable

ADMIN = principal_from_claims({"sub": "local:admin", "role": "project_admin"})
USER = principal_from_claims({"sub": "00000000-0000-4000-8000-000000000001", "role": "authenticated"})
NOTES = {
    "tableName": "notes",
    "columns": [
        {"columnName": "title", "type": "string", "isNullable": False, "isUnique": True},
        {"columnName": "done", "type": "boolean", "isNullable": False, "isUnique": False},
        {"columnName": "mood", "type": "string", "isNullable": True, "isUnique": False, "defaultValue": "it's fine"},
        {"columnName": "user_id", "type": "uuid", "isNullable": True, "isUnique": False},
    ],
    "foreignKeys": [
        {
            "referenceTable": "auth.users",
            "referenceColumns": [{"sourceColumn": "user_id", "referenceColumn": "id"}],
            "onDelete": "CASCADE",
            "onUpdate": "NO ACTION",
        }
    ],
}


TERMINATE_SLEEPERS = """
select pg_terminate_backend(pid) from pg_stat_activity where query like '%sleep(21)%' and pid <> pg_backend_pid()
"""
COUNT_SLEEPERS = "select count(*) from pg_stat_activity where query like '%sleep(20)%' and pid <> pg_backend_pid()"


class Desk:
    """The admin at work: each call is one request with effects of its own."""

    def __init__(self, database: Database) -> None:
        self.admin = DatabaseAdmin(database, Catalog(database))
        self.database = database
        self.forgets: list[CacheKey] = []

    async def create(self, **wanted: Any) -> dict[str, Any]:
        transactions = Transactions(self.database)
        answer = await self.admin.create_table(transactions, ADMIN, msgspec.convert(wanted, WantedTable))
        self.forgets = transactions.effects.forgets
        return msgspec.json.decode(msgspec.json.encode(answer))

    async def describe(self, table: str, schema: str = "public") -> dict[str, Any]:
        body = NamedTable(table=table, schema=schema)
        answer = await self.admin.describe_table(Transactions(self.database), ADMIN, body)
        return msgspec.json.decode(msgspec.json.encode(answer))

    async def tables(self, schema: str = "public") -> list[str]:
        return await self.database.reading(lambda tx: self.admin.list_tables(tx, ADMIN, ListTables(schema=schema)))

    async def sql(self, query: str, *params: object, explain: bool = False, unrestricted: bool = False) -> Any:
        transactions = Transactions(self.database)
        run = self.admin.run_sql_unrestricted if unrestricted else self.admin.run_sql
        result = await run(transactions, ADMIN, Sql(query=query, params=params, explain=explain))
        self.forgets = transactions.effects.forgets
        return msgspec.json.decode(msgspec.json.encode(result))

    async def value(self, query: str, *params: object) -> Any:
        (row,) = (await self.sql(query, *params))["rows"]
        (value,) = row.values()
        return value


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


async def refused(status: int, code: str, work: Any) -> str:
    with pytest.raises(Refusal) as caught:
        await work
    assert (caught.value.status, caught.value.code) == (status, code), caught.value.message
    return caught.value.message


async def test_a_table_is_answered_as_the_contract_says(desk: Desk) -> None:
    answer = await desk.create(**NOTES)
    assert answer["schemaName"] == "public"
    assert answer["tableName"] == "notes"
    assert answer["autoFields"] == ["id", "created_at", "updated_at"]
    assert answer["columns"][1] == {
        "columnName": "done",
        "type": "boolean",
        "sqlType": "boolean",
        "isNullable": False,
        "isUnique": False,
        "defaultValue": "false",
    }
    assert answer["message"] and answer["nextActions"]
    assert desk.forgets == ["catalog"]


async def test_a_table_is_described_as_it_was_asked_for(desk: Desk) -> None:
    await desk.create(**NOTES)
    await desk.sql("insert into notes (title) values ('a'), ('b')")
    told = await desk.describe("notes")
    assert (told["schemaName"], told["tableName"], told["recordCount"]) == ("public", "notes", 2)
    columns = {column["columnName"]: column for column in told["columns"]}
    assert list(columns) == ["id", "title", "done", "mood", "user_id", "created_at", "updated_at"]
    assert columns["id"] == {
        "columnName": "id",
        "type": "uuid",
        "isNullable": False,
        "isPrimaryKey": True,
        "isUnique": True,
        "defaultValue": "gen_random_uuid()",
    }
    assert columns["title"]["isUnique"] is True and columns["title"]["isNullable"] is False
    assert "defaultValue" not in columns["title"]
    assert columns["mood"]["defaultValue"] == "it's fine"
    assert columns["updated_at"]["type"] == "datetime" and columns["updated_at"]["defaultValue"] == "now()"
    assert told["foreignKeys"] == [
        {
            "constraintName": "fk_user_id_auth_users_id",
            "referenceTable": "auth.users",
            "referenceColumns": [{"sourceColumn": "user_id", "referenceColumn": "id"}],
            "onDelete": "CASCADE",
            "onUpdate": "NO ACTION",
        }
    ]


async def test_the_diagrams_spelling_makes_the_same_table(desk: Desk) -> None:
    await desk.create(
        name="todos", columns=[{"name": "title", "type": "text", "nullable": False, "unique": True}], useRLS=True
    )
    told = await desk.describe("todos")
    title = told["columns"][1]
    assert (title["type"], title["isNullable"], title["isUnique"]) == ("string", False, True)
    assert await desk.tables() == ["todos"]


async def test_row_level_security_is_the_default_and_can_be_left_out(desk: Desk) -> None:
    column = {"columnName": "n", "type": "integer"}
    await desk.create(tableName="closed", columns=[column])
    await desk.create(tableName="open", columns=[column], rlsEnabled=False)
    await desk.create(name="ajar", columns=[column], useRLS=False)
    rows = await desk.sql("select relname, relrowsecurity from pg_class where relname in ('closed', 'open', 'ajar')")
    assert {row["relname"]: row["relrowsecurity"] for row in rows["rows"]} == {
        "closed": True,
        "open": False,
        "ajar": False,
    }


async def test_users_see_no_row_until_a_policy_lets_them(desk: Desk, database: Database) -> None:
    await desk.create(**NOTES)
    await desk.sql("insert into notes (title) values ('secret')")

    async def count() -> int:
        return await database.reading(lambda tx: tx.value("select count(*) from public.notes"), USER)

    assert await count() == 0
    await desk.sql("create policy everybody on notes for select to authenticated using (true)")
    assert await count() == 1


async def test_without_bypassrls_a_policy_lets_the_admin_through(
    desk: Desk, database: Database, cluster: Any, database_name: str
) -> None:
    async def bypass(may: str) -> None:
        connection = await cluster.superuser(database_name)
        await connection.execute(f"alter role project_admin {may}")
        await connection.close()

    await asyncio.to_thread(cluster.run, bypass("nobypassrls"))
    try:
        await desk.create(**NOTES)
        await desk.sql("alter table notes force row level security; insert into notes (title) values ('mine')")
        assert await desk.value("select count(*) from notes") == "1"
    finally:
        await asyncio.to_thread(cluster.run, bypass("bypassrls"))


async def test_an_update_moves_updated_at(desk: Desk) -> None:
    await desk.create(**NOTES)
    await desk.sql("insert into notes (title, updated_at) values ('a', '2001-01-01')")
    await desk.sql("update notes set title = 'b'")
    assert await desk.value("select updated_at > '2002-01-01' from notes") is True
    names = await desk.sql("select tgname from pg_trigger where tgrelid = 'notes'::regclass and not tgisinternal")
    assert names["rows"] == [{"tgname": "notes_update_timestamp"}]


async def test_every_type_and_its_system_default(desk: Desk) -> None:
    types = ["string", "date", "datetime", "integer", "float", "boolean", "uuid", "json"]
    columns = [{"columnName": f"c_{kind}", "type": kind, "isNullable": False} for kind in types]
    await desk.create(tableName="every", columns=columns)
    told = {column["columnName"]: column for column in (await desk.describe("every"))["columns"]}
    assert [told[f"c_{kind}"]["type"] for kind in types] == types
    defaults = {kind: told[f"c_{kind}"].get("defaultValue") for kind in types}
    assert {kind: default for kind, default in defaults.items() if default is not None} == {
        "date": "now()",
        "datetime": "now()",
        "boolean": "false",
        "uuid": "gen_random_uuid()",
    }


async def test_names_of_any_kind_stay_what_they_are(desk: Desk) -> None:
    name = "drop table users; -- 'ünï' (x)"
    await desk.create(tableName=name, columns=[{"columnName": "select", "type": "string", "defaultValue": "'); drop"}])
    assert await desk.tables() == [name]
    assert (await desk.describe(name))["columns"][1]["defaultValue"] == "'); drop"
    long = "t" * 63
    await desk.create(tableName=long, columns=[{"columnName": "c" * 63, "type": "integer"}])
    assert (await desk.describe(long))["columns"][1]["columnName"] == "c" * 63


async def test_a_foreign_key_to_a_table_of_ones_own(desk: Desk) -> None:
    await desk.create(**NOTES)
    key = {"referenceTable": "notes", "referenceColumns": [{"sourceColumn": "note", "referenceColumn": "id"}]}
    await desk.create(tableName="pages", columns=[{"columnName": "note", "type": "uuid"}], foreignKeys=[key])
    (told,) = (await desk.describe("pages"))["foreignKeys"]
    assert (told["constraintName"], told["referenceTable"], told["onDelete"]) == (
        "fk_note_notes_id",
        "notes",
        "NO ACTION",
    )


@pytest.mark.parametrize(
    ("wanted", "status", "code"),
    [
        ({"tableName": "t", "columns": []}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"tableName": "t", "columns": [{"columnName": "id", "type": "uuid"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        (
            {
                "tableName": "t",
                "columns": [{"columnName": "id", "type": "integer"}, {"columnName": "a", "type": "string"}],
            },
            400,
            "DATABASE_VALIDATION_ERROR",
        ),
        ({"tableName": "", "columns": [{"columnName": "a", "type": "string"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"tableName": "t" * 64, "columns": [{"columnName": "a", "type": "string"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"tableName": 'a"b', "columns": [{"columnName": "a", "type": "string"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"tableName": "t", "columns": [{"columnName": "a", "type": "hat"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        (
            {"tableName": "t", "columns": [{"columnName": "a", "type": "string"}, {"name": "a", "type": "uuid"}]},
            400,
            "DATABASE_VALIDATION_ERROR",
        ),
        (
            {
                "tableName": "t",
                "columns": [{"columnName": "a", "type": "string"}],
                "foreignKeys": [
                    {"referenceTable": "u", "referenceColumns": [{"sourceColumn": "id", "referenceColumn": "id"}]}
                ],
            },
            400,
            "DATABASE_FORBIDDEN",
        ),
        (
            {"tableName": "t", "columns": [{"columnName": "a", "type": "string"}], "schema": "auth"},
            403,
            "DATABASE_FORBIDDEN",
        ),
        (
            {"tableName": "t", "columns": [{"columnName": "a", "type": "string"}], "schema": "nowhere"},
            404,
            "DATABASE_NOT_FOUND",
        ),
    ],
)
async def test_what_cannot_be_made_is_refused(desk: Desk, wanted: dict[str, Any], status: int, code: str) -> None:
    await refused(status, code, desk.create(**wanted))
    assert await desk.tables() == []


async def test_a_table_is_made_once_whoever_is_first(desk: Desk) -> None:
    outcomes = await asyncio.gather(*(desk.create(**NOTES) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 1
    assert {getattr(outcome, "code", "") for outcome in outcomes if isinstance(outcome, Exception)} == {
        "DATABASE_DUPLICATE"
    }
    await refused(400, "DATABASE_DUPLICATE", desk.create(**NOTES))


async def test_a_table_ends_with_what_depends_on_it(desk: Desk, database: Database) -> None:
    await desk.create(**NOTES)
    await desk.sql("create view titles as select title from notes")
    transactions = Transactions(database)
    gone = await desk.admin.drop_table(transactions, ADMIN, NamedTable(table="notes"))
    assert transactions.effects.forgets == ["catalog"]
    assert msgspec.to_builtins(gone).keys() == {"schemaName", "message", "tableName", "nextActions"}
    assert await desk.tables() == []
    for work in (
        desk.admin.drop_table(Transactions(database), ADMIN, NamedTable(table="notes")),
        desk.describe("notes"),
        desk.describe("titles"),
        desk.tables("nowhere"),
    ):
        await refused(404, "DATABASE_NOT_FOUND", work)
    users = NamedTable(table="users", schema="auth")
    await refused(403, "DATABASE_FORBIDDEN", desk.admin.drop_table(Transactions(database), ADMIN, users))


async def test_what_was_done_is_audited(desk: Desk, database: Database) -> None:
    await desk.create(**NOTES)
    await desk.admin.drop_table(Transactions(database), ADMIN, NamedTable(table="notes"))
    await refused(400, "DATABASE_VALIDATION_ERROR", desk.sql("select * from nowhere"))
    rows = await database.reading(lambda tx: tx.rows("select action, details from system.audit_logs order by id"))
    audited = {row["action"]: msgspec.json.decode(row["details"]) for row in rows}
    assert audited == {
        "CREATE_TABLE": {"schema": "public", "table": "notes"},
        "DROP_TABLE": {"schema": "public", "table": "notes"},
        "RUN_SQL": {"query": "select * from nowhere", "unrestricted": False},
    }


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("1::int4", 1),
        ("9007199254740993::int8", "9007199254740993"),
        ("1.50::numeric", "1.50"),
        ("1e20::numeric", "100000000000000000000"),
        ("'NaN'::numeric", "NaN"),
        ("0.1::float4", 0.1),
        ("1::float4 / 3", 0.3333333333333333),
        ("(1::float4 / 3)::float4", 0.33333334),
        ("'NaN'::float8", None),
        ("true", True),
        ("null::int", None),
        ("'2024-02-03 04:05:06.789123+02'::timestamptz", "2024-02-03T02:05:06.789Z"),
        ("'2024-02-03 04:05:06'::timestamp", "2024-02-03T04:05:06.000Z"),
        ("'2024-02-03'::date", "2024-02-03T00:00:00.000Z"),
        ("'infinity'::timestamptz", None),
        ("'04:05:06'::time", "04:05:06"),
        ("'04:05:06+02'::timetz", "04:05:06+02"),
        ("'1 year 2 mons -3 days'::interval", {"years": 1, "months": 2, "days": -3}),
        ("'-04:00:05.5'::interval", {"hours": -4, "seconds": -5, "milliseconds": -500}),
        ("'-1 year'::interval", {"years": -1}),
        ("""'{"a": [1.0, null]}'::jsonb""", {"a": [1.0, None]}),
        ("'null'::json", None),
        ("row('{}'::json, 1)", "({},1)"),
        ("""array['{"a":1}'::jsonb, null]""", [{"a": 1}, None]),
        ("array[1, 2]", [1, 2]),
        ("array[array['a', null], array['b', 'c']]", [["a", None], ["b", "c"]]),
        ("array[1::int8]", ["1"]),
        ("'\\x01ff'::bytea", {"type": "Buffer", "data": [1, 255]}),
        ("'6a1b1c1e-0000-4000-8000-000000000000'::uuid", "6a1b1c1e-0000-4000-8000-000000000000"),
        ("'a'::\"char\"", "a"),
        ("'10.0.0.1/8'::inet", "10.0.0.1/8"),
        ("point(1, 2.5)", {"x": 1.0, "y": 2.5}),
        ("b'101'", "101"),
        ("int4range(1, 5)", "[1,5)"),
        ("'empty'::int4range", "empty"),
        ("'{[1,3),[5,6)}'::int4multirange", "{[1,3),[5,6)}"),
        ("row(1, 'a b', null, true)", '(1,"a b",,t)'),
        ("'1 2'::int2vector", "1 2"),
        ("'pg_class'::regclass", "pg_class"),
        ("'16/B374D848'::pg_lsn", "16/B374D848"),
        ("12.5::money", "$12.50"),
    ],
)  # fmt: skip
async def test_values_have_the_forms_of_node_pg(desk: Desk, expression: str, told: object) -> None:
    assert await desk.value(f"select {expression} as v") == told


async def test_a_result_names_its_fields_and_counts_its_rows(desk: Desk) -> None:
    assert await desk.sql("select 1 as a, 'x'::text as b") == {
        "rows": [{"a": 1, "b": "x"}],
        "rowCount": 1,
        "fields": [{"name": "a", "dataTypeID": 23}, {"name": "b", "dataTypeID": 25}],
    }
    assert await desk.sql("create table t (id int)") == {"rows": [], "rowCount": None, "fields": []}
    assert desk.forgets == ["catalog"]
    assert (await desk.sql("insert into t values (1), (2)"))["rowCount"] == 2
    assert desk.forgets == []
    assert await desk.sql("update t set id = id + 1 returning id") == {
        "rows": [{"id": 2}, {"id": 3}],
        "rowCount": 2,
        "fields": [{"name": "id", "dataTypeID": 23}],
    }
    assert await desk.sql(" -- nothing ") == {"rows": [], "rowCount": None, "fields": []}


async def test_several_statements_return_every_result_or_nothing_happens(desk: Desk) -> None:
    result = await desk.sql("create table t (id int); insert into t values (1); select 'ü' as a; select id from t;")
    assert result["rows"] == [{"id": 1}]
    assert [(r["rows"], r["rowCount"]) for r in result["results"]] == [
        ([], None),
        ([], 1),
        ([{"a": "ü"}], 1),
        ([{"id": 1}], 1),
    ]
    await refused(409, "DATABASE_DUPLICATE", desk.sql("create unique index on t (id); insert into t values (2), (1)"))
    assert await desk.value("select count(*) from t") == "1"


@pytest.mark.parametrize(
    ("query", "param", "told"),
    [
        ("select $1::int as v", 5, 5),
        ("select $1::int as v", "5", 5),
        ("select $1::int as v", 5.0, 5),
        ("select $1::text as v", 5, "5"),
        ("select $1::bool as v", True, True),
        ("select $1::int as v", None, None),
        ("select $1::timestamptz as v", "2024-01-02T03:04:05.678Z", "2024-01-02T03:04:05.678Z"),
        ("select $1::interval as v", "1 mon", {"months": 1}),
        ("select $1::jsonb as v", {"a": [1]}, {"a": [1]}),
        ("select $1::jsonb as v", [1, {"b": None}], [1, {"b": None}]),
        ("select $1::int[] as v", [1, None, 2], [1, None, 2]),
        ("select $1::text[] as v", ['a "b"', "c\\d", "", None], ['a "b"', "c\\d", "", None]),
        ("select $1::char(3) as v", "ab", "ab "),
        ("select $1 as v", "free", "free"),
        ("select $1::numeric as v", 1e300, "1" + "0" * 300),
    ],
)
async def test_parameters_are_what_postgres_makes_of_them(desk: Desk, query: str, param: object, told: object) -> None:
    assert await desk.value(query, param) == told


async def test_parameters_of_types_of_ones_own(desk: Desk) -> None:
    await desk.sql("create type mood as enum ('sad', 'ok'); create table m (a mood, b mood[])")
    await desk.sql("insert into m values ($1, $2)", "ok", ["sad", "ok"])
    assert (await desk.sql("select * from m where a = $1", "ok"))["rows"] == [{"a": "ok", "b": ["sad", "ok"]}]


@pytest.mark.parametrize(
    ("query", "params", "status", "code"),
    [
        ("selekt 1", (), 400, "DATABASE_VALIDATION_ERROR"),
        ("select 1\0; set role postgres", (), 400, "DATABASE_VALIDATION_ERROR"),
        ("select * from nowhere", (), 400, "DATABASE_VALIDATION_ERROR"),
        ("select 1/0", (), 400, "DATABASE_VALIDATION_ERROR"),
        ("do $$ begin raise exception 'no' using errcode = 'XX000'; end $$", (), 400, "DATABASE_VALIDATION_ERROR"),
        ("vacuum", (), 400, "DATABASE_VALIDATION_ERROR"),
        ("select $1::int", ("x",), 400, "DATABASE_VALIDATION_ERROR"),
        ("select $1::int", (), 400, "INVALID_INPUT"),
        ("select $1::int", (1, 2), 400, "INVALID_INPUT"),
        ("select 1; select $1::int", (1,), 400, "INVALID_INPUT"),
        ("select $1::text", ("\0",), 400, "DATABASE_VALIDATION_ERROR"),
        ("select '294276-01-01'::timestamp", (), 400, "DATABASE_VALIDATION_ERROR"),
        ("select '0044-03-15 BC'::date", (), 400, "DATABASE_VALIDATION_ERROR"),
        ("select c from pg_class c limit 1", (), 400, "DATABASE_VALIDATION_ERROR"),
        ("create table system.x (id int)", (), 403, "FORBIDDEN"),
        ("alter system set work_mem = '1GB'", (), 400, "DATABASE_VALIDATION_ERROR"),
        ("select pg_read_file('/etc/passwd')", (), 403, "FORBIDDEN"),
        ("select pg_terminate_backend(pg_backend_pid())", (), 403, "FORBIDDEN"),
    ],
)
async def test_sql_that_fails_is_refused_with_the_reason(
    desk: Desk, query: str, params: tuple[object, ...], status: int, code: str
) -> None:
    assert await refused(status, code, desk.sql(query, *params))
    assert await desk.value("select 1") == 1


async def test_the_sentence_holds_postgres_words_and_code(desk: Desk) -> None:
    syntax = await refused(400, "DATABASE_VALIDATION_ERROR", desk.sql("select 'é' frm x y"))
    assert syntax == 'syntax error at or near "x" at position 16 (SQLSTATE 42601)'
    missing = await refused(400, "DATABASE_VALIDATION_ERROR", desk.sql("select * from nowhere"))
    assert 'relation "nowhere" does not exist' in missing and "42P01" in missing


async def test_nothing_is_left_on_a_session_for_the_next(desk: Desk, database: Database) -> None:
    await desk.sql(
        """
        do $$ begin
          perform set_config('search_path', 'pg_catalog', false), pg_advisory_lock(1);
          execute 'create temporary table t (id int)';
          execute 'prepare p as select 1';
          execute 'listen loud';
        end $$
        """
    )
    left = """
        select current_setting('search_path') as path, current_user as role,
          (select count(*) from pg_prepared_statements where name = 'p') as prepared,
          (select count(*) from pg_listening_channels()) as channels,
          to_regclass('pg_temp.t') is null as clean
    """
    (row,) = (await desk.sql(left))["rows"]
    assert row == {"path": "public", "role": "project_admin", "prepared": "0", "channels": "0", "clean": True}
    assert database.lease.lent_count == 0


async def test_unrestricted_is_the_owner_and_no_superuser(desk: Desk) -> None:
    result = await desk.sql(
        "select current_user as who, rolsuper from pg_roles where rolname = current_user", unrestricted=True
    )
    assert result["rows"] == [{"who": "headwater_owner", "rolsuper": False}]
    assert await desk.value("select current_setting('request.jwt.claims')::json->>'role'") == "project_admin"


async def test_a_plan_is_told_and_nothing_done(desk: Desk) -> None:
    result = await desk.sql("select 1 where $1::int > 0", 1, explain=True)
    assert "Plan" in result["rows"][0]["QUERY PLAN"][0]
    await desk.sql("create table t (id int); create function f() returns int language sql as "
                   "'insert into t values (1) returning id'")  # fmt: skip
    for refused_query in ("insert into t values (1)", "select 1; select 2", "create table u ()"):
        await refused(400, "INVALID_INPUT", desk.sql(refused_query, explain=True))
    await refused(400, "DATABASE_VALIDATION_ERROR", desk.sql("select f()", explain=True))
    assert await desk.value("select count(*) from t") == "0"


async def test_a_lost_connection_is_told_as_unavailable(desk: Desk, cluster: Any, database_name: str) -> None:
    async def terminate() -> None:
        connection = await cluster.superuser(database_name)
        while not await connection.fetch(TERMINATE_SLEEPERS):  # noqa: ASYNC110 - PostgreSQL rings no bell
            await asyncio.sleep(0.05)
        await connection.close()

    running = asyncio.ensure_future(desk.sql("select pg_sleep(21)"))
    await asyncio.to_thread(cluster.run, terminate())
    await refused(503, "DATABASE_UNAVAILABLE", running)
    assert await desk.value("select 1") == 1


async def test_a_cancelled_request_leaves_nothing_running(
    desk: Desk, database: Database, cluster: Any, database_name: str
) -> None:
    async def until_it_sleeps() -> None:
        connection = await cluster.superuser(database_name)
        while not await connection.fetchval(COUNT_SLEEPERS):  # noqa: ASYNC110 - PostgreSQL rings no bell
            await asyncio.sleep(0.05)
        await connection.close()

    running = asyncio.ensure_future(desk.sql("create table t (id int); select pg_sleep(20)"))
    await asyncio.to_thread(cluster.run, until_it_sleeps())
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert database.lease.lent_count == 0
    assert await desk.tables() == []
