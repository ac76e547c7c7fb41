"""Embedded rows, on a real Postgres: every kind of relationship, and everything that can be said of an embed."""

from typing import Any, cast

import pytest

from tests.platform.records.conftest import ADMIN, Ask, header, person, rows

pytestmark = pytest.mark.usefixtures("music")

SHOWN: list[tuple[str, Any]] = [
    ("bands?select=name,labels(name)&id=eq.1", [{"name": "Fjord", "labels": {"name": "Moon"}}]),
    ("bands?select=name,labels(name)&id=eq.4", [{"name": "Solo", "labels": None}]),
    (
        "labels?select=name,bands(name)&order=id&bands.order=name.desc",
        [
            {"name": "Moon", "bands": [{"name": "Gale"}, {"name": "Fjord"}]},
            {"name": "Reef", "bands": [{"name": "Palm"}]},
            {"name": "Dust", "bands": []},
        ],
    ),
    (
        "people?select=name,passports(number)&id=in.(1,2)&order=id",
        [{"name": "Ann", "passports": {"number": "P1"}}, {"name": "Bo", "passports": None}],
    ),
    ("passports?select=number,people(name)&person_id=eq.3", [{"number": "P3", "people": {"name": "Cy"}}]),
    (
        "bands?select=name,people(name)&people.order=name&order=id&limit=2",
        [{"name": "Fjord", "people": [{"name": "Ann"}, {"name": "Bo"}]}, {"name": "Gale", "people": [{"name": "Bo"}]}],
    ),
    (
        "people?select=name,bands(name)&id=eq.2&bands.order=name",
        [{"name": "Bo", "bands": [{"name": "Fjord"}, {"name": "Gale"}]}],
    ),
    (
        "people?select=name,people!people_boss(name)&id=eq.1&people.order=id",
        [{"name": "Ann", "people": [{"name": "Bo"}, {"name": "Cy"}]}],
    ),
    ("people?select=name,boss_id(name)&id=eq.2", [{"name": "Bo", "boss_id": {"name": "Ann"}}]),
    (
        "people?select=name,boss:boss_id(name,boss:boss_id(name))&id=eq.4",
        [{"name": "Di", "boss": {"name": "Bo", "boss": {"name": "Ann"}}}],
    ),
    ("people?select=name,team:people!boss_id(name)&id=eq.2", [{"name": "Bo", "team": [{"name": "Di"}]}]),
    ("people?select=name,idols:people!fans_idol(name)&id=eq.2", [{"name": "Bo", "idols": [{"name": "Ann"}]}]),
    (
        "people?select=name,fans:people!fan_id(name)&id=eq.1&fans.order=name",
        [{"name": "Ann", "fans": [{"name": "Bo"}, {"name": "Cy"}]}],
    ),
    (
        "concerts?select=id,halls(seats)&order=id",
        [{"id": 1, "halls": {"seats": 900}}, {"id": 2, "halls": {"seats": 200}}, {"id": 3, "halls": None}],
    ),
    ("halls?select=name,concerts(id)&name=eq.Big", [{"name": "Big", "concerts": [{"id": 1}]}]),
    ("towns?select=name,concerts!slept_in(id)&id=eq.1", [{"name": "Oslo", "concerts": [{"id": 3}]}]),
    (
        "towns?select=name,a:concerts!concerts_held(id),b:concerts!concerts_slept(id)&id=eq.2",
        [{"name": "Faro", "a": [{"id": 2}], "b": [{"id": 1}, {"id": 2}]}],
    ),
    ("concerts?select=concerts_slept(name)&id=eq.1", [{"concerts_slept": {"name": "Faro"}}]),
    (
        "concerts?select=slept_in(name),held_in(name)&id=eq.1",
        [{"slept_in": {"name": "Faro"}, "held_in": {"name": "Oslo"}}],
    ),
    (
        "bands?select=name,albums(title,songs(title))&id=eq.1&albums.order=id&albums.songs.order=title",
        [
            {
                "name": "Fjord",
                "albums": [
                    {"title": "Ice", "songs": [{"title": "Crack"}, {"title": "Drip"}]},
                    {"title": "Snow", "songs": [{"title": "Flake"}]},
                ],
            }
        ],
    ),
    (
        "songs?select=title,albums(title,bands(name,labels(name)))&id=eq.4",
        [{"title": "Gust", "albums": {"title": "Wind", "bands": {"name": "Gale", "labels": {"name": "Moon"}}}}],
    ),
    (
        "bands?select=*,labels(*)&id=eq.3",
        [
            {
                "id": 3,
                "name": "Palm",
                "founded": 2015,
                "label_id": 2,
                "labels": {"id": 2, "name": "Reef", "country": "PT"},
            }
        ],
    ),
    # views stand in for their tables, however they are nested and whatever their columns are called
    (
        "bands?select=name,cheap_albums(title)&order=id&limit=2",
        [{"name": "Fjord", "cheap_albums": [{"title": "Ice"}]}, {"name": "Gale", "cheap_albums": [{"title": "Wind"}]}],
    ),
    ("cheap_albums?select=title,bands(name)&id=eq.1", [{"title": "Ice", "bands": {"name": "Fjord"}}]),
    ("cheap_titles?select=title,groups(called)&number=eq.3", [{"title": "Wind", "groups": {"called": "Gale"}}]),
    ("groups?select=called,cheap_titles(title)&id=eq.1", [{"called": "Fjord", "cheap_titles": [{"title": "Ice"}]}]),
    (
        "cheap_titles?select=title,songs(title)&number=eq.1&songs.order=id",
        [{"title": "Ice", "songs": [{"title": "Drip"}, {"title": "Crack"}]}],
    ),
    ("groups?select=called,people(name)&id=eq.2", [{"called": "Gale", "people": [{"name": "Bo"}]}]),
    ("groups?select=called,people!memberships(name)&id=eq.2", [{"called": "Gale", "people": [{"name": "Bo"}]}]),
    # casts, JSON paths and aliases inside
    (
        "songs?select=albums(style:tags->>style,cost:price::text)&id=eq.1",
        [{"albums": {"style": "cold", "cost": "9.50"}}],
    ),
]


