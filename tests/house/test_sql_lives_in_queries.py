"""SQL is written as SQL, in queries.py, sql.py and migrations, and nowhere else."""

import ast
import re

import pytest

from tests.house.source import Module, everywhere, holds_sql, module, parsed, strings

VERB = re.compile(
    r"\s*(select|insert|update|delete|merge|with|create|alter|drop|truncate|grant|revoke|comment|copy|lock|listen"
    r"|unlisten|notify|begin|start|commit|rollback|savepoint|set|reset|do|call|vacuum|analyze|explain|prepare)\s",
    re.IGNORECASE,
)
FRAGMENT = re.compile(r"\s*(order by|group by|on conflict|returning|inner join|left join|where \w+ (=|is|in)) ")
SENDERS = {"execute", "executemany", "fetch", "fetchrow", "fetchval", "prepare"}


def violations(source: Module) -> list[str]:
    """Strings outside SQL's homes that Postgres would understand, or that are handed to a connection.

    Two words may be the name of a statement, as in a sentence that refuses it.
    """
    if holds_sql(source.path):
        return []
    found = [
        source.at(node, f"SQL outside queries: {text.strip()[:60]!r}")
        for node, text in strings(source.tree)
        if FRAGMENT.match(text) or (VERB.match(text) and len(text.split()) > 2 and parsed(text))
    ]
    for call in ast.walk(source.tree):
        match call:
            case ast.Call(func=ast.Attribute(attr=name), args=[ast.Constant(value=str(text)), *_]) if name in SENDERS:
                found.append(source.at(call, f"a statement written where it is sent: {text[:60]!r}"))
            case _:
                pass
    return found


def test_no_sql_outside_its_homes() -> None:
    assert everywhere(violations) == []


@pytest.mark.parametrize(
    "planted",
    [
        'STATEMENT = "select id from notes where owner = $1"',
        'STATEMENT = f"update {table} set title = $1"',
        'STATEMENT = "insert into notes " + "default values"',
        'order = f"order by {column} desc"',
        'await connection.execute("BEGIN")',
        'def f():\n    return """\n    with recent as (select 1)\n    select * from recent"""',
    ],
)
def test_planted_sql_is_found(planted: str) -> None:
    assert violations(module("apps/notes/operations.py", planted))
    assert violations(module("apps/notes/queries.py", planted)) == []


@pytest.mark.parametrize(
    "prose",
    ['"""Select one note from those of the owner."""', 'raise NotFound("Select a table first")', 'name = "RESET ALL"'],
)
def test_prose_is_left_alone(prose: str) -> None:
    assert violations(module("apps/notes/operations.py", prose)) == []
