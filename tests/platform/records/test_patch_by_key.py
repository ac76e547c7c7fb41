"""PATCH with `by=(key)`: each row of the body changes the one row whose key it carries, with values of its own."""

import pytest

from tests.platform.records.conftest import ADMIN, Ask, Define, header, person, rows

BACK = "return=representation"


@pytest.fixture
async def pairs(ask: Ask) -> None:
    """Four rows."""
    await ask("POST", "pairs", [{"a": a, "b": 1, "note": f"n{a}"} for a in range(1, 5)], as_=ADMIN)


async def notes(ask: Ask) -> list[str | None]:
    """The notes of all pairs."""
    return [row["note"] for row in rows(await ask("GET", "pairs?select=note&order=a", as_=ADMIN))]


async def test_each_row_gets_its_own(ask: Ask, pairs: None) -> None:
    body = [{"a": 1, "b": 1, "note": "x"}, {"a": 3, "b": 1, "note": None}, {"a": 9, "b": 1, "note": "nobody"}]
    told = await ask("PATCH", "pairs?by=(a,b)&select=a,note&order=a", body, as_=ADMIN, prefer=f"{BACK}, count=exact")
    assert (told.status, header(told, "Content-Range")) == (200, "0-1/2")
    assert rows(told) == [{"a": 1, "note": "x"}, {"a": 3, "note": None}]
    assert await notes(ask) == ["x", "n2", None, "n4"]
    silent = await ask("PATCH", "pairs?by=(b,a)", {"a": 2, "b": 1, "note": "one"}, as_=ADMIN)
    assert (silent.status, silent.body, header(silent, "Content-Range")) == (204, b"", "0-0/*")
    assert await notes(ask) == ["x", "one", None, "n4"]


async def test_what_a_row_does_not_say_stays(ask: Ask, define: Define) -> None:
    await define(
        """
        create table parts (id int primary key, code text unique not null, name text not null, size int, item jsonb);
        insert into parts values (1, 'p', 'one', 10, '{}'), (2, 'q', 'two', 20, '{}'), (3, 'r', 'three', 30, '{}');
        """
    )
    ragged = [{"id": 1, "name": "ONE"}, {"id": 2, "size": None, "item": {"x": [1]}}]
    told = await ask("PATCH", "parts?by=(id)&order=id", ragged, as_=ADMIN, prefer=BACK)
    assert rows(told) == [
        {"id": 1, "code": "p", "name": "ONE", "size": 10, "item": {}},
        {"id": 2, "code": "q", "name": "two", "size": None, "item": {"x": [1]}},
    ]
    listed = await ask(
        "PATCH", "parts?by=(id)&columns=id,size&order=id&select=name,size", ragged, as_=ADMIN, prefer=BACK
    )
    assert rows(listed) == [{"name": "ONE", "size": 10}, {"name": "two", "size": None}]
    by_unique = await ask("PATCH", "parts?by=(code)&select=id,size", [{"code": "r", "size": 7}], as_=ADMIN, prefer=BACK)
    assert rows(by_unique) == [{"id": 3, "size": 7}]
    csv = await ask("PATCH", "parts?by=(id)", b"id,size\n1,5\n2,6\n", as_=ADMIN, content_type="text/csv")
    assert (csv.status, header(csv, "Content-Range")) == (204, "0-1/*")
    sizes = rows(await ask("GET", "parts?select=size&order=id", as_=ADMIN))
    assert [row["size"] for row in sizes] == [5, 6, 7]


async def test_filters_hold_too(ask: Ask, pairs: None) -> None:
    body = [{"a": a, "b": 1, "note": "x"} for a in (1, 2, 3)]
    await ask("PATCH", "pairs?by=(a,b)&a=gt.1&note=neq.n3", body, as_=ADMIN)
    assert await notes(ask) == ["n1", "x", "n3", "n4"]


async def test_a_key_given_twice_changes_nothing(ask: Ask, pairs: None) -> None:
    body = [{"a": 1, "b": 1, "note": "x"}, {"a": "01", "b": 1, "note": "y"}]
    for prefer in ("", BACK):
        refused = await ask("PATCH", "pairs?by=(a,b)", body, as_=ADMIN, prefer=prefer)
        assert (refused.status, rows(refused)["code"]) == (400, "KEY_GIVEN_TWICE")
    assert await notes(ask) == ["n1", "n2", "n3", "n4"]


