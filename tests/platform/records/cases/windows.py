"""Order, limit, offset, Range, counts, Content-Range (contract 1.4)."""

from typing import Any

from headwater.platform.records import RecordsSettings
from tests.platform.records.cases.case import EMPTY, Case, case, get, refuses

EXACT = "count=exact"
THREE = RecordsSettings(max_rows=3)


def ordered(target: str, *ids: int, **further: Any) -> Case:
    """The ids of all things, in the order that is asked for."""
    return get(f"{target}&select=id", [{"id": one} for one in ids], name=target, **further)


def page(target: str, ids: tuple[int, ...], content_range: str, status: int = 200, **further: Any) -> Case:
    """A page of the things in their order, and how its place is told."""
    name = f"{target}{', at most 3' if 'settings' in further else ''}"
    rows = [{"id": one} for one in ids]
    mark = "&" if "?" in target else "?"
    return get(
        f"{target}{mark}select=id&order=id", rows, status, name=name, told={"Content-Range": content_range}, **further
    )


CASES = (
    # Order; n is 1, 2, 3, null, 5.
    ordered("things?order=n.asc.nullslast", 1, 2, 3, 5, 4),
    ordered("things?order=n", 1, 2, 3, 5, 4),
    ordered("things?order=n.asc", 1, 2, 3, 5, 4),
    ordered("things?order=n.desc", 4, 5, 3, 2, 1),
    ordered("things?order=n.desc.nullslast", 5, 3, 2, 1, 4),
    ordered("things?order=n.nullsfirst", 4, 1, 2, 3, 5),
    ordered("things?order=n.asc.nullsfirst", 4, 1, 2, 3, 5),
    ordered("things?order=n.desc.nullsfirst", 4, 5, 3, 2, 1),
    ordered("things?order=n.nullslast", 1, 2, 3, 5, 4),
    ordered("things?order=flag.desc.nullslast,id.desc", 4, 1, 5, 2, 3),
    ordered("things?order=flag,id", 2, 5, 1, 4, 3),
    ordered("things?order=form.desc.nullslast,id", 3, 2, 1, 5, 4),
    ordered("things?order=doc->n.desc.nullslast,id", 5, 2, 1, 3, 4),
    ordered("things?order=doc->>k.desc.nullslast,id", 2, 1, 5, 3, 4),
    ordered("things?order=doc->list->0.nullslast,id", 1, 2, 3, 4, 5),
    ordered("things?order=area->>w.desc.nullslast,id", 5, 2, 1, 3, 4),
    ordered("things?order=id.desc&limit=2", 5, 4),
    ordered("things?order=id.desc&offset=3", 2, 1),
    ordered("things?order=id.desc&limit=2&offset=1", 4, 3),
    ordered("books?order=full_title", 1, 2, 3, 4, 5),
    ordered("books?order=full_title.desc&limit=1", 5),
    ordered("books?order=facts->letters,id", 1, 2, 4, 3, 5),
    get('odd names?order="a b".desc&select=id', [{"id": 1}]),
    refuses("things?order=n.up", 400, "PGRST100"),
    refuses("things?order=n.desc.nulls", 400, "PGRST100"),
    refuses("things?order=n.nullslast.desc", 400, "PGRST100"),
    refuses("things?order=n,,t", 400, "PGRST100"),
    refuses("things?order=absent", 400, "42703"),
    refuses("things?order=things(n)", 400, "PGRST108"),
    # Limit and offset.
    page("things?limit=2", (1, 2), "0-1/*"),
    page("things?limit=2&offset=2", (3, 4), "2-3/*"),
    page("things?offset=3", (4, 5), "3-4/*"),
    page("things?limit=0", (), "*/*"),
    page("things?limit=99", (1, 2, 3, 4, 5), "0-4/*"),
    page("things?offset=5", (), "*/*"),
    page("things?offset=99", (), "*/*"),
    page("things", (1, 2, 3, 4, 5), "0-4/*"),
    page("things?id=eq.77", (), "*/*"),
    page("things?limit=2", (1, 2), "0-1/5", 206, prefer=EXACT),
    page("things?limit=2&offset=4", (5,), "4-4/5", 206, prefer=EXACT),
    page("things?limit=5", (1, 2, 3, 4, 5), "0-4/5", prefer=EXACT),
    page("things", (1, 2, 3, 4, 5), "0-4/5", prefer=EXACT),
    page("things?n=gt.1", (2, 3, 5), "0-2/3", prefer=EXACT),
    page("things?n=gt.1&limit=1", (2,), "0-0/3", 206, prefer=EXACT),
    page("things?id=eq.77", (), "*/0", prefer=EXACT),
    page("things?limit=0", (), "*/5", 206, prefer=EXACT),
    page("things?offset=5", (), "*/5", 206, prefer=EXACT),
    refuses("things?offset=6", 416, "PGRST103", prefer=EXACT, told={"Content-Range": "*/5"},
            details="An offset of 6 was requested, but there are only 5 rows.",
            message="Requested range not satisfiable"),
    refuses("things?limit=-1", 416, "PGRST103"),
    refuses("things?id=eq.77&offset=1", 416, "PGRST103", prefer=EXACT),
    refuses("things?authors.limit=1", 400, "PGRST108"),
    # Range.
    page("things", (1, 2), "0-1/*", range="0-1"),
    page("things", (3, 4, 5), "2-4/*", range="2-"),
    page("things", (2, 3), "1-2/5", 206, range="1-2", prefer=EXACT),
    page("things?limit=1", (1,), "0-0/*", range="0-3"),
    page("things?limit=4", (1, 2), "0-1/*", range="0-1", range_unit="items"),
    page("things", (1,), "0-0/*", range="0-0"),
    page("things", (1, 2, 3, 4, 5), "0-4/5", range="0-99", prefer=EXACT),
    refuses("things", 416, "PGRST103", range="3-1"),
    refuses("things", 416, "PGRST103", range="9-", prefer=EXACT, name="a range beyond all rows"),
    case("a range is no matter of HEAD", "HEAD", "things?select=id", 200, range="0-1", told={"Content-Range": "0-4/*"}),
    # The operator's own limit.
    page("things", (1, 2, 3), "0-2/*", settings=THREE),
    page("things?limit=4", (1, 2, 3), "0-2/*", settings=THREE),
    page("things?limit=2", (1, 2), "0-1/*", settings=THREE),
    page("things?offset=3", (4, 5), "3-4/*", settings=THREE),
    page("things", (1, 2, 3), "0-2/5", 206, settings=THREE, prefer=EXACT),
    get("genres?select=id,books(id)&id=eq.2&books.order=id", [{"id": 2, "books": [{"id": 2}, {"id": 3}]}],
        settings=RecordsSettings(max_rows=2), name="the limit holds at every level"),
    get("rpc/numbers?upto=9", [1, 2, 3], settings=THREE, name="the limit holds for functions"),
    # Counts.
    page("things", (1, 2, 3), "0-2/5", 206, settings=THREE, prefer="count=estimated"),
    page("things?id=lte.2", (1, 2), "0-1/2", settings=THREE, prefer="count=estimated"),
    get("things?select=id&limit=1&order=id", [{"id": 1}], 206, prefer=EXACT,
        told={"Preference-Applied": "count=exact"}),
    get("things?select=id&id=eq.1", [{"id": 1}], prefer="count=several",
        told={"Content-Range": "0-0/*", "Preference-Applied": None}),
    get("by_year?select=year&order=year&limit=1", [{"year": 1843}], 206, prefer=EXACT, told={"Content-Range": "0-0/5"}),
    get("loans?select=id&order=id", [{"id": 1}, {"id": 2}], prefer=EXACT, told={"Content-Range": "0-1/2"},
        name="one counts his own"),
    get("loans?select=id", [{"id": 3}], prefer=EXACT, told={"Content-Range": "0-0/1"}, name="two counts hers",
        who="two"),
    get("loans?select=id", [], prefer=EXACT, told={"Content-Range": "*/0"}, name="a stranger counts none", who="anon"),
    # HEAD.
    case("HEAD tells the range", "HEAD", "things", 200, EMPTY, told={"Content-Range": "0-4/*"}),
    case("HEAD counts", "HEAD", "things", 200, EMPTY, prefer=EXACT, told={"Content-Range": "0-4/5"}),
    case("HEAD of a page", "HEAD", "things?limit=2", 206, EMPTY, prefer=EXACT, told={"Content-Range": "0-1/5"}),
    case("HEAD of nothing", "HEAD", "things?id=eq.77", 200, EMPTY, prefer=EXACT, told={"Content-Range": "*/0"}),
    case("HEAD has a media type", "HEAD", "things", 200, EMPTY,
        told={"Content-Type": "application/json; charset=utf-8"}),
    case("HEAD of what is not there", "HEAD", "absent", 404),
)  # fmt: skip
