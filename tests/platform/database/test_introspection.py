"""Schemas, functions, indexes and triggers listed, made and ended, on a real Postgres."""

from typing import Any

import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Database, Login
from headwater.platform.database.models import (
    EndedFunction,
    EndedIndex,
    EndedSchema,
    InSchema,
    NewFunction,
    NewIndex,
    NewSchema,
    NewTrigger,
    OnTable,
    SwitchedTrigger,
)
from tests.kit.server import RunningServer
from tests.platform.database.desk import INJECTIONS, USER, Desk, refused

TABLES = """
create table notes (id uuid primary key default gen_random_uuid(), title text unique, age int, body text);
create table people (id uuid primary key);
create function stamp() returns trigger language plpgsql as $$ begin new.body = tg_argv[0]; return new; end $$;
"""


@pytest.fixture
async def desk(database: Database) -> Desk:
    made = Desk(database)
    await made.sql(TABLES)
    return made


async def schema_names(desk: Desk) -> dict[str, bool]:
    told = await desk.read(desk.schemas.list_schemas, InSchema)
    return {schema["name"]: schema["isProtected"] for schema in told["schemas"]}


async def test_schemas_say_whether_they_are_the_servers(desk: Desk) -> None:
    told = await schema_names(desk)
    assert told["public"] is False
    assert told["auth"] is told["system"] is True
    assert list(told) == sorted(told)
    assert not any(name.startswith("pg_") for name in told)


async def test_a_schema_is_made_served_and_ended(desk: Desk, database: Database) -> None:
    catalog = Catalog(database)
    made = await desk.ask(desk.schemas.create_schema, NewSchema, name="shop & co")
    assert made == {"message": "Schema shop & co created", "schemaName": "shop & co", "name": "shop & co"}
    assert desk.forgets == ["catalog"]
    await catalog.refresh()
    assert "shop & co" in catalog.current.exposed_schemas
    await refused(409, "DATABASE_DUPLICATE", desk.ask(desk.schemas.create_schema, NewSchema, name="shop & co"))
    await desk.sql('create table "shop & co".t ()')
    told = await refused(
        400, "DATABASE_VALIDATION_ERROR", desk.ask(desk.schemas.drop_schema, EndedSchema, name="shop & co")
    )
    assert "t depends on schema" in told
    await desk.ask(desk.schemas.drop_schema, EndedSchema, name="shop & co", cascade=True)
    await refused(404, "DATABASE_NOT_FOUND", desk.ask(desk.schemas.drop_schema, EndedSchema, name="shop & co"))


async def test_users_reach_a_schema_that_is_granted_to_them(desk: Desk) -> None:
    await desk.ask(desk.schemas.create_schema, NewSchema, name="shop", grantUsage=True)
    await desk.sql("create table shop.goods as select 1 as n")
    assert await desk.as_role(USER, "select n from shop.goods") == [{"n": 1}]


@pytest.mark.parametrize("name", ["auth", "system", "pg_mine", "information_schema"])
async def test_the_servers_schemas_are_neither_made_nor_ended(desk: Desk, name: str) -> None:
    await refused(403, "DATABASE_FORBIDDEN", desk.ask(desk.schemas.create_schema, NewSchema, name=name))
    await refused(403, "DATABASE_FORBIDDEN", desk.ask(desk.schemas.drop_schema, EndedSchema, name=name, cascade=True))


async def test_public_stays(desk: Desk) -> None:
    await refused(
        403, "DATABASE_FORBIDDEN", desk.ask(desk.schemas.drop_schema, EndedSchema, name="public", cascade=True)
    )


@pytest.mark.parametrize("field", ["functions", "triggers"])
async def test_a_list_is_of_one_schema_that_exists(desk: Desk, field: str) -> None:
    operation = getattr(getattr(desk, field), f"list_{field}")
    await desk.sql("create schema empty")
    assert await desk.read(operation, InSchema, schema="empty") == {field: []}
    await refused(404, "DATABASE_NOT_FOUND", desk.read(operation, InSchema, schema="nowhere"))


ADD = "create or replace function public.add(a int, b int default 1) returns int language sql as $$ select a + b $$"


