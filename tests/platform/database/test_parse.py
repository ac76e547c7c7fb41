"""What a SQL text would do, told before it runs."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.platform.database.errors import UnparsableSql
from headwater.platform.database.parse import parse_statements


@pytest.mark.parametrize(
    "text",
    [
        "set role anon",
        "set local role anon",
        "SET ROLE TO 'x'",
        "reset role",
        "set session authorization postgres",
        "set session authorization default",
        "reset session authorization",
        "set search_path = x",
        "set local statement_timeout = 0",
        "reset all",
        "discard all",
        "set names 'latin1'",
        "select set_config('role', 'postgres', false)",
        "select 1 where pg_catalog.set_config('Search_Path', 'x', true) is null",
        "with x as (select set_config('statement_timeout', '0', true)) select * from x",
        "insert into t select set_config('role', 'x', true)",
        "create role x",
        "create user x",
        "create group x",
        "alter role x superuser",
        "alter user x set role = 'y'",
        "drop role x",
        "grant a to b",
        "revoke a from b",
        "begin",
        "start transaction",
        "commit",
        "rollback",
        "savepoint s",
        "rollback to savepoint s",
        "prepare transaction 'x'",
        "set transaction isolation level serializable",
        "set session characteristics as transaction read only",
        "drop database x",
        "alter database x set role = 'y'",
        "copy t from stdin",
        "copy t to stdout",
    ],
)
def test_what_nobody_may_do_is_seen(text: str) -> None:
    assert parse_statements(text)[0].forbidden
    assert parse_statements(f"select 1; {text}; select 2")[1].forbidden


@pytest.mark.parametrize(
    ("text", "changes_schema"),
    [
        ("select 1", False),
        ("values (1)", False),
        ("table t", False),
        ("insert into t values (1)", False),
        ("update t set a = 1", False),
        ("delete from t", False),
        ("merge into a using b on true when matched then delete", False),
        ("show work_mem", False),
        ("explain delete from t", False),
        ("explain analyze create table t as select 1", True),
        ("select 1 into t", True),
        ("create table t (a int)", True),
        ("create policy p on t", True),
        ("create function f() returns int set search_path = '' language sql as 'select 1'", True),
        ("grant select on t to anon", True),
        ("do $$ begin end $$", True),
        ("call p()", True),
        ("truncate t", True),
        ("set work_mem = '1MB'", True),
        ("notify pgrst", True),
    ],
)
def test_what_is_allowed_says_whether_it_touches_more_than_rows(text: str, changes_schema: bool) -> None:
    (statement,) = parse_statements(text)
    assert (statement.forbidden, statement.changes_schema) == (None, changes_schema)


def test_statements_are_told_apart_as_postgres_does() -> None:
    told = [statement.text for statement in parse_statements("select 'é;€'; select $$;$$ /* ; */ ;;")]
    assert [text.strip() for text in told] == ["select 'é;€'", "select $$;$$ /* ; */"]
    assert parse_statements(" -- nothing") == ()


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("selekt 1", 1),
        ("select 1 frm x y", 14),
        ("select '€€é' frm x y", 18),
        ("select 1\0", 9),
        ("select '\ud800'", 9),
    ],
)
def test_a_fault_is_pointed_at(text: str, position: int) -> None:
    with pytest.raises(UnparsableSql) as caught:
        parse_statements(text)
    assert caught.value.facts["position"] == position


@pytest.mark.parametrize(
    "text",
    [
        "select " + "(" * 20_000 + "1" + ")" * 20_000,
        "select " + "+".join("1" * 20_000),
        "select " + "not " * 20_000 + "true",
    ],
)
def test_depth_is_no_way_to_break_it(text: str) -> None:
    with contextlib.suppress(UnparsableSql):
        parse_statements(text)


@given(st.text())
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        statements = parse_statements(text)
    except UnparsableSql:
        return
    assert all(statement.text in text for statement in statements)