async def test_what_is_embedded(ask: Ask) -> None:
    assert {target: rows(await ask("GET", target, as_=ADMIN)) for target, _ in SHOWN} == dict(SHOWN)


CHOSEN: list[tuple[str, Any]] = [
    # filters inside an embed leave the outer rows alone, with !inner they choose among them
    ("labels?select=id,bands(id)&bands.founded=gt.2000", [(1, [2]), (2, [3]), (3, [])]),
    ("labels?select=id,bands!inner(id)&bands.founded=gt.2000", [(1, [2]), (2, [3])]),
    ("labels?select=id,bands!inner(id)&bands.founded=lt.2000", [(1, [1])]),
    ("labels?select=id,bands!left(id)&bands.name=eq.Gale", [(1, [2]), (2, []), (3, [])]),
    ("labels?select=id,b:bands(id)&b.founded=gt.2000", [(1, [2]), (2, [3]), (3, [])]),
    ("labels?select=id,b:bands(id)&bands.founded=gt.2000", [(1, [2]), (2, [3]), (3, [])]),
    ("labels?select=id,bands(id)&bands.or=(id.eq.1,name.eq.Palm)", [(1, [1]), (2, [3]), (3, [])]),
    ("labels?select=id,bands(id)&bands.not.or=(id.eq.1,name.eq.Palm)", [(1, [2]), (2, []), (3, [])]),
    ("labels?select=id,bands(id)&bands.order=id&bands.limit=1", [(1, [1]), (2, [3]), (3, [])]),
    ("labels?select=id,bands(id)&bands.order=id&bands.offset=1", [(1, [2]), (2, []), (3, [])]),
    ("labels?select=id,bands(id)&bands.order=id&bands.limit=1&bands.offset=1", [(1, [2]), (2, []), (3, [])]),
    ("labels?select=id,bands(id)&bands.limit=0", [(1, []), (2, []), (3, [])]),
    ("labels?select=id,bands!inner(id)&bands.limit=0", []),
    ("labels?select=id,bands!inner(id)&bands.offset=1&bands.order=id", [(1, [2])]),
    (
        "labels?select=id,bands(id,albums!inner(id))&bands.albums.price=gt.10&bands.order=id",
        [(1, [1]), (2, [3]), (3, [])],
    ),
    ("labels?select=id,bands!inner(id,albums!inner(id))&bands.albums.price=gt.14", [(2, [3])]),
    ("labels?select=id,bands(id)&bands=is.null", [(3, [])]),
    ("labels?select=id,bands(id)&bands=not.is.null&bands.founded=gt.2010", [(2, [3])]),
    ("labels?select=id,bands(id)&bands=is.not_null&bands.founded=gt.2010", [(2, [3])]),
    ("labels?select=id,bands(id)&or=(bands.is.null,name.eq.Moon)&bands.order=id", [(1, [1, 2]), (3, [])]),
    (
        "labels?select=id,a:bands(id),b:bands()&a.name=eq.Fjord&b.name=eq.Palm&or=(a.not.is.null,b.not.is.null)",
        [(1, [1]), (2, [])],
    ),
    ("labels?select=id,bands(id)&not.and=(bands.is.null,country.is.null)&bands.order=id", [(1, [1, 2]), (2, [3])]),
    ("labels?select=id,bands!inner()&bands.name=eq.Palm", [(2,)]),
    ("labels?select=id,bands!inner(albums!inner())&bands.albums.title=eq.Wind", [(1,)]),
    ("labels?select=id,bands()&bands=is.null", [(3,)]),
    ("bands?select=id,labels!inner(id)&labels.country=eq.PT", [(3, 2)]),
    ("bands?select=id,labels(id)&labels.country=eq.PT", [(1, None), (2, None), (3, 2), (4, None)]),
    ("bands?select=id,labels(id)&labels=is.null", [(4, None)]),
    ("bands?select=id,people!inner(id)&people.name=eq.Bo", [(1, [2]), (2, [2])]),
    ("bands?select=id,people()&people=is.null", [(4,)]),
    ("bands?select=id,albums(id)&albums.tags->>style=eq.white", [(1, [2]), (2, []), (3, []), (4, [])]),
    ("bands?select=id,albums(id)&albums.title=like.*n*&albums.order=id", [(1, [2]), (2, [3]), (3, [4]), (4, [])]),
]