async def test_functions_are_made_listed_and_ended(desk: Desk, database: Database) -> None:
    catalog = Catalog(database)
    made = await desk.ask(desk.functions.create_function, NewFunction, definition=ADD)
    assert (made["schemaName"], made["name"], desk.forgets) == ("public", "add", ["catalog"])
    await catalog.refresh()
    assert ("public", "add") in catalog.current.functions
    told = (await desk.read(desk.functions.list_functions, InSchema))["functions"]
    assert [function["functionName"] for function in told] == ["add", "stamp"]
    assert told[0]["functionDef"].startswith("CREATE OR REPLACE FUNCTION public.add(a integer, b integer DEFAULT 1)")
    assert {key: told[0][key] for key in ("kind", "arguments", "language", "isSecurityDefiner")} == {
        "kind": "f",
        "arguments": "a integer, b integer",
        "language": "sql",
        "isSecurityDefiner": False,
    }
    again = ADD.replace("create or replace", "create")
    await refused(409, "DATABASE_DUPLICATE", desk.ask(desk.functions.create_function, NewFunction, definition=again))
    await desk.ask(desk.functions.drop_function, EndedFunction, name="add")
    await refused(404, "DATABASE_NOT_FOUND", desk.ask(desk.functions.drop_function, EndedFunction, name="add"))


async def test_of_several_functions_one_is_meant(desk: Desk) -> None:
    await desk.ask(desk.functions.create_function, NewFunction, definition=ADD)
    other = "create procedure add(a text) language sql as $$ select 1 $$"
    await desk.ask(desk.functions.create_function, NewFunction, definition=other)
    told = await refused(
        400, "DATABASE_VALIDATION_ERROR", desk.ask(desk.functions.drop_function, EndedFunction, name="add")
    )
    assert "(IN a text)" in told and "(a integer, b integer)" in told
    await desk.ask(desk.functions.drop_function, EndedFunction, name="add", arguments="IN a text")
    await desk.ask(desk.functions.drop_function, EndedFunction, name="add")


@pytest.mark.parametrize(
    ("definition", "status"),
    [
        ("select 1", 400),
        ("", 400),
        ("create function", 400),
        (ADD + "; drop table people", 400),
        ("create function auth.mine() returns int language sql as 'select 1'", 403),
        ("create function nowhere.mine() returns int language sql as 'select 1'", 404),
        ("create function mine() returns no_such_type language sql as 'select 1'", 400),
        ("create function mine() returns int language sql as 'selekt 1'", 400),
    ],
)
async def test_a_definition_makes_a_function_and_nothing_else(desk: Desk, definition: str, status: int) -> None:
    assert await desk.status(desk.ask(desk.functions.create_function, NewFunction, definition=definition)) == status
    assert await desk.value("select to_regclass('people') is not null")


async def make_index(desk: Desk, **wanted: Any) -> Any:
    return await desk.ask(desk.indexes.create_index, NewIndex, tableName="notes", **wanted)


async def list_indexes(desk: Desk) -> dict[str, Any]:
    told = await desk.read(desk.indexes.list_indexes, InSchema)
    return {index["indexName"]: index for index in told["indexes"]}


async def test_indexes_are_listed_as_the_contract_says(desk: Desk) -> None:
    indexes = await list_indexes(desk)
    assert list(indexes) == ["notes_pkey", "notes_title_key", "people_pkey"]
    assert indexes["notes_pkey"] == {
        "tableName": "notes",
        "indexName": "notes_pkey",
        "indexDef": "CREATE UNIQUE INDEX notes_pkey ON public.notes USING btree (id)",
        "isUnique": True,
        "isPrimary": True,
        "isValid": True,
    }
    assert indexes["notes_title_key"]["isPrimary"] is False


@pytest.mark.parametrize("concurrently", [False, True])
async def test_an_index_of_columns_and_expressions(desk: Desk, concurrently: bool) -> None:
    parts = [
        "age",
        {"column": "title", "order": "desc", "nulls": "last", "operatorClass": "text_pattern_ops"},
        {"expression": "lower(body)"},
    ]
    made = await make_index(
        desk, columns=parts, include=["body"], where="age > 3 and title <> ')'", concurrently=concurrently
    )
    assert made["name"] == "notes_age_title_expr_idx" and desk.forgets == ["catalog"]
    definition = (await list_indexes(desk))["notes_age_title_expr_idx"]["indexDef"]
    assert definition == (
        "CREATE INDEX notes_age_title_expr_idx ON public.notes USING btree"
        " (age, title text_pattern_ops DESC NULLS LAST, lower(body)) INCLUDE (body)"
        " WHERE ((age > 3) AND (title <> ')'::text))"
    )
    again = make_index(desk, columns=parts, concurrently=concurrently)
    await refused(409, "DATABASE_DUPLICATE", again)
    assert "notes_age_title_expr_idx" in await list_indexes(desk)
    ending = {"name": "notes_age_title_expr_idx", "concurrently": concurrently}
    await desk.ask(desk.indexes.drop_index, EndedIndex, **ending)
    await refused(404, "DATABASE_NOT_FOUND", desk.ask(desk.indexes.drop_index, EndedIndex, **ending))


