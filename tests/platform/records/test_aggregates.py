"""Aggregates and the groups that the other members make, on a real Postgres."""

from typing import Any

import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Database, Transactions
from headwater.platform.records import Records, RecordsSettings
from headwater.platform.records.errors import AggregatesOff
from tests.platform.records.conftest import ADMIN, Ask, header, person, raw_request, rows

pytestmark = pytest.mark.usefixtures("music")

ANSWERS: list[tuple[str, Any]] = [
    ("albums?select=count()", [{"count": 4}]),
    ("albums?select=n:count()", [{"n": 4}]),
    ("albums?select=sold.count()", [{"count": 3}]),
    (
        "albums?select=sold.sum(),low:sold.min(),high:sold.max(),mean:sold.avg()",
        [{"sum": 450, "low": 50, "high": 300, "mean": 150.0}],
    ),
    (
        "albums?select=band_id,sold.sum()&order=band_id",
        [{"band_id": 1, "sum": 400}, {"band_id": 2, "sum": 50}, {"band_id": 3, "sum": None}],
    ),
    ("albums?select=band_id,count()&sold=gt.60", [{"band_id": 1, "count": 2}]),
    ("albums?select=sold::text.max()", [{"max": "50"}]),
    ("albums?select=sold.avg()::int", [{"avg": 150}]),
    ("albums?select=price.sum()::text,count()::text", [{"sum": "43.75", "count": "4"}]),
    (
        "albums?select=style:tags->>style,count()&tags->>style=not.is.null&order=tags->>style",
        [{"style": "cold", "count": 1}, {"style": "white", "count": 1}],
    ),
    ("bands?select=facts->letters.count()", [{"count": 4}]),
    ("bands?select=age.max()", [{"max": 36}]),
    (
        "albums?select=*,count()&id=eq.4",
        [{"id": 4, "title": "Sand", "year": 2016, "price": 15.0, "sold": None, "tags": {}, "band_id": 3, "count": 1}],
    ),
    # inside an embed they are made of the embedded rows
    (
        "bands?select=name,albums(count())&order=id&id=gt.2",
        [{"name": "Palm", "albums": [{"count": 1}]}, {"name": "Solo", "albums": [{"count": 0}]}],
    ),
    (
        "bands?select=name,albums(sold.sum(),price.max())&id=eq.1",
        [{"name": "Fjord", "albums": [{"sum": 400, "max": 12.0}]}],
    ),
    (
        "labels?select=id,bands(founded,count())&bands.order=founded&id=eq.1",
        [{"id": 1, "bands": [{"founded": 1990, "count": 1}, {"founded": 2005, "count": 1}]}],
    ),
    ("songs?select=title,albums(count())&id=eq.1", [{"title": "Drip", "albums": {"count": 1}}]),
    # members of embeds make groups too
    ("bands?select=count(),labels(name)&label_id=not.is.null&order=id", 400),
    ("bands?select=count(),labels(name)&labels.name=eq.Reef&label_id=eq.2", [{"count": 1, "labels": {"name": "Reef"}}]),
    ("bands?select=founded.min(),labels(name)&label_id=eq.1", [{"min": 1990, "labels": {"name": "Moon"}}]),
    ("bands?select=founded.min(),albums(title)&id=eq.2", [{"min": 2005, "albums": [{"title": "Wind"}]}]),
    ("bands?select=founded.sum(),...labels(name)&label_id=eq.1", [{"sum": 3995, "name": "Moon"}]),
    (
        "bands?select=founded.sum(),...labels(name,bands(id))&label_id=eq.2",
        [{"sum": 2015, "name": "Reef", "bands": [{"id": 3}]}],
    ),
    ("bands?select=count(),...albums(title)&id=eq.2", [{"count": 1, "title": ["Wind"]}]),
    # those of the one row of a spread are the outer row's
    ("albums?select=...bands(founded.max())", [{"max": 2015}]),
    (
        "albums?select=band_id,...bands(founded.max(),name)&order=band_id&limit=1",
        [{"band_id": 1, "max": 1990, "name": "Fjord"}],
    ),
    (
        "songs?select=...albums(...bands(band:name,n:count()))&albums.bands.name=eq.Fjord&album_id=lt.3",
        [{"band": "Fjord", "n": 3}],
    ),
    ("songs?select=...albums(sold.sum()::text,high:price::int.max())", [{"sum": "550", "high": 12}]),
    ("songs?select=count(),...albums(n:count())", [{"count": 5, "n": 4}]),
    # those of a spread to many stay there
    (
        "bands?select=id,...albums(sold.sum(),count())&id=lt.3&order=id",
        [{"id": 1, "sum": [400], "count": [2]}, {"id": 2, "sum": [50], "count": [1]}],
    ),
]


async def test_aggregates(ask: Ask) -> None:
    answers: dict[str, Any] = {}
    for target, expected in ANSWERS:
        reply = await ask("GET", target, as_=ADMIN)
        answers[target] = rows(reply) if expected != 400 else reply.status
    assert answers == dict(ANSWERS)


async def test_groups_are_what_is_counted(ask: Ask) -> None:
    for target in ("albums?select=band_id,count()", "albums?select=band_id,count()&limit=1"):
        reply = await ask("GET", target, as_=ADMIN, prefer="count=exact")
        assert (header(reply, "Content-Range") or "").endswith("/3"), target


async def test_aggregates_are_of_what_the_caller_sees(ask: Ask) -> None:
    assert rows(await ask("GET", "diaries?select=count()", as_=person(2))) == [{"count": 2}]
    assert rows(await ask("GET", "people?select=diaries(count())&id=eq.1", as_=person(2))) == [
        {"diaries": [{"count": 1}]}
    ]


@pytest.mark.parametrize(
    "target",
    [
        "albums?select=count()",
        "albums?select=sold.sum()",
        "bands?select=id,albums(count())",
        "songs?select=...albums(sold.sum())",
    ],
)
async def test_they_can_be_turned_off(catalog: Catalog, database: Database, target: str) -> None:
    records = Records(catalog=catalog, settings=RecordsSettings(aggregates=False))
    with pytest.raises(AggregatesOff) as refused:
        await records.read_rows(Transactions(database), ADMIN, raw_request("GET", target))
    assert (refused.value.status, refused.value.code) == (400, "PGRST123")


CAPPED: list[tuple[str, Any]] = [
    (
        "labels?select=id,bands(id,albums(id))&order=id&bands.order=id&bands.albums.order=id&id=eq.1",
        [{"id": 1, "bands": [{"id": 1, "albums": [{"id": 1}]}]}],
    ),
    ("labels?select=id,bands(id)&bands.limit=9&order=id&bands.order=id", [{"id": 1, "bands": [{"id": 1}]}]),
    ("labels?select=id,bands(id)&bands.limit=0&order=id", [{"id": 1, "bands": []}]),
    ("labels?select=id,...bands(band:id)&order=id&bands.order=id&bands.offset=1", [{"id": 1, "band": [2]}]),
    ("bands?select=id,labels(id)&order=id", [{"id": 1, "labels": {"id": 1}}]),
]


async def test_a_limit_on_rows_binds_at_every_level(catalog: Catalog, database: Database) -> None:
    records = Records(catalog=catalog, settings=RecordsSettings(max_rows=1))
    for target, body in CAPPED:
        reply = await records.read_rows(Transactions(database), ADMIN, raw_request("GET", target))
        assert rows(reply) == body
