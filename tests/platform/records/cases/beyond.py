"""What PostgREST does not have: PATCH by key, batches, filters in a body (docs/howto/beyond-postgrest.md)."""

from typing import Any

from headwater.platform.records import RecordsSettings
from tests.platform.records.cases.case import ANYTHING, BACK, Case, Each, Json, Like, case, patch, refuses

BATCH = "/rest/v1/rpc/-/batch"
RANKS = "notes?select=id,rank&order=id"
UNTOUCHED = (RANKS, [{"id": 1, "rank": 1}, {"id": 2, "rank": 2}, {"id": 3, "rank": None}])
TELLING = {"Prefer": BACK}
CHOOSING = RecordsSettings(tx_end="commit-allow-override")


def by(key: str, sent: Json, status: int = 204, **further: Any) -> Case:
    """An update of each row by its own."""
    return patch(f"notes?by=({key})", sent, status, name=further.pop("name", f"by {key}: {sent}"), **further)


def batch(name: str, *sent: Json, status: int = 200, body: Any = ANYTHING, **further: Any) -> Case:
    """Several requests as one."""
    return case(name, "POST", BATCH, status, body, sent=list(sent), **further)


def one(method: str, path: str, body: Json = None, **headers: str) -> Json:
    """A request of a batch."""
    request: dict[str, Json] = {"method": method, "path": path, "headers": headers}
    return request if body is None else {**request, "body": body}


def answered(status: int, body: Json) -> Like:
    """An answer of a batch, whatever its headers."""
    return Like(status=status, body=body)


BY_KEY = (
    by(
        "id",
        [{"id": 1, "rank": 11}, {"id": 3, "title": "drei"}],
        then=(
            "notes?select=title,rank&order=id",
            [{"title": "one", "rank": 11}, {"title": "two", "rank": 2}, {"title": "drei", "rank": None}],
        ),
        name="each row its own change",
    ),
    by("id", {"id": 1, "rank": 12}, then=("notes?id=eq.1&select=rank", [{"rank": 12}]), name="one row"),
    by("id", [{"id": 99, "rank": 1}], then=UNTOUCHED, name="nobody of that key"),
    by("id", [], then=UNTOUCHED, name="nothing given"),
    refuses(
        "notes?by=(id)",
        400,
        "KEY_GIVEN_TWICE",
        "PATCH",
        sent=[{"id": 1, "rank": 3}, {"id": 1, "rank": 4}],
        then=UNTOUCHED,
    ),
    refuses("notes?by=(rank)", 400, "NO_SUCH_KEY", "PATCH", sent=[{"rank": 1}], hint="Its keys are: by=(id)"),
    refuses("notes?by=(id)", 400, "PGRST102", "PATCH", sent=[{"rank": 1}], name="without its key"),
    refuses("notes?by=(id", 400, "PGRST100", "PATCH", sent=[{"id": 1}], name="without an end"),
    refuses("notes?by=(id)", 400, "PGRST100", name="only rows that are changed have keys of their own"),
    refuses(
        "notes?by=(id)",
        400,
        "PGRST124",
        "PATCH",
        sent=[{"id": 1, "rank": 5}, {"id": 2, "rank": 6}],
        prefer="handling=strict, max-affected=1",
        then=UNTOUCHED,
    ),
    patch(
        "notes?by=(id)&id=lt.2",
        [{"id": 1, "rank": 5}, {"id": 2, "rank": 6}],
        204,
        name="filters hold too",
        then=(RANKS, [{"id": 1, "rank": 5}, {"id": 2, "rank": 2}, {"id": 3, "rank": None}]),
    ),
)
AT_ONCE = (
    batch(
        "each is answered, and sees what was before",
        one("POST", "/lists?select=id", {"id": 9, "name": "new"}, **TELLING),
        one("POST", "/items?select=label", {"id": 9, "label": "x", "list_id": {"$from": "/0/0/id"}}, **TELLING),
        one("GET", "/lists?id=eq.$(/0/0/id)&select=name,items(label)"),
        body=Each(
            [
                answered(201, [{"id": 9}]),
                answered(201, [{"label": "x"}]),
                answered(200, [{"name": "new", "items": [{"label": "x"}]}]),
            ]
        ),
        then=("lists?id=eq.9&select=name", [{"name": "new"}]),
    ),
    batch(
        "one that is refused undoes all, and says which",
        one("PATCH", "/notes?id=eq.1", {"rank": 50}),
        one("POST", "/words", {"word": "sun"}),
        status=409,
        body=Like(code="23505", request=1),
        then=UNTOUCHED,
    ),
    batch(
        "functions too",
        one("POST", "rpc/add", {"a": 1}),
        one("GET", "rpc/add?a=2&b=2"),
        body=Each([answered(200, 11), answered(200, 4)]),
    ),
    batch(
        "one that is to be undone undoes all",
        one("PATCH", "/notes", {"rank": 50}, Prefer="tx=rollback"),
        one("DELETE", "/words"),
        settings=CHOOSING,
        then=UNTOUCHED,
    ),
    batch(
        "a reference to nothing",
        one("GET", "/lists?id=eq.$(/3/0/id)"),
        status=400,
        body=Like(code="UNRESOLVED_REFERENCE", request=0),
    ),
    batch("a path too deep", one("GET", "/lists/1"), status=404, body=Like(code="PGRST125", request=0)),
    batch(
        "no rows as lines",
        one("GET", "/lists", Accept="application/x-ndjson"),
        status=400,
        body=Like(code="PGRST127", request=0),
    ),
    batch(
        "a stranger's rights",
        one("POST", "/vault", {"id": 2}),
        status=401,
        body=Like(code="42501", request=0),
        who="anon",
    ),
    batch("an empty list", status=400, body=Like(code="UNREADABLE_BATCH")),
    case("no list", "POST", BATCH, 400, Like(code="UNREADABLE_BATCH"), sent={"method": "GET"}),
)
IN_A_BODY = (
    case("a query in a body", "QUERY", "books", 200, [{"id": 2}, {"id": 3}], sent=b"select=id&id=in.(2,3)&order=id"),
    case("after the one behind the path", "QUERY", "books?select=id", 200, [{"id": 2}], sent=b"id=eq.2"),
    case("a function's arguments", "QUERY", "rpc/add", 200, 3, sent=b"a=1&b=2"),
    refuses("books", 400, "PGRST102", "QUERY", sent=b"{}", content_type="application/json"),
)
CASES = (*BY_KEY, *AT_ONCE, *IN_A_BODY)
