"""The ordinary calls of every app, on a real Postgres."""

from tests.platform.records.conftest import ADMIN, Ask, header, person, rows


async def test_each_user_sees_only_what_is_theirs(ask: Ask) -> None:
    made = await ask("POST", "todos", {"title": "mine"}, as_=person(1), prefer="return=representation")
    assert made.status == 201
    assert [row["title"] for row in rows(made)] == ["mine"]
    await ask("POST", "todos", [{"title": "a"}, {"title": "b"}], as_=person(2))
    mine = await ask("GET", "todos?select=title", as_=person(1))
    theirs = await ask("GET", "todos?select=title&order=title.desc", as_=person(2))
    assert (mine.status, mine.body) == (200, b'[{"title":"mine"}]')
    assert rows(theirs) == [{"title": "b"}, {"title": "a"}]
    assert header(theirs, "Content-Range") == "0-1/*"
    assert rows(await ask("GET", "todos?select=title")) == []


async def test_another_ones_row_cannot_be_changed(ask: Ask) -> None:
    await ask("POST", "todos", {"title": "mine"}, as_=person(1))
    changed = await ask("PATCH", "todos?title=eq.mine", {"title": "x"}, as_=person(2), prefer="return=representation")
    assert (changed.status, changed.body) == (200, b"[]")
    removed = await ask("DELETE", "todos?title=eq.mine", as_=person(2), prefer="count=exact")
    assert (removed.status, header(removed, "Content-Range")) == (204, "*/0")
    stolen = await ask("POST", "todos", {"title": "x", "owner": person(1).id}, as_=person(2))
    assert (stolen.status, rows(stolen)["code"]) == (403, "42501")
    assert len(rows(await ask("GET", "todos", as_=ADMIN))) == 1
