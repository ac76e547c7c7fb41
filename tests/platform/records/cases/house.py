"""The root, and what surrounds a statement: functions' settings, a function before each request, raised answers."""

from typing import Any

from headwater.platform.records import RecordsSettings
from tests.platform.records.cases.case import (
    ANYTHING,
    BACK,
    EMPTY,
    Case,
    Like,
    case,
    get,
    post,
    refuses,
)

ROOT = "/rest/v1/"
OPENAPI = "application/openapi+json; charset=utf-8"
CHECKED = RecordsSettings(pre_request="check_caller")
QUALIFIED = RecordsSettings(pre_request="public.check_caller")
GEO = "application/geo+json"


def root(name: str, status: int = 200, body: Any = None, **further: Any) -> Case:
    """A question about everything there is."""
    return case(name, "GET", ROOT, status, Like(swagger="2.0") if body is None else body, **further)


DESCRIPTIONS = (
    root("what there is", told={"Content-Type": OPENAPI}),
    root("in its own form", accept="application/openapi+json", told={"Content-Type": OPENAPI}),
    root("in any form", accept="*/*"),
    root("as JSON", accept="application/json", told={"Content-Type": OPENAPI}),
    root("of another schema", accept_profile="archive"),
    root("to a stranger", who="anon"),
    case("its head", "HEAD", ROOT, 200, EMPTY, told={"Content-Type": OPENAPI}),
    refuses(ROOT, 406, "PGRST107", accept="text/csv"),
    refuses(ROOT, 406, "PGRST106", accept_profile="absent"),
    refuses(ROOT, 404, "PGRST126", settings=RecordsSettings(openapi="disabled"), name="turned off"),
    root("whatever one may do", settings=RecordsSettings(openapi="ignore-privileges"), who="anon"),
    root("a function in its place", 200, {"welcome": True}, settings=RecordsSettings(root_spec="own_root")),
    root("with its schema", 200, {"welcome": True}, settings=RecordsSettings(root_spec="public.own_root")),
    root(
        "one that is not there",
        404,
        Like(code="PGRST202"),
        settings=RecordsSettings(root_spec="no_root", openapi="disabled"),
    ),
)
SETTINGS = (
    refuses("rpc/in_a_hurry", 500, "57014", name="a function's time limit holds for its statement"),
    post("rpc/alone", {}, 200, "serializable", name="so does its isolation"),
    post(
        "rpc/alone",
        {},
        200,
        "read committed",
        settings=RecordsSettings(hoisted_settings=("statement_timeout",)),
        name="where it is not hoisted it does not",
    ),
)
BEFORE = (
    get("books?id=eq.1&select=id", [{"id": 1}], settings=CHECKED, name="it lets who says nothing pass"),
    refuses("books", 403, "PT403", message="not you", hint="ask somebody", settings=CHECKED, x_wanted="nobody"),
    refuses("books", 403, "PT403", settings=QUALIFIED, x_wanted="nobody", name="named with its schema"),
    refuses("rpc/add?a=1", 403, "PT403", settings=CHECKED, x_wanted="nobody"),
    refuses(
        "notes",
        403,
        "PT403",
        "POST",
        sent={"title": "a"},
        settings=CHECKED,
        x_wanted="nobody",
        then=("notes?title=eq.a", []),
    ),
    get("books?id=eq.1&select=id", [{"id": 1}], 203, settings=CHECKED, x_wanted="status", name="it sets the status"),
    get(
        "books?id=eq.1&select=id",
        [{"id": 1}],
        settings=CHECKED,
        x_wanted="header",
        told={"X-Checked": "yes"},
        name="it sets headers",
    ),
    refuses("books", 405, "25006", settings=CHECKED, x_wanted="row", name="a read writes nothing before it either"),
    post(
        "notes?select=title",
        {"title": "a"},
        201,
        [{"title": "a"}],
        settings=CHECKED,
        x_wanted="row",
        prefer=BACK,
        then=("loose?n=eq.7", [{"note": "before the request", "n": 7}]),
        name="what it writes is of the request",
    ),
    post(
        "notes",
        {"title": None},
        400,
        Like(code="23502"),
        settings=CHECKED,
        x_wanted="row",
        then=("loose?n=eq.7", []),
        name="and goes with it",
    ),
    refuses(
        "books", 404, "42883", settings=RecordsSettings(pre_request="no_check"), name="one that is not there stops all"
    ),
)
RAISED = (
    case(
        "a whole answer",
        "POST",
        "rpc/whole_answer",
        419,
        {"code": "own", "message": "said so", "details": "d", "hint": "h"},
        told={"X-Own": "1", "Proxy-Status": "PostgREST; error=own"},
    ),
    refuses("rpc/half_answer", 500, "PGRST121", "POST", details="Invalid JSON value for MESSAGE: 'no JSON'"),
)
FEATURES = [{"type": "Feature", "properties": {"id": 1, "name": "Science"}}]
GEOGRAPHIC = (
    get(
        "lists?id=eq.0",
        {"type": "FeatureCollection", "features": []},
        accept=GEO,
        told={"Content-Type": f"{GEO}; charset=utf-8"},
    ),
    get("genres?id=eq.1", {"type": "FeatureCollection", "features": FEATURES}, accept=GEO),
    get("rpc/by_author?of=2&select=id", Like(type="FeatureCollection"), accept=GEO),
    post(
        "lists?select=id",
        {"id": 9, "name": "new"},
        201,
        {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"id": 9}}]},
        accept=GEO,
        prefer=BACK,
    ),
    get("genres?id=eq.1", ANYTHING, accept=f"{GEO};q=0.9, text/html", told={"Content-Type": f"{GEO}; charset=utf-8"}),
)
CASES = (*DESCRIPTIONS, *SETTINGS, *BEFORE, *RAISED, *GEOGRAPHIC)
