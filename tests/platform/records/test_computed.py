"""Functions of a row as columns and as relationships, and domains with a form of their own, on a real Postgres."""

from typing import Any

import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Login
from tests.platform.records.conftest import ADMIN, Ask, person, rows

pytestmark = pytest.mark.usefixtures("music")
BACK = "return=representation"

ANSWERS: list[tuple[str, Any]] = [
    ("bands?select=*&id=eq.1", [{"id": 1, "name": "Fjord", "founded": 1990, "label_id": 1}]),
    ("bands?select=name,age&id=eq.1", [{"name": "Fjord", "age": 36}]),
    ("bands?select=years:age::text&id=eq.1", [{"years": "36"}]),
    ("bands?select=id,facts->letters,n:facts->>letters&id=eq.2", [{"id": 2, "letters": 4, "n": "4"}]),
    ("bands?select=id&age=lt.20", [{"id": 3}]),
    ("bands?select=id&age=in.(36,11)&order=id", [{"id": 1}, {"id": 3}]),
    ("bands?select=id&facts->letters=eq.5", [{"id": 1}]),
    ("bands?select=id&or=(age.gt.30,age.is.null)&order=id", [{"id": 1}, {"id": 4}]),
    ("bands?select=id&order=age.desc.nullslast", [{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}]),
    ("albums?select=id,bands(age)&id=eq.1", [{"id": 1, "bands": {"age": 36}}]),
    ("labels?select=bands(id)&bands.age=lt.30&bands.order=age&id=eq.1", [{"bands": [{"id": 2}]}]),
    ("albums?select=...bands(age)&id=eq.1", [{"age": 36}]),
    ("albums?select=id,bands()&order=bands(age).desc,id.desc&id=lt.4", [{"id": 2}, {"id": 1}, {"id": 3}]),
    # relationships
    (
        "bands?select=name,best_album(title)&order=id",
        [
            {"name": "Fjord", "best_album": {"title": "Snow"}},
            {"name": "Gale", "best_album": {"title": "Wind"}},
            {"name": "Palm", "best_album": {"title": "Sand"}},
            {"name": "Solo", "best_album": None},
        ],
    ),
    (
        "albums?select=id,long_songs(title)&order=id&limit=2",
        [{"id": 1, "long_songs": [{"title": "Crack"}]}, {"id": 2, "long_songs": [{"title": "Flake"}]}],
    ),
    ("albums?select=id,long_songs!inner()&long_songs.seconds=gt.220", [{"id": 1}]),
    (
        "bands?select=name,the_label(name)&id=in.(1,4)&order=id",
        [{"name": "Fjord", "the_label": {"name": "Moon"}}, {"name": "Solo", "the_label": None}],
    ),
    (
        "bands?select=name,best_album(long_songs(title),bands(name))&id=eq.1",
        [{"name": "Fjord", "best_album": {"long_songs": [{"title": "Flake"}], "bands": {"name": "Fjord"}}}],
    ),
    ("bands?select=id,...best_album(title)&best_album=not.is.null&order=id&limit=1", [{"id": 1, "title": "Snow"}]),
    ("bands?select=id&order=best_album(title).desc&select=id,best_album()", 400),
    (
        "bands?select=id,best_album()&order=best_album(title).desc.nullslast",
        [{"id": 2}, {"id": 1}, {"id": 3}, {"id": 4}],
    ),
    # a function goes before the two keys of its name
    (
        "concerts?select=id,towns(name)&order=id&limit=2",
        [{"id": 1, "towns": {"name": "Oslo"}}, {"id": 2, "towns": {"name": "Faro"}}],
    ),
    # a domain's own form
    (
        "covers?order=album_id",
        [
            {"album_id": 1, "shade": "#ff0000", "note": "red", "edge": "#000000"},
            {"album_id": 2, "shade": "#0000ff", "note": "blue", "edge": "#000001"},
        ],
    ),
    ("covers?select=shade&shade=eq.%230000ff", [{"shade": "#0000ff"}]),
    ("covers?select=album_id&shade=in.(%230000ff,%23000000)", [{"album_id": 2}]),
    ("covers?select=album_id&shade=gt(any).{%230000fe,%23ffffff}&order=album_id", [{"album_id": 1}, {"album_id": 2}]),
    ("covers?select=s:shade,n:shade::integer&album_id=eq.2", [{"s": "#0000ff", "n": 255}]),
    ("covers?select=album_id&order=shade", [{"album_id": 2}, {"album_id": 1}]),
    ("covers?select=shade.max()", [{"max": 16711680}]),
    ("covers?select=shade,count()&album_id=eq.1", [{"shade": "#ff0000", "count": 1}]),
    (
        "albums?select=covers(*)&id=eq.2",
        [{"covers": {"album_id": 2, "shade": "#0000ff", "note": "blue", "edge": "#000001"}}],
    ),
    ("albums?select=...covers(shade)&id=eq.2", [{"shade": "#0000ff"}]),
]


async def test_answers(ask: Ask) -> None:
    answers: dict[str, Any] = {}
    for target, expected in ANSWERS:
        reply = await ask("GET", target, as_=ADMIN)
        answers[target] = rows(reply) if expected != 400 else reply.status
    assert answers == dict(ANSWERS)


async def test_a_domains_own_form_is_read_from_bodies(ask: Ask) -> None:
    made = await ask(
        "POST", "covers", [{"album_id": 3, "shade": "#000010"}, {"album_id": 4, "shade": None}], as_=ADMIN, prefer=BACK
    )
    assert (made.status, rows(made)) == (
        201,
        [
            {"album_id": 3, "shade": "#000010", "note": None, "edge": "#0000ff"},
            {"album_id": 4, "shade": None, "note": None, "edge": "#0000ff"},
        ],
    )
    changed = await ask("PATCH", "covers?shade=eq.%23000010&select=shade", {"shade": "#000020"}, as_=ADMIN, prefer=BACK)
    assert rows(changed) == [{"shade": "#000020"}]
    merged = await ask(
        "POST",
        "covers?columns=album_id,shade,edge&select=album_id,shade,edge",
        [{"album_id": 3, "shade": "#000030"}],
        as_=ADMIN,
        prefer=f"{BACK},resolution=merge-duplicates,missing=default",
    )
    assert (merged.status, rows(merged)) == (200, [{"album_id": 3, "shade": "#000030", "edge": "#0000ff"}])


async def test_a_function_that_may_not_be_called_is_refused(ask: Ask, connector: Connect, catalog: Catalog) -> None:
    admin = await connector(Login.ADMIN)
    await admin.execute("revoke execute on function age(bands) from public, anon, authenticated")
    await admin.close()
    await catalog.refresh()
    assert (await ask("GET", "bands?select=id,age", as_=person(1))).status == 403
    assert (await ask("GET", "bands?select=id&age=gt.1", as_=person(1))).status == 403
    assert (await ask("GET", "bands?select=id", as_=person(1))).status == 200


async def test_nothing_on_the_search_path_stands_in_for_a_computed_field(
    ask: Ask, connector: Connect, catalog: Catalog
) -> None:
    admin = await connector(Login.ADMIN)
    await admin.execute(
        "create function backstage.age(public.bands) returns integer language sql immutable as 'select -1'"
    )
    await admin.close()
    await catalog.refresh()
    assert rows(await ask("GET", "bands?select=age&id=eq.1", as_=ADMIN)) == [{"age": 36}]
