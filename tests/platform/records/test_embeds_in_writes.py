"""What a change tells of its rows goes through the same machinery as a read, on a real Postgres."""

from typing import Any

import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Login
from tests.platform.records.conftest import ADMIN, Ask, person, rows

pytestmark = pytest.mark.usefixtures("music")
BACK = "return=representation"

WRITTEN: list[tuple[str, str, object, Any]] = [
    (
        "POST",
        "bands?select=name,labels(name),albums(title)",
        {"id": 9, "name": "New", "label_id": 2},
        [{"name": "New", "labels": {"name": "Reef"}, "albums": []}],
    ),
    (
        "POST",
        "bands?select=*,labels(name)",
        [{"id": 8, "name": "A", "label_id": 1}, {"id": 9, "name": "B", "label_id": None}],
        [
            {"id": 8, "name": "A", "founded": None, "label_id": 1, "labels": {"name": "Moon"}},
            {"id": 9, "name": "B", "founded": None, "label_id": None, "labels": None},
        ],
    ),
    (
        "PATCH",
        "bands?id=lt.3&select=id,...labels(label:name)&order=id",
        {"label_id": 3},
        [{"id": 1, "label": "Dust"}, {"id": 2, "label": "Dust"}],
    ),
    (
        "PATCH",
        "bands?select=id,labels!inner(name)&labels.country=eq.PT&order=id",
        {"founded": 1},
        [{"id": 3, "labels": {"name": "Reef"}}],
    ),
    (
        "PATCH",
        "bands?select=id,albums(id)&albums.price=gt.10&id=eq.1",
        {"founded": 1},
        [{"id": 1, "albums": [{"id": 2}]}],
    ),
    ("PATCH", "bands?select=id,labels()&labels=is.null", {"founded": 1}, [{"id": 4}]),
    (
        "PATCH",
        "songs?select=id,albums()&order=albums(title).desc.nullslast,id.desc&id=in.(2,3,4)",
        {"seconds": 1},
        [{"id": 4}, {"id": 3}, {"id": 2}],
    ),
    (
        "DELETE",
        "songs?select=title,albums(title,bands(name))&id=eq.4",
        None,
        [{"title": "Gust", "albums": {"title": "Wind", "bands": {"name": "Gale"}}}],
    ),
    (
        "PUT",
        "bands?id=eq.2&select=founded,labels(name)",
        {"id": 2, "name": "G", "founded": 7, "label_id": 2},
        [{"founded": 7, "labels": {"name": "Reef"}}],
    ),
    (
        "PATCH",
        "bands?id=eq.1&select=age,facts->letters,best_album(title),the_label(name)",
        {"name": "Ab", "founded": 2000},
        [{"age": 26, "letters": 2, "best_album": {"title": "Snow"}, "the_label": {"name": "Moon"}}],
    ),
    (
        "PATCH",
        "bands?id=eq.1&select=*,best_album(title)",
        {"founded": 2000},
        [{"id": 1, "name": "Fjord", "founded": 2000, "label_id": 1, "best_album": {"title": "Snow"}}],
    ),
    ("PATCH", "bands?id=lt.3&select=founded.sum(),...labels(name)", {"founded": 4}, [{"sum": 8, "name": "Moon"}]),
]


@pytest.mark.parametrize(("method", "target", "body", "expected"), WRITTEN)
async def test_changed_rows_are_told_with_their_embeds(
    ask: Ask, method: str, target: str, body: object, expected: object
) -> None:
    reply = await ask(method, target, body, as_=ADMIN, prefer=BACK)
    assert reply.status in {200, 201}, reply.body
    assert rows(reply) == expected
    silent = await ask("PATCH", "bands?select=id,labels!inner()&id=eq.1", {"founded": 2}, as_=ADMIN)
    assert (silent.status, silent.body) == (204, b"")


async def test_an_upsert_tells_embeds_and_no_column_of_ours(ask: Ask) -> None:
    prefer = f"{BACK},resolution=merge-duplicates"
    reply = await ask(
        "POST", "bands?select=*,best_album(id),labels(id)", [{"id": 1, "name": "F"}], as_=ADMIN, prefer=prefer
    )
    assert (reply.status, rows(reply)) == (
        200,
        [{"id": 1, "name": "F", "founded": 1990, "label_id": 1, "best_album": {"id": 2}, "labels": {"id": 1}}],
    )


async def test_a_write_tells_only_what_may_be_read(ask: Ask, connector: Connect, catalog: Catalog) -> None:
    admin = await connector(Login.ADMIN)
    await admin.execute(
        "revoke all on bands from authenticated;grant select (id, label_id), update (founded) on bands to authenticated"
    )
    await admin.close()
    await catalog.refresh()
    told = await ask("PATCH", "bands?id=eq.1&select=labels(name)", {"founded": 1}, as_=person(1), prefer=BACK)
    assert (told.status, rows(told)) == (200, [{"labels": {"name": "Moon"}}])
    hidden = await ask("PATCH", "bands?id=eq.1&select=name", {"founded": 1}, as_=person(1), prefer=BACK)
    assert (hidden.status, rows(hidden)["code"]) == (403, "42501")


async def test_all_changed_rows_count_and_not_only_those_that_are_told(ask: Ask) -> None:
    prefer = f"{BACK},handling=strict,max-affected=2"
    for select in ("id,labels!inner()&labels.country=eq.PT", "count()"):
        refused = await ask("PATCH", f"bands?select={select}", {"founded": 1}, as_=ADMIN, prefer=prefer)
        assert (refused.status, rows(refused)["details"]) == (400, "The query affects 4 rows"), select
    target = "bands?id=eq.1&select=name,labels!inner()&labels.country=eq.PT"
    put = await ask("PUT", target, {"id": 1, "name": "x", "label_id": 1}, as_=ADMIN, prefer=BACK)
    assert (put.status, rows(put)) == (200, [])
    other = await ask("PUT", "bands?id=eq.1&select=count()", {"id": 2, "name": "y"}, as_=ADMIN, prefer=BACK)
    assert (other.status, rows(other)["code"]) == (400, "PGRST115")
    assert rows(await ask("GET", "bands?select=name&order=id&limit=2", as_=ADMIN)) == [{"name": "x"}, {"name": "Gale"}]


CALLS: list[tuple[str, Any]] = [
    (
        "rpc/old_bands?select=name,labels(name)&order=id",
        [{"name": "Fjord", "labels": {"name": "Moon"}}, {"name": "Gale", "labels": {"name": "Moon"}}],
    ),
    (
        "rpc/old_bands?select=*,age,best_album(title)&id=eq.2",
        [{"id": 2, "name": "Gale", "founded": 2005, "label_id": 1, "age": 21, "best_album": {"title": "Wind"}}],
    ),
    ("rpc/old_bands?select=id,albums!inner()&albums.price=gt.10", [{"id": 1}]),
    ("rpc/old_bands?select=id,albums()&albums=is.null", []),
    ("rpc/old_bands?select=founded.max(),...labels(name)", [{"max": 2005, "name": "Moon"}]),
    ("rpc/old_bands?select=id,labels()&order=labels(name),age.desc", [{"id": 1}, {"id": 2}]),
]


async def test_rows_of_functions_embed_as_their_relation_does(ask: Ask, connector: Connect, catalog: Catalog) -> None:
    admin = await connector(Login.ADMIN)
    await admin.execute(
        "create function old_bands() returns setof bands language sql stable"
        " as 'select * from bands where founded < 2010'"
    )
    await admin.close()
    await catalog.refresh()
    assert {target: rows(await ask("GET", target, as_=ADMIN)) for target, _ in CALLS} == dict(CALLS)