@pytest.mark.parametrize("concurrently", [False, True])
async def test_a_build_that_fails_leaves_nothing(desk: Desk, concurrently: bool) -> None:
    await desk.sql("insert into notes (age) values (1), (1)")
    told = await refused(
        400,
        "DATABASE_VALIDATION_ERROR",
        make_index(desk, columns=["age"], isUnique=True, concurrently=concurrently),
    )
    assert "notes_age_idx" in told and "(age)=(1)" in told
    assert "notes_age_idx" not in await list_indexes(desk)


async def test_a_concurrent_build_lets_writers_write(desk: Desk, database: Database) -> None:
    """It waits for those who write already, and whoever comes meanwhile does not wait for it."""
    async with database.lease.held(Login.ADMIN) as other:
        async with other.transaction():
            await other.execute("insert into notes (age) values (1)")
            await desk.sql("insert into notes (age) values (2)")
        await make_index(desk, columns=["age"], concurrently=True)
    assert (await list_indexes(desk))["notes_age_idx"]["isValid"]


async def test_an_index_that_a_key_stands_on_stays(desk: Desk) -> None:
    told = await refused(
        400,
        "DATABASE_VALIDATION_ERROR",
        desk.ask(desk.indexes.drop_index, EndedIndex, name="notes_pkey"),
    )
    assert "requires it" in told


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"columns": list[str]()}, 400),
        ({"columns": ["nope"]}, 400),
        ({"columns": [dict[str, str]()]}, 400),
        ({"columns": [{"column": "age", "expression": "age"}]}, 400),
        ({"columns": [{"expression": "random()"}]}, 400),
        ({"columns": [{"expression": "age, title"}]}, 400),
        ({"columns": ["age"], "where": "age > 1 --"}, 400),
        ({"columns": ["age"], "method": "gin"}, 400),
        ({"columns": ["age"], "indexName": "x" * 64}, 400),
        ({"columns": ["age"], "schema": "auth"}, 403),
        ({"columns": ["age"], "schema": "nowhere"}, 404),
    ],
)
async def test_an_index_that_cannot_be_is_refused(desk: Desk, wanted: dict[str, Any], status: int) -> None:
    assert await desk.status(make_index(desk, **wanted)) == status


async def make_trigger(desk: Desk, **wanted: Any) -> Any:
    asked: dict[str, Any] = {
        "tableName": "notes",
        "triggerName": "stamped",
        "functionName": "stamp",
        "events": ["INSERT", "UPDATE"],
    }
    return await desk.ask(desk.triggers.create_trigger, NewTrigger, **asked | wanted)


async def list_triggers(desk: Desk) -> list[dict[str, Any]]:
    return (await desk.read(desk.triggers.list_triggers, InSchema))["triggers"]