async def test_no_more_than_allowed(ask: Ask, pairs: None) -> None:
    body = [{"a": a, "b": 1, "note": "x"} for a in (1, 2, 3)]
    strict = await ask("PATCH", "pairs?by=(a,b)", body, as_=ADMIN, prefer="handling=strict, max-affected=2")
    assert (strict.status, rows(strict)["code"]) == (400, "PGRST124")
    one = await ask("PATCH", "pairs?by=(a,b)", body, as_=ADMIN, accept="application/vnd.pgrst.object+json")
    assert (one.status, rows(one)["code"]) == (406, "PGRST116")
    assert await notes(ask) == ["n1", "n2", "n3", "n4"]


async def test_nothing_to_change(ask: Ask, pairs: None) -> None:
    for nothing in (b"[]", b"[{}]", b'[{"a":1,"b":1}]', b"{}"):
        idle = await ask("PATCH", "pairs?by=(a,b)", nothing, as_=ADMIN, prefer=BACK)
        assert (idle.status, idle.body) == (200, b"[]"), nothing


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("pairs?by=(a)", [{"a": 1, "note": "x"}], "NO_SUCH_KEY"),
        ("pairs?by=()", [{"a": 1, "note": "x"}], "NO_SUCH_KEY"),
        ("pairs?by=(nowhere)", [{"a": 1, "note": "x"}], "NO_SUCH_KEY"),
        ("loose?by=(note)", [{"note": "x"}], "NO_SUCH_KEY"),
        ("pairs?by=(a,b)", [{"a": 1, "note": "x"}], "PGRST102"),
        ("pairs?by=(a,b)", [{"a": 1, "b": 1, "nowhere": "x"}], "PGRST204"),
        ("pairs?by=(a,b)", [{"a": "x", "b": 1, "note": "x"}], "22P02"),
        ("pairs?by=(a,b)", [1], "PGRST102"),
        ("pairs?by=(a,b)&columns=a,b,note", [1], "22023"),
        ("pairs?by=(a,b", [{"a": 1, "b": 1, "note": "x"}], "PGRST100"),
        ("pairs?by=(a,b))", [{"a": 1, "b": 1, "note": "x"}], "PGRST100"),
        ("pairs?by=(a,b)&limit=1", [{"a": 1, "b": 1, "note": "x"}], "PGRST127"),
    ],
)
async def test_refusals(ask: Ask, pairs: None, target: str, body: object, code: str) -> None:
    refused = await ask("PATCH", target, body, as_=ADMIN)
    assert (refused.status, rows(refused)["code"]) == (400, code)
    assert await notes(ask) == ["n1", "n2", "n3", "n4"]


async def test_the_keys_are_named(ask: Ask, pairs: None) -> None:
    refused = await ask("PATCH", "pairs?by=(a)", [{"a": 1, "note": "x"}], as_=ADMIN)
    assert rows(refused)["hint"] == "Its keys are: by=(a,b)"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT"])
async def test_elsewhere_it_is_no_word(ask: Ask, pairs: None, method: str) -> None:
    refused = await ask(method, "pairs?by=(a,b)", {"a": 1, "b": 1}, as_=ADMIN)
    assert (refused.status, rows(refused)["code"]) == (400, "PGRST100")


async def test_a_column_of_that_name_is_filtered_as_ever(ask: Ask, define: Define) -> None:
    await define("create table deeds (by text primary key, n int); insert into deeds values ('me', 1), ('you', 2)")
    assert rows(await ask("GET", "deeds?by=eq.me", as_=ADMIN)) == [{"by": "me", "n": 1}]
    told = await ask(
        "PATCH",
        "deeds?by=(by)&by=neq.you&order=by",
        [{"by": "me", "n": 5}, {"by": "you", "n": 6}],
        as_=ADMIN,
        prefer=BACK,
    )
    assert rows(told) == [{"by": "me", "n": 5}]


async def test_policies_hold(ask: Ask, tables: None) -> None:
    made = await ask("POST", "todos?select=id", [{"title": "a"}, {"title": "b"}], as_=person(1), prefer=BACK)
    ids = [row["id"] for row in rows(made)]
    [other] = rows(await ask("POST", "todos?select=id", {"title": "c"}, as_=person(2), prefer=BACK))
    body = [{"id": key, "title": f"new {key}"} for key in (*ids, other["id"])]
    told = await ask("PATCH", "todos?by=(id)&select=id,title&order=id", body, as_=person(1), prefer=BACK)
    assert rows(told) == [{"id": key, "title": f"new {key}"} for key in ids]
    assert rows(await ask("GET", "todos?select=title", as_=person(2))) == [{"title": "c"}]
    stolen = [{"id": ids[0], "owner": person(2).id}]
    refused = await ask("PATCH", "todos?by=(id)", stolen, as_=person(1))
    assert (refused.status, rows(refused)["code"]) == (403, "42501")
    assert rows(await ask("GET", "todos?select=title&order=id&limit=1", as_=person(1))) == [{"title": f"new {ids[0]}"}]
