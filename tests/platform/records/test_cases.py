"""The dialect, case by case (tests/platform/records/cases): one database, put back after whatever a case changes."""

import json
from collections.abc import AsyncGenerator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
import pytest_asyncio

from headwater.kernel.models import Reply
from headwater.platform.records import RecordsSettings
from tests.kit.database import Cluster
from tests.platform.records import cases
from tests.platform.records.cases.case import PRINCIPALS, Anything, Case, Each, Like, Text
from tests.platform.records.library import Library, opened_library

CHAPTERS = [name for _, name, _ in iter_modules(cases.__path__) if name != "case"]
CASES: list[tuple[str, Case]] = [
    (chapter, one) for chapter in CHAPTERS for one in import_module(f"{cases.__name__}.{chapter}").CASES
]
READING = frozenset({"GET", "HEAD", "OPTIONS"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def library(cluster: Cluster, template: str) -> AsyncGenerator[Library]:
    """The cases' database."""
    async with opened_library(cluster, template) as opened:
        yield opened


def described(numbered: tuple[str, Case]) -> str:
    """A case's name in the report."""
    chapter, case = numbered
    sent = "".join(f", {value}" for name, value in case.request.items() if name in {"prefer", "accept", "range"})
    return f"{chapter}: {case.name} [{case.who}{sent}]"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("chapter", "case"), CASES, ids=map(described, CASES))
async def test_case(library: Library, chapter: str, case: Case) -> None:
    ask = library.asking(case.settings)
    try:
        reply = await ask(case.method, case.target, case.sent, as_=PRINCIPALS[case.who], **case.request)
        told = f"{reply.status} {dict(reply.headers)} {reply.body[:2000].decode(errors='replace')}"
        assert reply.status == case.status, told
        check_body(reply, case.body)
        headers = {name: value_of(reply, name) for name in case.headers}
        assert headers == dict(case.headers), told
        if case.then is not None:
            target, found = case.then
            after = await library.asking(RecordsSettings())("GET", target, as_=PRINCIPALS["admin"])
            assert json.loads(after.body) == found
    finally:
        if case.method not in READING:
            await library.restore()


def value_of(reply: Reply, name: str) -> str | None:
    """A header of the reply; its media type stands beside the others."""
    if name == "Content-Type":
        return reply.media_type
    return dict(reply.headers).get(name)


def check_body(reply: Reply, expected: object) -> None:
    """The body is the very text, has the members, or is the JSON that is expected."""
    match expected:
        case Anything():
            return
        case Text():
            assert reply.body.decode(errors="surrogateescape") == expected
        case Like():
            found: dict[str, Any] = json.loads(reply.body)
            assert {name: found.get(name) for name in expected} == dict(expected), found
        case Each():
            told: list[dict[str, Any]] = json.loads(reply.body)
            assert [
                {name: one.get(name) for name in like} for one, like in zip(told, expected, strict=True)
            ] == expected
        case _:
            assert json.loads(reply.body) == expected


def test_there_are_as_many_cases_as_promised() -> None:
    names = [described(numbered) for numbered in CASES]
    assert len(names) >= 600
    assert sorted({name for name in names if names.count(name) > 1}) == []
