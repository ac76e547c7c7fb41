"""Media types, profiles, methods, preferences, the operator's settings, errors (contract 1.1, 1.5, 1.7, 1.8)."""

from headwater.platform.records import RecordsSettings
from tests.platform.records.cases.case import (
    ANYTHING,
    BACK,
    EMPTY,
    SINGLE,
    Like,
    Text,
    case,
    delete,
    get,
    patch,
    post,
    refuses,
)  # fmt: skip

JSON = "application/json; charset=utf-8"
CSV = "text/csv"
STRIPPED = "application/vnd.pgrst.object+json;nulls=stripped"
STRIPPED_ARRAY = "application/vnd.pgrst.array+json;nulls=stripped"
PLAN = "application/vnd.pgrst.plan+json"
PLANNING = RecordsSettings(plan=True)
TERSE = RecordsSettings(error_verbosity="minimal")
LOCATED = RecordsSettings(content_location=True)
UNDOING = RecordsSettings(tx_end="rollback")
CHOOSING = RecordsSettings(tx_end="commit-allow-override")
KEEPING = RecordsSettings(tx_end="rollback-allow-override")
RECORDS = "/api/database/records"
BEE = "books?id=eq.2&select=id,format,editor_id"
ROWS = [{"id": 2, "format": "sound", "editor_id": None}]
TITLES = "notes?select=title&order=id"
UNTOUCHED = (TITLES, [{"title": "one"}, {"title": "two"}, {"title": "three"}])

