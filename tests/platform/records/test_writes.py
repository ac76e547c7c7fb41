"""Inserts, upserts, updates, replacements and removals, and what is told of them."""

import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Login
from tests.platform.records.conftest import ADMIN, Ask, header, person, rows

BACK = "return=representation"
OBJECT = "application/vnd.pgrst.object+json"
API = "/api/database/records/"


async def test_insert_one_and_many(ask: Ask) -> None:
    silent = await ask("POST", "pairs", {"a": 1, "b": 1}, as_=ADMIN)
    assert (silent.status, silent.body, silent.media_type) == (201, b"", None)
    assert header(silent, "Content-Range") == "*/*"
    many = await ask("POST", "pairs?select=b,note", [{"a": 2, "b": 1}, {"a": 2, "b": 2}], as_=ADMIN, prefer=BACK)
    assert rows(many) == [{"b": 1, "note": "none"}, {"b": 2, "note": "none"}]
    assert header(many, "Preference-Applied") == BACK
    counted = await ask("POST", "pairs", [{"a": 3, "b": 1}, {"a": 3, "b": 2}], as_=ADMIN, prefer="count=exact")
    assert header(counted, "Content-Range") == "*/2"
    sorted_ = await ask(
        "POST", "pairs?order=b.desc&select=b", [{"a": 4, "b": 1}, {"a": 4, "b": 2}], as_=ADMIN, prefer=BACK
    )
    assert rows(sorted_) == [{"b": 2}, {"b": 1}]


async def test_insert_of_nothing_and_of_defaults(ask: Ask) -> None:
    for nothing in (b"[]", b"3", b'"x"', b"null"):
        reply = await ask("POST", "pairs", nothing, as_=ADMIN, prefer=BACK)
        assert (reply.status, reply.body) == (201, b"[]")
    one = await ask("POST", "loose", {}, as_=ADMIN, prefer=BACK)
    assert rows(one) == [{"note": None}]
    assert rows(await ask("POST", "loose", b"[{}, {}]", as_=ADMIN, prefer=BACK)) == [{"note": None}, {"note": None}]
    todo = await ask("POST", "todos?select=done,tags", {"title": "x"}, as_=person(1), prefer=BACK)
    assert rows(todo) == [{"done": False, "tags": []}]


async def test_columns_and_missing(ask: Ask) -> None:
    target = "pairs?columns=%22a%22,%22b%22,%22note%22&select=a,note"
    body = [{"a": 1, "b": 1, "note": "x"}, {"a": 2, "b": 1}, {"a": 3, "b": 1, "other": 1}]
    nulls = await ask("POST", target, body, as_=ADMIN, prefer=BACK)
    assert [row["note"] for row in rows(nulls)] == ["x", None, None]
    await ask("DELETE", "pairs", as_=ADMIN)
    filled = await ask("POST", target, body, as_=ADMIN, prefer=f"{BACK}, missing=default")
    assert [row["note"] for row in rows(filled)] == ["x", "none", "none"]
    assert header(filled, "Preference-Applied") == f"missing=default, {BACK}"
    single = await ask("POST", target, {"a": 9, "b": 9}, as_=ADMIN, prefer=f"{BACK}, missing=default")
    assert rows(single) == [{"a": 9, "note": "none"}]
    kept = await ask(
        "POST",
        "todos?columns=id,title&select=id",
        [{"title": "a"}, {"title": "b"}],
        as_=person(1),
        prefer=f"{BACK}, missing=default",
    )
    assert len({row["id"] for row in rows(kept)}) == 2


@pytest.mark.parametrize("merge", ["merge-duplicates", "ignore-duplicates"])
async def test_upsert(ask: Ask, merge: str) -> None:
    await ask("POST", "pairs", {"a": 1, "b": 1, "note": "old"}, as_=ADMIN)
    body = [{"a": 1, "b": 1, "note": "new"}, {"a": 2, "b": 1, "note": "new"}]
    first = await ask("POST", "pairs", body, as_=ADMIN, prefer=f"resolution={merge}, {BACK}")
    assert first.status == 201
    assert header(first, "Preference-Applied") == f"resolution={merge}, {BACK}"
    assert len(rows(first)) == (2 if merge == "merge-duplicates" else 1)
    again = await ask("POST", "pairs", body, as_=ADMIN, prefer=f"resolution={merge}, {BACK}")
    assert again.status == (200 if merge == "merge-duplicates" else 201)
    notes = [row["note"] for row in rows(await ask("GET", "pairs?order=a", as_=ADMIN))]
    assert notes == (["new", "new"] if merge == "merge-duplicates" else ["old", "new"])


