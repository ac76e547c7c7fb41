"""Media types that the database's own functions and aggregates make (contract 1.7)."""

from typing import Any

from headwater.platform.records import RecordsSettings
from tests.platform.records.cases.case import (
    ANYTHING,
    BACK,
    EMPTY,
    SINGLE,
    Case,
    Like,
    Text,
    case,
    delete,
    get,
    patch,
    post,
    refuses,
)

HTML, TITLES, TABS = "text/html", "application/vnd.titles", "text/tab-separated-values"
BYTES = "application/octet-stream"
JSON = "application/json; charset=utf-8"
PLANNING = RecordsSettings(plan=True)


def made(target: str, accept: str, body: str, media_type: str | None = None, **further: Any) -> Case:
    """A read that is told in this form."""
    told = {"Content-Type": media_type or accept}
    name = f"{target} as {accept}"
    fields: dict[str, Any] = {"accept": accept, "told": told, "name": name, **further}
    return get(target, Text(body), **fields)


FUNCTIONS = (
    made("rpc/page?name=Ada", HTML, "<p>Ada</p>"),
    made("rpc/plainly", "text/plain", "as it is", "text/plain; charset=utf-8"),
    made("rpc/dot", "image/x-dot", "\x00\udcff\n", name="bytes as they are"),
    made("rpc/no_page", HTML, ""),
    made("rpc/page?name=Ada", "image/png, text/html;q=0.5, */*;q=0.1", "<p>Ada</p>", HTML),
    post("rpc/page", {"name": "Ada"}, 200, Text("<p>Ada</p>"), accept=HTML, told={"Content-Type": HTML}),
    post(
        "rpc/written_page",
        {},
        200,
        Text("<p>done</p>"),
        accept=HTML,
        then=("loose?n=eq.9&select=note", [{"note": "by a page"}]),
    ),
    get("rpc/page?name=Ada", "<p>Ada</p>", told={"Content-Type": JSON}, name="who says nothing gets JSON"),
    get("rpc/page?name=Ada", "<p>Ada</p>", accept="*/*", told={"Content-Type": JSON}),
    get("rpc/page?name=Ada", "<p>Ada</p>", accept="application/json"),
    get("rpc/page?name=Ada", "<p>Ada</p>", accept=SINGLE, name="the dialect's own forms are not replaced"),
    case("HEAD", "HEAD", "rpc/page?name=Ada", 200, EMPTY, accept=HTML, told={"Content-Type": HTML}),
    refuses("rpc/page?name=Ada", 406, "PGRST107", accept="text/xml"),
    refuses("rpc/plainly", 406, "PGRST107", accept=HTML),
    refuses("rpc/pages", 406, "PGRST107", accept=HTML, name="a set of values has no form of its own"),
    refuses("rpc/twofold?of=1", 406, "PGRST107", accept=HTML, name="its overload has it"),
    made("rpc/twofold", HTML, "<p>none</p>"),
    made("rpc/any_of_them", "*/*", "any", BYTES),
    made("rpc/any_of_them", "x/y", "any", BYTES),
    made("rpc/any_of_them", "app/chico", "any"),
    get("rpc/any_of_them", Text("any"), told={"Content-Type": BYTES}, name="whatever is not said"),
    refuses("rpc/any_of_them", 406, "PT406", accept="text/csv", message="no tables here"),
    get("rpc/any_of_them", "any", accept=SINGLE, name="anything but the dialect's own forms"),
)
ROWS = (
    made("genres?order=id", TITLES, "1 Science.2 Nature.3 Poetry."),
    made("genres?id=gt.1&order=id.desc&limit=1", TITLES, "3 Poetry."),
    made("genres?id=eq.0", TITLES, ""),
    made("genres?select=*&id=eq.1", TITLES, "1 Science."),
    made("rpc/some_genres", TITLES, "1 Science.2 Nature."),
    made("rpc/some_genres?id=eq.2", TITLES, "2 Nature."),
    made("rpc/one_genre", TITLES, "3 Poetry."),
    made("lists?order=id", TITLES, "food;tools;"),
    case(
        "HEAD counts",
        "HEAD",
        "genres",
        200,
        EMPTY,
        accept=TITLES,
        prefer="count=exact",
        told={"Content-Type": TITLES, "Content-Range": "0-2/3"},
    ),
    refuses("genres?select=id,name", 406, "PGRST107", accept=TITLES, name="the rows of a relation come whole"),
    refuses("genres?select=*,books(id)", 406, "PGRST107", accept=TITLES),
    refuses("books", 406, "PGRST107", accept=TITLES, name="one for other relations"),
    refuses("rpc/by_author?of=1", 406, "PGRST107", accept=TITLES),
    made("rpc/by_author?of=2&select=id,title", TABS, "3\tCold Sea\n"),
    made("genres?id=lt.3&order=id", TABS, "1\tScience\n2\tNature\n"),
    made("genres?select=name,id&id=eq.1", TABS, "Science\t1\n"),
    made("genres?select=id,books(id)&id=eq.3", TABS, "3\t[]\n"),
    made("books?select=full_title&id=eq.1", TABS, "Ada (1843)\n"),
    made("books?select=count()", TABS, "5\n"),
    made(
        "genres?order=id",
        "text/csv",
        "id\n1\n2\n3\n",
        "text/csv; charset=utf-8",
        told={"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": "attachment"},
    ),
    get("genres?select=id&id=eq.1", Text("id\n1"), accept="text/csv", name="of chosen columns the usual CSV"),
    get("pairs?select=a&b=eq.1", Text("a\n1"), accept="text/csv", name="elsewhere the usual CSV"),
    made("paints?order=id", "application/vnd.hues+json", "[16711680, 255]"),
    made("countries?order=id", "*/*", "NOPETD", BYTES),
    made("countries?order=id", "image/png", "NOPETD", BYTES),
    made("countries?order=id", "application/json", "NOPETD", BYTES),
    get("countries?id=eq.1&select=id", [{"id": 1}], accept="*/*", name="of chosen columns JSON"),
    get("countries?id=eq.1", Like(id=1), accept=SINGLE),
    get("items?id=eq.1", Like(id=1), accept="application/vnd.pgrst.object", name="such domains are in vain"),
    get(
        "genres",
        ANYTHING,
        accept=f'application/vnd.pgrst.plan+json; for="{TITLES}"',
        settings=PLANNING,
        told={"Content-Type": f'application/vnd.pgrst.plan+json; for="{TITLES}"; charset=utf-8'},
        name="its plan",
    ),
)
WRITES = (
    post(
        "lists", {"id": 9, "name": "new"}, 201, Text("new;"), accept=TITLES, prefer=BACK, told={"Content-Type": TITLES}
    ),
    post(
        "lists", {"id": 9, "name": "new"}, 201, EMPTY, accept=TITLES, name="a silent one", told={"Content-Type": None}
    ),
    post(
        "lists",
        [{"id": 1, "name": "all"}, {"id": 9, "name": "new"}],
        201,
        Text("all;new;"),
        accept=TITLES,
        prefer=f"{BACK}, resolution=merge-duplicates",
        name="merged",
    ),
    patch("lists?id=eq.1", {"name": "all"}, 200, Text("all;"), accept=TITLES, prefer=BACK),
    delete("items?id=eq.1", 200, Text("1\tbread\t1\n"), accept=TABS, prefer=BACK),
    refuses("lists", 406, "PGRST107", "POST", sent={"id": 9}, accept=HTML, then=("lists?id=eq.9", [])),
)
CASES = (*FUNCTIONS, *ROWS, *WRITES)