def flat(answer: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The rows as tuples of ids."""

    def ids(value: object) -> object:
        if isinstance(value, list):
            return [one["id"] for one in cast("list[dict[str, object]]", value)]
        return cast("dict[str, object]", value)["id"] if isinstance(value, dict) else value

    return [tuple(map(ids, row.values())) for row in answer]


async def test_which_rows_are_embedded(ask: Ask) -> None:
    for target, expected in CHOSEN:
        reply = await ask("GET", f"{target}&order=id", as_=ADMIN, prefer="count=exact")
        assert reply.status == 200, (target, reply.body)
        assert flat(rows(reply)) == expected, target
        first = await ask("GET", f"{target}&order=id&limit=1", as_=ADMIN, prefer="count=exact")
        headed = await ask("HEAD", f"{target}&order=id", as_=ADMIN, prefer="count=exact")
        assert headed.body == b"", target
        totals = {(header(one, "Content-Range") or "").partition("/")[2] for one in (reply, first, headed)}
        assert totals == {str(len(expected))}, target


SPREAD: list[tuple[str, Any]] = [
    (
        "bands?select=name,...labels(label:name,country)&order=id",
        [
            {"name": "Fjord", "label": "Moon", "country": "NO"},
            {"name": "Gale", "label": "Moon", "country": "NO"},
            {"name": "Palm", "label": "Reef", "country": "PT"},
            {"name": "Solo", "label": None, "country": None},
        ],
    ),
    (
        "songs?select=title,...albums(...bands(band:name,...labels(label:name)))&id=in.(4,5)&order=id",
        [{"title": "Gust", "band": "Gale", "label": "Moon"}, {"title": "Lost", "band": None, "label": None}],
    ),
    (
        "bands?select=band:name,...labels!inner(*)&labels.country=eq.PT",
        [{"band": "Palm", "id": 2, "name": "Reef", "country": "PT"}],
    ),
    (
        "labels?select=id,...bands(bands:name,years:founded)&bands.order=founded.desc&order=id",
        [
            {"id": 1, "bands": ["Gale", "Fjord"], "years": [2005, 1990]},
            {"id": 2, "bands": ["Palm"], "years": [2015]},
            {"id": 3, "bands": [], "years": []},
        ],
    ),
    ("labels?select=id,...bands(name)&bands.order=id&bands.limit=1&id=eq.1", [{"id": 1, "name": ["Fjord"]}]),
    ("bands?select=id,...people(name)&people.order=name&id=eq.1", [{"id": 1, "name": ["Ann", "Bo"]}]),
    (
        "labels?select=id,...bands(...albums(title))&bands.order=id&bands.albums.order=id&id=eq.1",
        [{"id": 1, "title": [["Ice", "Snow"], ["Wind"]]}],
    ),
    (
        "bands?select=id,...albums(title,songs(title))&id=eq.2",
        [{"id": 2, "title": ["Wind"], "songs": [[{"title": "Gust"}]]}],
    ),
    ("albums?select=id,...bands(labels(name))&id=eq.4", [{"id": 4, "labels": {"name": "Reef"}}]),
    ("albums?select=id,...bands!inner(id2:id)&bands.name=eq.Gale", [{"id": 3, "id2": 2}]),
    ("labels?select=id,...bands(name)&bands=is.null", [{"id": 3, "name": []}]),
]


async def test_what_is_spread(ask: Ask) -> None:
    assert {target: rows(await ask("GET", target, as_=ADMIN)) for target, _ in SPREAD} == dict(SPREAD)


ORDERED = [
    ("bands?select=id,labels()&order=labels(name).desc,id", [4, 3, 1, 2]),
    ("bands?select=id,labels()&order=labels(name).desc.nullslast,id.desc", [3, 2, 1, 4]),
    ("bands?select=id,l:labels(name)&order=l(country).nullsfirst,id", [4, 1, 2, 3]),
    ("bands?select=id,...labels(country)&order=labels(name),id", [1, 2, 3, 4]),
    ("songs?select=id,albums(id)&order=albums(tags->>style).desc.nullslast,id", [3, 1, 2, 4, 5]),
]


async def test_order_by_a_related_row(ask: Ask) -> None:
    for target, expected in ORDERED:
        assert [row["id"] for row in rows(await ask("GET", target, as_=ADMIN))] == expected, target


async def test_order_by_a_related_row_inside_an_embed(ask: Ask) -> None:
    target = "people?select=bands(id,labels())&bands.order=labels(name).desc&id=eq.2"
    assert rows(await ask("GET", target, as_=ADMIN)) == [{"bands": [{"id": 1}, {"id": 2}]}]


SEARCHED = "Searched for a foreign key relationship between 'bands' and "
IN_VAIN = "in the schema 'public', but no matches were found."
ONLY_NULL = "Only is null or not is null filters are allowed on embedded resources"
INCLUDED = "Verify that 'labels' is included in the 'select' query parameter."
NOT_TO_ONE = "'labels' and 'bands' do not form a many-to-one or one-to-one relationship"
MEANT = "Perhaps you meant 'labels' instead of 'label'."
REFUSED: list[tuple[str, int, str, str | None, str | None]] = [
    ("bands?select=nothing(*)", 400, "PGRST200", f"{SEARCHED}'nothing' {IN_VAIN}", None),
    ("bands?select=label(*)", 400, "PGRST200", f"{SEARCHED}'label' {IN_VAIN}", MEANT),
    ("bands?select=labels!wrong(*)", 400, "PGRST200", f"{SEARCHED}'labels' using the hint 'wrong' {IN_VAIN}", None),
    ("bands?select=gear(*)", 400, "PGRST200", None, None),
    ("bands?select=label_id(*),albums(albums_nothing(*))", 400, "PGRST200", None, None),
    ("people?select=people(*)", 300, "PGRST201", None, None),
    ("bands?select=id,labels(id)&labels=eq.1", 400, "PGRST120", None, ONLY_NULL),
    ("bands?select=id,albums(id)&or=(albums.gt.1,id.eq.1)", 400, "PGRST120", None, None),
    ("bands?select=id&labels.name=eq.x", 400, "PGRST108", None, INCLUDED),
    ("bands?select=id,labels(id)&labels.bands.name=eq.x", 400, "PGRST108", None, None),
    ("bands?select=id&labels.order=name", 400, "PGRST108", None, None),
    ("bands?select=id&labels.limit=1", 400, "PGRST108", None, None),
    ("bands?select=id&labels=is.null", 400, "PGRST108", None, INCLUDED),
    ("bands?select=id&or=(id.eq.1,labels.not.is.null)", 400, "PGRST108", None, INCLUDED),
    ("bands?select=id&nothing=is.null", 400, "42703", None, None),
    ("bands?select=id&order=labels(name)", 400, "PGRST108", None, None),
    ("labels?select=id,bands(id)&order=bands(name)", 400, "PGRST118", NOT_TO_ONE, None),
    ("bands?select=id,labels(nothing)", 400, "42703", None, None),
    ("bands?select=id,labels(id)&labels.limit=-1", 416, "PGRST103", None, None),
]


async def test_what_is_refused(ask: Ask) -> None:
    for target, status, code, details, hint in REFUSED:
        reply = await ask("GET", target, as_=ADMIN)
        told = rows(reply)
        assert (reply.status, told["code"]) == (status, code), (target, told)
        assert details is None or told["details"] == details
        assert hint is None or told["hint"] == hint


async def test_an_ambiguous_embed_says_between_what(ask: Ask) -> None:
    reply = await ask("GET", "towns?select=concerts(id)", as_=ADMIN)
    assert reply.status == 300
    assert rows(reply) == {
        "code": "PGRST201",
        "message": "Could not embed because more than one relationship was found for 'towns' and 'concerts'",
        "hint": "Try changing 'concerts' to one of the following: 'concerts!concerts_held', 'concerts!concerts_slept'."
        " Find the desired relationship in the 'details' key.",
        "details": [
            {
                "cardinality": "one-to-many",
                "embedding": "towns with concerts",
                "relationship": f"{key} using towns(id) and concerts({column})",
            }
            for key, column in (("concerts_held", "held_in"), ("concerts_slept", "slept_in"))
        ],
    }


async def test_embedded_rows_are_under_the_callers_policies(ask: Ask) -> None:
    target = "people?select=id,diaries(line)&diaries.order=id&id=lt.3&order=id"
    seen = {n: rows(await ask("GET", target, as_=person(n))) for n in (1, 2, 3)}
    assert [[line["line"] for row in seen[n] for line in row["diaries"]] for n in (1, 2, 3)] == [
        ["first of one"],
        ["first of two", "second of two"],
        [],
    ]
    inner = await ask("GET", "people?select=id,diaries!inner()", as_=person(1), prefer="count=exact")
    assert (rows(inner), header(inner, "Content-Range")) == ([{"id": 1}], "0-0/1")
    spread = await ask("GET", "people?select=id,...diaries(line)&diaries=not.is.null&order=id", as_=person(2))
    assert rows(spread) == [{"id": 1, "line": ["first of two"]}, {"id": 2, "line": ["second of two"]}]


async def test_partitions_inside_an_embed_are_chosen_by_the_callers_claims(ask: Ask) -> None:
    for target in ("songs?select=plays(times)&id=eq.1", "albums?select=songs!inner(plays!inner(times))&id=eq.1"):
        for number, times in ((1, 5), (2, 7)):
            reply = await ask("GET", target, as_=person(number))
            assert b'"plays":[{"times":%d}]' % times in reply.body, target


async def test_other_schemas_embed_their_own(ask: Ask) -> None:
    reply = await ask("GET", "gear?select=name,crews(name)", as_=ADMIN, accept_profile="backstage")
    assert rows(reply) == [{"name": "Amp", "crews": {"name": "Blue"}}]
    across = await ask("GET", "gear?select=name,bands(name)", as_=ADMIN, accept_profile="backstage")
    assert (across.status, rows(across)["code"]) == (400, "PGRST200")


async def test_so_many_conditions_on_embeds_are_refused(ask: Ask) -> None:
    many = ",".join(["labels.is.null"] * 201)
    reply = await ask("GET", f"bands?select=id,labels()&or=({many})", as_=ADMIN)
    assert (reply.status, rows(reply)["code"]) == (400, "PGRST100")