async def test_upsert_by_another_key_and_without_one(ask: Ask) -> None:
    plain = await ask("POST", "loose", {"note": "x"}, as_=ADMIN, prefer=f"resolution=merge-duplicates, {BACK}")
    assert (plain.status, header(plain, "Preference-Applied")) == (201, BACK)
    wrong = await ask(
        "POST", "pairs?on_conflict=note", {"a": 1, "b": 1}, as_=ADMIN, prefer="resolution=merge-duplicates"
    )
    assert (wrong.status, rows(wrong)["code"]) == (400, "42P10")
    named = await ask(
        "POST", "pairs?on_conflict=b,a", {"a": 1, "b": 1}, as_=ADMIN, prefer="resolution=merge-duplicates"
    )
    assert named.status == 201


async def test_upsert_under_policies(ask: Ask) -> None:
    made = await ask("POST", "todos?select=id", {"title": "mine"}, as_=person(1), prefer=BACK)
    key = rows(made)[0]["id"]
    stolen = await ask(
        "POST", "todos", {"id": key, "title": "theirs"}, as_=person(2), prefer="resolution=merge-duplicates"
    )
    assert (stolen.status, rows(stolen)["code"]) == (403, "42501")
    merged = await ask(
        "POST",
        "todos?select=title",
        {"id": key, "title": "again"},
        as_=person(1),
        prefer=f"resolution=merge-duplicates, {BACK}",
    )
    assert (merged.status, rows(merged)) == (200, [{"title": "again"}])


async def test_update(ask: Ask) -> None:
    await ask("POST", "pairs", [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 3, "b": 2}], as_=ADMIN)
    silent = await ask("PATCH", "pairs?b=eq.1", {"note": "x"}, as_=ADMIN)
    assert (silent.status, silent.body, header(silent, "Content-Range")) == (204, b"", "0-1/*")
    told = await ask("PATCH", "pairs?a=eq.3&select=note", {"note": None}, as_=ADMIN, prefer=f"{BACK}, count=exact")
    assert (told.status, rows(told), header(told, "Content-Range")) == (200, [{"note": None}], "0-0/1")
    nobody = await ask("PATCH", "pairs?a=eq.9", {"note": "x"}, as_=ADMIN, prefer="count=exact")
    assert (nobody.status, header(nobody, "Content-Range")) == (204, "*/0")
    for empty in (b"{}", b"[]"):
        idle = await ask("PATCH", "pairs", empty, as_=ADMIN, prefer=BACK)
        assert (idle.status, idle.body) == (200, b"[]")
    array = await ask("PATCH", "pairs?a=eq.1&select=note", [{"note": "first"}], as_=ADMIN, prefer=BACK)
    assert rows(array) == [{"note": "first"}]


