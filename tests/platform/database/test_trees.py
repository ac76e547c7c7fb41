"""Texts whose trees would end the process, and dumps that need no tree."""

from typing import Any

import pytest
from pglast.parser import ParseError, parse_sql

from headwater.platform.database.errors import InvalidDefinition, InvalidExpression, UnparsableSql
from headwater.platform.database.parse import (
    find_risks,
    parse_expression,
    parse_function,
    parse_statements,
    written_tables,
)
from headwater.platform.database.parse.trees import MOST_LINKS, depth_of, plain_insert, tree_of

LEVELS = 24_000
"""Enough to end a process that makes the tree."""
CHAINS = {
    "sums": "select 1{}".format("+1" * LEVELS),
    "casts": "select 1{}".format("::int" * LEVELS),
    "unions": "select 1, 1{}".format(" union select 1, 1" * LEVELS),
    "joins": "select * from a{}".format(" join a using (a, b)" * LEVELS),
    "zones": "select a{}".format(" at time zone b" * LEVELS),
    "after what quotes like an end": "select E'\\'', /* ' /* */ ' */ $a$ ' $a$, 1{}".format("+1" * LEVELS),
    "on the next line of a text": "select E'a'\n 'b\\'', 1{}, '".format("+1" * LEVELS) + "'",
    "inside parentheses": "select f(1, (2{}), 3)".format("+1" * LEVELS),
    "around parentheses": "select (1, 2){}".format(" + (1, 2)" * LEVELS),
}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_a_chain_too_long_for_the_stack_is_refused_and_ends_nothing(chain: str) -> None:
    with pytest.raises(UnparsableSql, match="nests too deeply") as refused:
        parse_statements(f"select 1; {chain}; select 2")
    assert refused.value.facts["position"] == len("select 1; ") + 1
    with pytest.raises(ParseError):
        find_risks(chain)
    with pytest.raises(InvalidDefinition, match="nests too deeply"):
        parse_function(chain)
    with pytest.raises(InvalidExpression):
        parse_expression(chain.removeprefix("select "), "withCheck")


def test_many_rows_are_no_chain() -> None:
    rows = ",".join(f"({number}, 'it''s, (', null, 1 + 1)" for number in range(3_000))
    for text in (f"values {rows}", f"with x as (values {rows}) select * from x", f"select f(1, array[{rows}])"):
        assert depth_of(text) < 40
        assert len(parse_statements(text)) == 1


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("select 1 + 2 + 3", 5),
        ("select 'a + b', 1", 1),
        ("select (1 + (2 + (3)))", 6),
        ("select a[1 + 2 + 3]", 6),
        ("select e'\\' + 1 + 2'", 2),
        ("select $tag$ + 1 $ + $tag$ + 2", 3),
        ('select "+ + +"', 2),
        ("select 1 /* + /* + */ + */ -- + 1\n, 2", 2),
        ("select 1, 2, 3 union select 1, 2, 3 union select 1, 2, 3", 9),
    ],
)
def test_what_is_written_is_counted_and_texts_and_comments_are_not(text: str, least: int) -> None:
    assert least <= depth_of(text) <= least + 6


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("insert into t values (1)", ("public", "t")),
        ("INSERT INTO Big.Table_1 (a) VALUES (1)", ("big", "table_1")),
        ('insert into "A b" . "c""d"(a) select 1', ("A b", 'c"d')),
        ("insert into t default values", ("public", "t")),
        ("insert into t as x values (1)", ("public", "t")),
        ("insert into a.b.c values (1)", None),
        ("insert into a . b . c values (1)", None),
        ("insert into größe values (1)", None),
        ('insert into U&"d\\0061t" values (1)', None),
        ("insert into t select set_config('role', 'x', true)", None),
        ("with x as (select 1) insert into t select * from x", None),
        ("select 1", None),
    ],
)
def test_an_insert_is_known_without_its_tree(text: str, table: tuple[str, str] | None) -> None:
    assert plain_insert(text) == table
    if table is not None:
        statement: Any = parse_sql(text)[0].stmt
        relation = statement.relation
        assert (relation.schemaname or "public", relation.relname) == table
    made, written = written_tables(f"create table m (a int); {text}")
    assert made == {("public", "m")}
    assert table is None or written == {table}


def test_a_tree_is_made_up_to_the_limit() -> None:
    assert tree_of("select 1" + "+1" * (MOST_LINKS // 2 - 10)) is not None
