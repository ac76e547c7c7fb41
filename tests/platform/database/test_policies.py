"""Policies made of expressions and nothing else, on a real Postgres."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pglast import ast
from pglast.parser import parse_sql

from headwater.kernel.database import Database, Transactions
from headwater.kernel.errors import Refusal
from headwater.platform.database.models import ChangedPolicy, InSchema, NewPolicy, OnTable
from headwater.platform.database.parse import parse_expression, parse_type
from tests.platform.database.desk import INJECTIONS, USER, Desk, refused

TABLES = """
create table notes (id int primary key, owner uuid, body text);
alter table notes enable row level security;
create table people (id uuid primary key);
insert into notes values (1, '00000000-0000-4000-8000-000000000001', 'mine'), (2, null, 'nobody''s');
"""


@pytest.fixture
async def desk(database: Database) -> Desk:
    made = Desk(database)
    await made.sql(TABLES)
    return made


async def make(desk: Desk, **wanted: Any) -> Any:
    asked = {"tableName": "notes", "policyName": "own"} | wanted
    return await desk.ask(desk.policies.create_policy, NewPolicy, **asked)


async def change(desk: Desk, **wanted: Any) -> Any:
    return await desk.ask(desk.policies.alter_policy, ChangedPolicy, **{"tableName": "notes", "name": "own"} | wanted)


async def drop(desk: Desk, **wanted: Any) -> Any:
    return await desk.ask(desk.policies.drop_policy, OnTable, **{"table": "notes", "name": "own"} | wanted)


async def listed(desk: Desk) -> list[dict[str, Any]]:
    return (await desk.read(desk.policies.list_policies, InSchema))["policies"]


async def test_a_policy_is_made_listed_changed_and_ended(desk: Desk) -> None:
    made = await make(desk, cmd="SELECT", roles=["authenticated"], using="owner = (select auth.uid())")
    assert made == {"message": "Policy own created", "schemaName": "public", "name": "own", "tableName": "notes"}
    assert desk.forgets == ["catalog"]
    assert await listed(desk) == [
        {
            "tableName": "notes",
            "policyName": "own",
            "cmd": "SELECT",
            "roles": ["authenticated"],
            "qual": "(owner = ( SELECT auth.uid() AS uid))",
            "withCheck": None,
            "isPermissive": True,
        }
    ]
    assert [row["body"] for row in await desk.as_role(USER, "select body from notes")] == ["mine"]
    await change(desk, using="true", roles=["anon", "authenticated"], newPolicyName="all rows")
    (policy,) = await listed(desk)
    assert (policy["policyName"], policy["qual"], policy["roles"]) == ("all rows", "true", ["anon", "authenticated"])
    assert len(await desk.as_role(USER, "select body from notes")) == 2
    await drop(desk, name="all rows")
    assert await listed(desk) == []


async def test_what_is_listed_can_be_made_again(desk: Desk) -> None:
    await make(desk, using="body ~ '^[^;]*--' or (select count(*) from people) > 3", withCheck="owner is not null")
    await make(desk, policyName="strict", using="body <> ''", isPermissive=False, roles=["public"])
    before = await listed(desk)
    for policy in before:
        await drop(desk, name=policy["policyName"])
        await make(desk, **policy)
    assert await listed(desk) == before


async def test_a_policy_for_inserts_checks_the_new_row(desk: Desk, database: Database) -> None:
    await make(desk, cmd="INSERT", withCheck="owner = (select auth.uid())")
    insert = "insert into notes (id, owner) values (3, {})"
    await Transactions(database).writing(lambda tx: tx.execute(insert.format("auth.uid()")), USER)
    with pytest.raises(Exception, match="row-level security"):
        await Transactions(database).writing(lambda tx: tx.execute(insert.format("null")), USER)


@pytest.mark.parametrize(
    ("wanted", "status", "sentence"),
    [
        ({}, 400, "using: say which rows are meant"),
        ({"cmd": "INSERT"}, 400, "withCheck: say which rows"),
        ({"cmd": "INSERT", "using": "true", "withCheck": "true"}, 400, "using: a policy for INSERT"),
        ({"cmd": "SELECT", "using": "true", "withCheck": "true"}, 400, "withCheck: a policy for SELECT"),
        ({"using": "true", "roles": list[str]()}, 400, "roles: name at least one"),
        ({"using": "true", "roles": ["nobody"]}, 400, "Policy own: role"),
        ({"using": "true", "policyName": ""}, 400, "policyName must be"),
        ({"using": "nope = 1"}, 400, "Policy own: column"),
        ({"using": "count(*) > 1"}, 400, "Policy own: aggregate"),
        ({"using": "body"}, 400, "Policy own: argument of"),
        ({"using": "true", "tableName": "nope"}, 404, "Table nope"),
        ({"using": "true", "schema": "auth", "tableName": "users"}, 403, "Schema auth"),
    ],
)
async def test_what_cannot_be_is_refused(desk: Desk, wanted: dict[str, Any], status: int, sentence: str) -> None:
    with pytest.raises(Refusal) as caught:
        await make(desk, **wanted)
    assert caught.value.status == status
    assert caught.value.message.startswith(sentence), caught.value.message
    assert await listed(desk) == []


async def test_what_is_not_there_is_told(desk: Desk) -> None:
    await refused(404, "DATABASE_NOT_FOUND", drop(desk))
    await refused(404, "DATABASE_NOT_FOUND", change(desk, using="true"))
    await make(desk, using="true")
    await refused(409, "DATABASE_DUPLICATE", make(desk, using="true"))


MORE_THAN_AN_EXPRESSION = [
    "true) with check (true",
    "true); drop table people; select (true",
    "true; drop table people",
    "true -- and false",
    "true /* and false */",
    "true /*",
    "1, 2",
    "true as x",
    "true x",
    "distinct true",
    "all true",
    "true from notes",
    "true union select true",
    "true where true",
    "true limit 1",
    "true for update",
    "*",
    "notes.*",
    "default",
    "",
    " ",
    ";",
    "'",
    "$$",
    "\0",
    "true\0",
    "set_config('role', 'x', false) is null",
    "(select pg_catalog.set_config('search_path', 'x', false)) is null",
]


@pytest.mark.parametrize("text", MORE_THAN_AN_EXPRESSION)
async def test_more_than_an_expression_is_refused(desk: Desk, text: str) -> None:
    await make(desk, policyName="stays", using="true")
    await refused(400, "DATABASE_VALIDATION_ERROR", make(desk, using=text))
    await refused(400, "DATABASE_VALIDATION_ERROR", make(desk, using="true", withCheck=text))
    await refused(400, "DATABASE_VALIDATION_ERROR", change(desk, name="stays", using=text))
    assert [(policy["policyName"], policy["qual"]) for policy in await listed(desk)] == [("stays", "true")]


@pytest.mark.parametrize("attack", INJECTIONS)
async def test_no_field_breaks_out_of_its_statement(desk: Desk, attack: str) -> None:
    await make(desk, policyName="stays", using="true")
    attempts = [
        make(desk, policyName=attack, using="true"),
        make(desk, tableName=attack, using="true"),
        make(desk, schema=attack, using="true"),
        make(desk, policyName="p1", roles=[attack], using="true"),
        make(desk, policyName="p2", using=attack),
        make(desk, policyName="p3", using="true", withCheck=attack),
        change(desk, name="stays", newPolicyName=attack),
        change(desk, name=attack, newPolicyName="stays"),
        change(desk, name="stays", roles=[attack]),
        drop(desk, name=attack),
        drop(desk, table=attack),
        desk.read(desk.policies.list_policies, InSchema, schema=attack),
    ]
    for attempt in attempts:
        assert await desk.status(attempt) in {200, 400, 404, 409}
        assert await desk.value("select to_regclass('people') is not null") is True


PIECES = st.sampled_from(
    ["a", "=", "1", "'x'", "(", ")", ",", ";", "--", "/*", "*/", "select", "from", "with", "check", "using", "or",
     "not", "null", "$$", '"q"', "'", '"', "case", "when", "then", "end", "in", "exists", "::int", "[1]", "\n", " as b"]
)  # fmt: skip


@given(st.one_of(st.lists(PIECES, max_size=12).map(" ".join), st.text(max_size=20)))
def test_whatever_is_let_through_stays_inside_its_parentheses(text: str) -> None:
    try:
        expression = parse_expression(text, "using")
    except Refusal:
        return
    (statement,) = parse_sql(f"create policy p on t using ({expression})")
    assert isinstance(statement.stmt, ast.CreatePolicyStmt)
    assert statement.stmt.with_check is None and statement.stmt.qual is not None
    (alone,) = parse_sql(f"select {text}")
    assert isinstance(alone.stmt, ast.SelectStmt) and alone.stmt.targetList is not None
    assert statement.stmt.qual == alone.stmt.targetList[0].val


@pytest.mark.parametrize("text", ["int", "numeric(10, 2)", "text[]", 'public."My Type"', "timestamp with time zone",
                                  "character varying(20)", "int[][]", "interval day to second"])  # fmt: skip
def test_a_type_is_taken_as_it_is(text: str) -> None:
    assert parse_type(text) == text


@pytest.mark.parametrize("text", ["int, b int", "int default 1", "int -- x", "int)", "int primary key", "int = 1", "",
                                  'int collate "C"', "int::text", "int references t", "int; drop table t"])  # fmt: skip
def test_more_than_a_type_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        parse_type(text)