async def test_delete(ask: Ask) -> None:
    await ask("POST", "pairs", [{"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 3, "b": 2}], as_=ADMIN)
    told = await ask("DELETE", "pairs?b=eq.1&select=a&order=a.desc", as_=ADMIN, prefer=f"{BACK}, count=exact")
    assert (told.status, rows(told), header(told, "Content-Range")) == (200, [{"a": 2}, {"a": 1}], "*/2")
    silent = await ask("DELETE", "pairs", as_=ADMIN)
    assert (silent.status, silent.body, header(silent, "Content-Range")) == (204, b"", "*/*")
    assert rows(await ask("GET", "pairs", as_=ADMIN)) == []


async def test_one_object_or_nothing_happens(ask: Ask) -> None:
    one = await ask("POST", "pairs?select=a", {"a": 1, "b": 1}, as_=ADMIN, prefer=BACK, accept=OBJECT)
    assert (one.status, one.body) == (201, b'{"a":1}')
    two = await ask("POST", "pairs", [{"a": 2, "b": 1}, {"a": 3, "b": 1}], as_=ADMIN, prefer=BACK, accept=OBJECT)
    assert (two.status, rows(two)["code"], rows(two)["details"]) == (406, "PGRST116", "The result contains 2 rows")
    await ask("POST", "pairs", {"a": 4, "b": 1}, as_=ADMIN)
    changed = await ask("PATCH", "pairs?b=eq.1", {"note": "x"}, as_=ADMIN, accept=OBJECT)
    assert (changed.status, rows(changed)["details"]) == (406, "The result contains 2 rows")
    gone = await ask("DELETE", "pairs?b=eq.1", as_=ADMIN, prefer=BACK, accept=OBJECT)
    assert gone.status == 406
    idle = await ask("PATCH", "pairs", {}, as_=ADMIN, prefer=BACK, accept=OBJECT)
    assert rows(idle)["details"] == "The result contains 0 rows"
    assert rows(await ask("GET", "pairs?select=a,note&order=a", as_=ADMIN)) == [
        {"a": 1, "note": "none"},
        {"a": 4, "note": "none"},
    ]


async def test_no_more_rows_than_preferred(ask: Ask) -> None:
    await ask("POST", "pairs", [{"a": 1, "b": 1}, {"a": 2, "b": 1}], as_=ADMIN)
    over = await ask("DELETE", "pairs", as_=ADMIN, prefer="handling=strict, max-affected=1")
    assert (over.status, rows(over)["code"]) == (400, "PGRST124")
    within = await ask("DELETE", "pairs", as_=ADMIN, prefer="handling=strict, max-affected=2")
    assert (within.status, header(within, "Preference-Applied")) == (204, "handling=strict, max-affected=2")


async def test_put(ask: Ask) -> None:
    made = await ask("PUT", "pairs?a=eq.1&b=eq.2", {"a": 1, "b": 2, "note": "x"}, as_=ADMIN)
    assert (made.status, made.body) == (201, b"")
    replaced = await ask("PUT", "pairs?b=eq.2&a=eq.1", {"a": 1, "b": 2, "note": "y"}, as_=ADMIN, prefer=BACK)
    assert (replaced.status, rows(replaced)) == (200, [{"a": 1, "b": 2, "note": "y"}])
    silent = await ask("PUT", "pairs?b=eq.2&a=eq.1", {"a": 1, "b": 2, "note": "z"}, as_=ADMIN)
    assert silent.status == 204
    cases = [
        ("pairs?a=eq.1", {"a": 1, "b": 2}, 405, "PGRST105"),
        ("pairs?a=eq.1&b=gt.2", {"a": 1, "b": 2}, 405, "PGRST105"),
        ("loose?note=eq.1", {"note": "1"}, 405, "PGRST105"),
        ("pairs?a=eq.1&b=eq.2&limit=1", {"a": 1, "b": 2}, 400, "PGRST114"),
        ("pairs?a=eq.1&b=eq.2", {"a": 1, "b": 3}, 400, "PGRST115"),
    ]
    for target, body, status, code in cases:
        reply = await ask("PUT", target, body, as_=ADMIN)
        assert (target, reply.status, rows(reply)["code"]) == (target, status, code)
    assert rows(await ask("GET", "pairs?select=note", as_=ADMIN)) == [{"note": "z"}]


async def test_the_place_of_a_new_row(ask: Ask) -> None:
    one = await ask("POST", "pairs", {"a": 1, "b": 2}, as_=ADMIN, prefer="return=headers-only")
    assert (one.status, header(one, "Location"), one.body) == (201, "/pairs?a=eq.1&b=eq.2", b"")
    two = await ask("POST", "pairs", [{"a": 2, "b": 2}, {"a": 3, "b": 2}], as_=ADMIN, prefer="return=headers-only")
    assert header(two, "Location") is None


async def test_the_two_habits(ask: Ask) -> None:
    made = await ask("POST", f"{API}kinds", {"code": "a", "amount": "", "price": "", "feeling": "calm"}, as_=ADMIN)
    assert (made.status, made.body, made.media_type) == (201, b"[]", "application/json; charset=utf-8")
    assert rows(await ask("GET", f"{API}kinds?select=code,amount,feeling", as_=ADMIN)) == [
        {"code": "a", "amount": None, "feeling": "calm"}
    ]
    emptied = await ask("PATCH", f"{API}pairs", {"note": ""}, as_=ADMIN)
    assert (emptied.status, emptied.body) == (204, b"")
    exact = await ask("POST", "kinds", {"code": "b", "amount": ""}, as_=ADMIN)
    assert (exact.status, rows(exact)["code"]) == (400, "22P02")
    many = await ask(
        "POST",
        f"{API}kinds?columns=code,amount",
        [{"code": "c", "amount": ""}, {"code": "", "amount": 1}],
        as_=ADMIN,
        prefer=BACK,
    )
    assert [(row["code"], row["amount"]) for row in rows(many)] == [("c", None), ("", 1)]


async def test_views_and_partitions(ask: Ask, connector: Connect, catalog: Catalog) -> None:
    admin = await connector(Login.ADMIN)
    await admin.execute(
        "create table parts (id integer primary key, note text) partition by range (id);"
        "create table parts_low partition of parts for values from (0) to (10);"
        "create view shown as select id, note from parts; create view counted as select count(*) as n from parts"
    )
    await admin.close()
    await catalog.refresh()
    for target in ("parts", "shown"):
        prefer = f"{BACK}, resolution=merge-duplicates"
        made = await ask("POST", f"{target}?on_conflict=id", {"id": 1, "note": target}, as_=ADMIN, prefer=prefer)
        assert (made.status, rows(made)) == (201, [{"id": 1, "note": target}])
    assert (await ask("POST", "counted", {"n": 1}, as_=ADMIN)).status == 405
    allowed = await ask("OPTIONS", "counted", as_=ADMIN)
    assert (allowed.status, header(allowed, "Allow")) == (200, "OPTIONS,GET,HEAD")
    assert header(await ask("OPTIONS", "pairs", as_=ADMIN), "Allow") == "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"