async def test_triggers_are_made_listed_switched_and_ended(desk: Desk) -> None:
    made = await make_trigger(desk, columns=["title"], when="new.title is not null", arguments=["it's", "b"])
    assert made["tableName"] == "notes" and made["name"] == "stamped"
    told = await list_triggers(desk)
    assert [trigger["eventManipulation"] for trigger in told] == ["INSERT", "UPDATE"]
    assert told[1] == {
        "tableName": "notes",
        "triggerName": "stamped",
        "actionTiming": "BEFORE",
        "eventManipulation": "UPDATE",
        "actionOrientation": "ROW",
        "actionCondition": "(new.title IS NOT NULL)",
        "actionStatement": "EXECUTE FUNCTION stamp('it''s', 'b')",
        "isEnabled": True,
    }
    assert await desk.value("insert into notes (title) values ('a') returning body") == "it's"
    switch = {"name": "stamped", "tableName": "notes", "enabled": False}
    await desk.ask(desk.triggers.switch_trigger, SwitchedTrigger, **switch)
    assert [trigger["isEnabled"] for trigger in await list_triggers(desk)] == [False, False]
    assert await desk.value("insert into notes (title) values ('b') returning body") is None
    await refused(409, "DATABASE_DUPLICATE", make_trigger(desk))
    await desk.ask(desk.triggers.drop_trigger, OnTable, name="stamped", table="notes")
    gone = desk.ask(desk.triggers.drop_trigger, OnTable, name="stamped", table="notes")
    await refused(404, "DATABASE_NOT_FOUND", gone)
    await refused(404, "DATABASE_NOT_FOUND", desk.ask(desk.triggers.switch_trigger, SwitchedTrigger, **switch))


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"events": list[str]()}, 400),
        ({"events": ["DELETE"], "columns": ["title"]}, 400),
        ({"events": ["UPDATE"], "columns": ["nope"]}, 400),
        ({"functionName": "nope"}, 400),
        ({"when": "true) execute function stamp(); drop table people; --"}, 400),
        ({"when": "nope.title is null"}, 400),
        ({"timing": "INSTEAD OF"}, 400),
        ({"arguments": ["\0"]}, 400),
        ({"tableName": "nope"}, 404),
        ({"schema": "auth", "tableName": "users"}, 403),
    ],
)
async def test_a_trigger_that_cannot_be_is_refused(desk: Desk, wanted: dict[str, Any], status: int) -> None:
    assert await desk.status(make_trigger(desk, **wanted)) == status
    assert await list_triggers(desk) == []


@pytest.mark.parametrize("attack", INJECTIONS)
async def test_no_field_breaks_out_of_its_statement(desk: Desk, attack: str) -> None:
    indexes = desk.indexes
    attempts = [
        desk.ask(desk.schemas.create_schema, NewSchema, name=attack, grantUsage=True),
        desk.ask(desk.schemas.drop_schema, EndedSchema, name=attack, cascade=True),
        desk.ask(desk.functions.create_function, NewFunction, definition=attack),
        desk.ask(desk.functions.create_function, NewFunction, definition=f"{ADD}; {attack}"),
        desk.ask(desk.functions.drop_function, EndedFunction, name=attack),
        desk.ask(desk.functions.drop_function, EndedFunction, name="stamp", arguments=attack),
        make_index(desk, columns=["age"], indexName=attack),
        make_index(desk, columns=[attack]),
        make_index(desk, columns=[{"expression": attack}]),
        make_index(desk, columns=[{"column": "age", "operatorClass": attack}]),
        make_index(desk, columns=["title"], include=[attack]),
        make_index(desk, columns=["body"], where=attack),
        make_index(desk, columns=["body"], where=attack, concurrently=True),
        make_index(desk, columns=["body"], schema=attack),
        desk.ask(indexes.drop_index, EndedIndex, name=attack),
        desk.ask(indexes.drop_index, EndedIndex, name=attack, concurrently=True),
        make_trigger(desk, triggerName=attack),
        make_trigger(desk, functionName=attack),
        make_trigger(desk, functionSchema=attack),
        make_trigger(desk, triggerName="t2", events=["UPDATE"], columns=[attack]),
        make_trigger(desk, triggerName="t3", when=attack),
        make_trigger(desk, triggerName="t4", arguments=[attack]),
        make_trigger(desk, tableName=attack),
        desk.ask(desk.triggers.drop_trigger, OnTable, name=attack, table="notes"),
        desk.ask(desk.triggers.drop_trigger, OnTable, name="stamped", table=attack),
        desk.ask(desk.triggers.switch_trigger, SwitchedTrigger, name=attack, tableName="notes", enabled=True),
        desk.read(desk.triggers.list_triggers, InSchema, schema=attack),
    ]
    for attempt in attempts:
        assert await desk.status(attempt) in {200, 400, 403, 404, 409}
        assert await desk.value("select to_regclass('people') is not null") is True


