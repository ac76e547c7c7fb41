"""Nobody but kernel/clock.py knows what time it is, and SQL is told."""

import ast
import re

import pytest

from tests.house.source import Module, everywhere, holds_sql, migrations, module, strings

CLOCK = "kernel/clock.py"
MOMENTS = {"now", "utcnow", "today"}
TIMES = {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime"}
STOPWATCHES = {"perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time", "thread_time"}
TIMING_FLOORS = ("kernel/", "flow/", "boot/", "platform/system/")
"""A stopwatch tells how long, never when, so a driven clock need not move it; but apps have no business timing
themselves: the pipeline does, and `system` times the parts it asks for their health."""
SQL_TIME = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\(|\b(current|local)_?(timestamp|time|date)\b",
    re.IGNORECASE,
)
STAMP = re.compile(
    r"created_at\s+timestamptz(?:\s+not\s+null)?\s+default\s+now\(\)|new\.updated_at\s*:?=\s*now\(\)", re.IGNORECASE
)
"""What a row says of itself; nothing is decided by it."""
LIBRARY = "kernel/jobs/migrations/0001_create_pgqueuer.sql"
"""The job library's tables as it writes them; jobs enter them when our clock says they are due."""


def violations(source: Module) -> list[str]:
    """Readings of the machine's time outside the clock, and stopwatches where nobody measures."""
    if source.path == CLOCK:
        return []
    found: list[str] = []
    for node in ast.walk(source.tree):
        match node:
            case ast.Attribute(
                value=ast.Name(id="datetime" | "date") | ast.Attribute(attr="datetime" | "date"), attr=name
            ):
                forbidden = name in MOMENTS
            case ast.Attribute(value=ast.Name(id="time"), attr=name):
                forbidden = _forbidden(name, source.path)
            case ast.ImportFrom(module="time", names=names):
                forbidden, name = any(_forbidden(a.name, source.path) for a in names), names[0].name
            case _:
                continue
        if forbidden:
            found.append(source.at(node, f"{name} read outside the clock"))
    if holds_sql(source.path):
        found += [source.at(node, "SQL reads the time") for node, text in strings(source.tree) if SQL_TIME.search(text)]
    return found


def _forbidden(name: str, path: str) -> bool:
    return name in TIMES or (name in STOPWATCHES and not path.startswith(TIMING_FLOORS))


def sql_violations(path: str, text: str) -> list[str]:
    """Lines of a migration that read the time, except to stamp a row."""
    if path == LIBRARY:
        return []
    return [
        f"{path}:{number}: SQL reads the time: {line.strip()}"
        for number, line in enumerate(text.splitlines(), 1)
        if SQL_TIME.search(STAMP.sub("", line.split("--")[0]))
    ]


def test_only_the_clock_knows() -> None:
    assert everywhere(violations) == []


def test_migrations_are_told_the_time() -> None:
    assert [fault for path, text in migrations() for fault in sql_violations(path, text)] == []


@pytest.mark.parametrize(
    "planted",
    [
        "x = datetime.now(UTC)",
        "x = datetime.date.today()",
        "x = time.time()",
        "from time import time_ns",
        "time.monotonic()",
    ],
)
def test_planted_readings_are_found(planted: str) -> None:
    assert violations(module("apps/notes/operations.py", planted))
    assert violations(module(CLOCK, planted)) == []


def test_a_stopwatch_belongs_to_the_floors_that_measure() -> None:
    assert violations(module("flow/pipeline.py", "started = time.perf_counter_ns()")) == []


def test_planted_sql_time_is_found() -> None:
    assert violations(module("apps/notes/queries.py", 'X = "select * from notes.notes where due < now()"'))
    assert sql_violations("a.sql", "  due timestamptz not null default now()\n")
    assert sql_violations("a.sql", "  created_at timestamptz not null default now(), -- not current_date\n") == []