MEDIA = (
    get(BEE, ROWS, told={"Content-Type": JSON}),
    get(BEE, ROWS, accept="application/json", told={"Content-Type": JSON}),
    get(BEE, ROWS, accept="*/*", told={"Content-Type": JSON}),
    get(BEE, ROWS, accept="text/html, application/json;q=0.8", told={"Content-Type": JSON}),
    get(BEE, ROWS, accept="application/vnd.pgrst.array+json"),
    get(BEE, ROWS[0], accept=SINGLE, told={"Content-Type": "application/vnd.pgrst.object+json; charset=utf-8"}),
    get(BEE, ROWS[0], accept=f"{SINGLE}, application/json;q=0.5"),
    get(BEE, ROWS, accept=f"{SINGLE};q=0.1, application/json;q=0.5"),
    get(
        BEE,
        {"id": 2, "format": "sound"},
        accept=STRIPPED,
        told={"Content-Type": "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8"},
    ),
    get(
        BEE,
        [{"id": 2, "format": "sound"}],
        accept=STRIPPED_ARRAY,
        told={"Content-Type": "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8"},
    ),
    get(BEE, Text("id,format,editor_id\n2,sound,"), accept=CSV, told={"Content-Type": "text/csv; charset=utf-8"}),
    get("books?id=eq.5&select=id,title", Text('id,title\n5,"Elms, and (other) trees"'), accept=CSV),
    get("things?id=in.(1,2)&select=id,flag&order=id", Text("id,flag\n1,t\n2,f"), accept=CSV),
    get("things?id=eq.1&select=tags,area", Text('tags,area\n"{a,b}","(1,2)"'), accept=CSV),
    get("books?id=eq.1&select=id", Text("id\n1"), accept=f"text/html, {CSV}", name="the first that can be made"),
    post(
        "notes?select=id,title",
        {"title": "a"},
        201,
        Text("id,title\n4,a"),
        prefer=BACK,
        accept=CSV,
        name="a write told as CSV",
    ),
    get("rpc/squares?upto=2", Text("n,square\n1,1\n2,4"), accept=CSV, name="a function told as CSV"),
    refuses(BEE, 406, "PGRST107", accept="text/html", message="None of these media types are available: text/html"),
    refuses(BEE, 406, "PGRST107", accept="application/pdf, image/png"),
    refuses(BEE, 406, "PGRST107", accept=PLAN, name="plans are kept"),
    refuses("rpc/add?a=1", 406, "PGRST107", accept="text/html"),
    refuses("notes", 406, "PGRST107", "POST", sent={"title": "a"}, accept="image/png", then=UNTOUCHED),
    get(
        BEE,
        ANYTHING,
        accept=PLAN,
        settings=PLANNING,
        name="a plan as JSON",
        told={"Content-Type": 'application/vnd.pgrst.plan+json; for="application/json"; charset=utf-8'},
    ),
    get(
        BEE,
        ANYTHING,
        accept="application/vnd.pgrst.plan",
        settings=PLANNING,
        name="a plan as text",
        told={"Content-Type": 'application/vnd.pgrst.plan+text; for="application/json"; charset=utf-8'},
    ),
    delete(
        "notes?id=eq.1", 200, ANYTHING, accept=PLAN, settings=PLANNING, then=UNTOUCHED, name="a plan changes nothing"
    ),
)
PROFILES = (
    get(
        "rpc/pick?of=5&select=id,price,format",
        {"id": 5, "price": 7.0},
        accept=STRIPPED,
        name="a function's row without nulls",
    ),
    get(
        "books?id=eq.2&select=id,editor_id(name),author_id(name,country_id)",
        [{"id": 2, "author_id": {"name": "Ann", "country_id": 1}}],
        accept=STRIPPED_ARRAY,
        name="nulls go at every level",
    ),
    get(
        "books?select=id&order=id",
        [{"id": 1}, {"id": 2}],
        accept_profile="archive",
        told={"Content-Profile": "archive"},
    ),
    get("books?id=eq.1&select=id", [{"id": 1}], accept_profile="public", told={"Content-Profile": "public"}),
    get(
        "books?id=eq.1&select=id",
        [{"id": 1}],
        told={"Content-Profile": "public"},
        name="of several schemas the one is told",
    ),
    get("books?id=eq.5&select=id", [{"id": 5}], content_profile="archive", name="a read looks at its own header"),
    refuses("books", 406, "PGRST106", accept_profile="absent", message="Invalid schema: absent"),
    refuses("books", 406, "PGRST106", accept_profile="auth", name="the server's own schemas are not served"),
    refuses("books", 406, "PGRST106", accept_profile="pg_catalog", name="nor are those of Postgres"),
    refuses("books", 406, "PGRST106", "POST", sent={"id": 9}, content_profile="absent", name="nowhere to write"),
    refuses("notes", 404, "PGRST205", accept_profile="archive"),
    case("OPTIONS looks at Accept-Profile", "OPTIONS", "boxes", 200, EMPTY, accept_profile="archive"),
    patch(
        "books?id=eq.1",
        {"title": "x"},
        403,
        ANYTHING,
        content_profile="archive",
        name="rights are those of the other schema",
    ),
    get(f"{RECORDS}/books?schema=archive&select=id&order=id", [{"id": 1}, {"id": 2}]),
    post(f"{RECORDS}/books?schema=archive", {"id": 9, "title": "n"}, 201, []),
    get("books?schema=archive", Like(code="PGRST100"), 400, name="elsewhere a schema is a filter"),
)
ROUTES = (
    refuses("absent", 404, "PGRST205", message="Could not find the table 'public.absent' in the schema cache"),
    refuses("bookz", 404, "PGRST205", hint="Perhaps you meant the table 'public.books'"),
    refuses("pg_class", 404, "PGRST205"),
    refuses("vault", 401, "42501", who="anon", told={"WWW-Authenticate": "Bearer"}),
    refuses("vault", 403, "42501", told={"WWW-Authenticate": None}),
    get("showcase", [{"id": 1, "label": "cup"}], who="anon"),
    case(
        "a table with a key", "OPTIONS", "notes", 200, EMPTY, told={"Allow": "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"}
    ),
    case("a table without a key", "OPTIONS", "loose", 200, EMPTY, told={"Allow": "OPTIONS,GET,HEAD,POST,PATCH,DELETE"}),
    case("a view that cannot be changed", "OPTIONS", "by_year", 200, EMPTY, told={"Allow": "OPTIONS,GET,HEAD"}),
    case("nothing to allow", "OPTIONS", "absent", 404),
    case("the root", "OPTIONS", "/rest/v1/", 200, EMPTY, told={"Allow": "OPTIONS,GET,HEAD"}),
    get(BEE, ROWS, told={"Vary": "Accept, Prefer, Range"}, name="what answers vary by"),
    get(
        "books?select=id&id=eq.1", [{"id": 1}], settings=LOCATED, told={"Content-Location": "/books?id=eq.1&select=id"}
    ),
    refuses("books?id=eq.x", 400, "22P02", told={"Proxy-Status": "PostgREST; error=22P02"}),
    refuses("absent", 404, "PGRST205", told={"Proxy-Status": "PostgREST; error=PGRST205"}, name="the proxy's status"),
    case(
        "a terse error",
        "GET",
        "bookz",
        404,
        {"code": "PGRST205", "message": "Could not find the table 'public.bookz' in the schema cache"},
        settings=TERSE,
    ),
    refuses(
        "books?select=title;year",
        400,
        "PGRST100",
        message='"failed to parse select parameter (title;year)" (line 1, column 6)',
    ),
)
HABITS = (
    post(
        f"{RECORDS}/notes?select=title,rank",
        {"title": "a", "rank": ""},
        201,
        [{"title": "a", "rank": None}],
        prefer=BACK,
        name="an empty text is no number",
    ),
    post(
        f"{RECORDS}/notes?select=title,body",
        {"title": "", "body": ""},
        201,
        [{"title": "", "body": ""}],
        prefer=BACK,
        name="an empty text is a text",
    ),
    post(f"{RECORDS}/notes", {"title": "a"}, 201, [], name="a silent insert is an empty array"),
    patch(
        f"{RECORDS}/notes?id=eq.1",
        {"rank": ""},
        204,
        then=("notes?id=eq.1&select=rank", [{"rank": 1}]),
        name="an empty text changes no number",
    ),
    delete(f"{RECORDS}/notes?id=eq.1", 204, name="a 204 stays empty"),
    get(f"{RECORDS}/books?id=eq.1&select=id", [{"id": 1}]),
    refuses("notes", 400, "22P02", "POST", sent={"title": "a", "rank": ""}, name="exactly, an empty text is no number"),
)
PREFERENCES = (
    post(
        "notes",
        {"title": "a"},
        201,
        prefer="return=minimal, return=representation",
        told={"Preference-Applied": "return=minimal"},
        name="the first counts",
    ),
    post(
        "notes?select=id",
        {"title": "a"},
        201,
        [{"id": 4}],
        prefer="return=representation,count=exact , handling=lenient",
        told={"Preference-Applied": "return=representation, count=exact, handling=lenient"},
        name="in the dialect's order",
    ),
    post(
        "words?select=word",
        {"word": "a"},
        201,
        ANYTHING,
        prefer=f"count=exact, handling=strict, {BACK}, missing=default, resolution=merge-duplicates",
        told={
            "Preference-Applied": f"resolution=merge-duplicates, missing=default, {BACK}, count=exact, handling=strict"
        },
        name="all of them, in the dialect's order",
    ),
    get(BEE, ROWS, prefer=BACK, told={"Preference-Applied": None}, name="a read returns anyway"),
    get(BEE, ROWS, prefer="resolution=merge-duplicates, missing=default", told={"Preference-Applied": None}),
    get(BEE, ROWS, prefer="max-affected=1, handling=strict", told={"Preference-Applied": "handling=strict"}),
    delete(
        "notes?id=eq.1", 204, prefer="missing=default, resolution=ignore-duplicates", told={"Preference-Applied": None}
    ),
    refuses(
        BEE, 400, "PGRST122", prefer="handling=strict, a=b, return=all", details="Invalid preferences: a=b, return=all"
    ),
    get(BEE, ROWS, prefer="a=b, return=all", told={"Preference-Applied": None}),
    get(
        "things?id=eq.1&select=at",
        [{"at": "2023-12-31T19:00:00-05:00"}],
        prefer="timezone=America/Lima",
        told={"Preference-Applied": "timezone=America/Lima"},
    ),
    case("an unknown zone", "GET", "things?select=at", 400, prefer="timezone=Mars/Base"),
    case("an unknown zone, strictly", "GET", "things?select=at", 400, prefer="handling=strict, timezone=Mars/Base"),
    # How transactions end.
    delete("notes?id=eq.1", 204, settings=UNDOING, then=UNTOUCHED, name="an operator who undoes all"),
    delete(
        "notes?id=eq.1",
        204,
        settings=UNDOING,
        prefer="tx=commit",
        told={"Preference-Applied": None},
        then=UNTOUCHED,
        name="not to be chosen",
    ),
    delete(
        "notes?id=eq.1&select=id",
        200,
        [{"id": 1}],
        settings=CHOOSING,
        prefer=f"{BACK}, tx=rollback",
        told={"Preference-Applied": f"{BACK}, tx=rollback"},
        then=UNTOUCHED,
        name="chosen to be undone",
    ),
    delete("notes?id=gt.1", 204, settings=CHOOSING, then=(TITLES, [{"title": "one"}]), name="not chosen to be undone"),
    delete(
        "notes?id=gt.1",
        204,
        settings=KEEPING,
        prefer="tx=commit",
        told={"Preference-Applied": "tx=commit"},
        then=(TITLES, [{"title": "one"}]),
        name="chosen to be kept",
    ),
    delete("notes?id=gt.1", 204, settings=KEEPING, then=UNTOUCHED, name="not chosen to be kept"),
    delete(
        "notes?id=gt.1",
        204,
        prefer="tx=rollback",
        told={"Preference-Applied": None},
        then=(TITLES, [{"title": "one"}]),
        name="not allowed to choose",
    ),
)
CASES = (*MEDIA, *PROFILES, *ROUTES, *HABITS, *PREFERENCES)