BASE = "/api/database"
SCENARIO: list[tuple[str, str, dict[str, Any], int, dict[str, Any]]] = [
    ("POST", "/schemas", {"json": {"name": "shop"}}, 201, {"name": "shop"}),
    ("POST", "/tables?schema=shop", {"json": {"name": "g", "columns": [{"name": "n", "type": "string"}]}}, 201, {}),
    ("PATCH", "/tables/g/schema?schema=shop", {"json": {"addColumns": [{"columnName": "m", "type": "numeric(4,1)"}]}},
     200, {"operations": ["Added column: m"], "schemaName": "shop"}),
    ("PATCH", "/tables/g/schema?schema=shop", {"json": {"updateColumns": [{"columnName": "n", "type": "int[]"}]}}, 200,
     {}),
    ("PATCH", "/tables/nope/schema", {"json": {}}, 404, {"error": "DATABASE_NOT_FOUND", "statusCode": 404}),
    ("PATCH", "/tables/g/schema?schema=shop", {"json": {"dropColumns": ["id"]}}, 403, {"error": "DATABASE_FORBIDDEN"}),
    ("POST", "/functions", {"json": {"definition": "create function shop.f() returns int return 1"}}, 201,
     {"name": "f"}),
    ("GET", "/functions?schema=shop", {}, 200, {}),
    ("DELETE", "/functions/f?schema=shop&arguments=", {}, 200, {"message": "Function f dropped"}),
    ("POST", "/indexes", {"json": {"tableName": "g", "columns": ["m"], "schema": "shop", "concurrently": True}}, 201,
     {"name": "g_m_idx", "tableName": "g"}),
    ("GET", "/indexes?schema=shop", {}, 200, {}),
    ("DELETE", "/indexes/g_m_idx?schema=shop&concurrently=true", {}, 200, {"name": "g_m_idx"}),
    ("POST", "/policies", {"json": {"tableName": "g", "schema": "shop", "policyName": "a b", "qual": "m > 1"}}, 201,
     {}),
    ("POST", "/policies", {"json": {"tableName": "g", "schema": "shop", "policyName": "a b", "qual": "m > 1"}}, 409,
     {"error": "DATABASE_DUPLICATE"}),
    ("PATCH", "/policies/a%20b", {"json": {"tableName": "g", "schema": "shop", "using": "true; drop table g"}}, 400,
     {"error": "DATABASE_VALIDATION_ERROR", "message": "using: must be one SQL expression"}),
    ("GET", "/policies?schema=shop", {}, 200, {}),
    ("DELETE", "/policies/a%20b?table=g&schema=shop", {}, 200, {"message": "Policy a b dropped"}),
    ("DELETE", "/policies/a%20b?schema=shop", {}, 400, {"error": "INVALID_INPUT"}),
    ("POST", "/triggers", {"json": {"tableName": "g", "schema": "shop", "triggerName": "t", "events": ["UPDATE"],
     "functionName": "update_updated_at", "functionSchema": "system"}}, 201, {"name": "t"}),
    ("GET", "/triggers?schema=shop", {}, 200, {}),
    ("DELETE", "/triggers/t?table=g&schema=shop", {}, 200, {"name": "t"}),
    ("DELETE", "/schemas/shop", {}, 400, {"error": "DATABASE_VALIDATION_ERROR"}),
    ("DELETE", "/schemas/shop?cascade=true", {}, 200, {"message": "Schema shop dropped"}),
    ("GET", "/policies?schema=shop", {}, 404, {"error": "DATABASE_NOT_FOUND"}),
]  # fmt: skip


def test_the_whole_way_over_http(server: RunningServer) -> None:
    with server.client(server.admin_key) as client:
        for method, path, more, status, told in SCENARIO:
            answer = client.request(method, BASE + path, **more)
            assert answer.status_code == status, (method, path, answer.text)
            assert told.items() <= answer.json().items(), (method, path, answer.text)


def test_the_next_request_sees_the_new_shape(server: RunningServer) -> None:
    """Ten times, because a reading that came too late would be seen by most."""
    server.sql("create table fresh (id int primary key)")
    with server.client(server.admin_key) as client:
        for number in range(10):
            column = {"columnName": f"c{number}", "type": "integer", "defaultValue": number}
            client.patch(BASE + "/tables/fresh/schema", json={"addColumns": [column]}).raise_for_status()
            rows = client.get(BASE + f"/records/fresh?select=c{number}&c{number}=is.null")
            assert (rows.status_code, rows.json()) == (200, []), rows.text
        renamed = client.patch(BASE + "/tables/fresh/schema", json={"renameTable": {"newTableName": "fresher"}})
        assert renamed.status_code == 200
        assert client.get(BASE + "/records/fresher").status_code == 200
        assert client.get(BASE + "/records/fresh").status_code == 404
    server.sql("drop table fresher")
