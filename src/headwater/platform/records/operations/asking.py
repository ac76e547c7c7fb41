"""What of a request stands outside its query: schema, window, body, what surrounds its statement, its arguments."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from headwater.kernel.catalog import MediaHandler, Snapshot
from headwater.kernel.models import RawRequest
from headwater.platform.records.errors import UnreadableBody
from headwater.platform.records.models import (
    NO_HANDLERS,
    Asked,
    Carried,
    Frame,
    Handlers,
    Place,
    Prepared,
    RecordsSettings,
    Side,
    Statement,
    Window,
)
from headwater.platform.records.parse import GEOGRAPHIC, PLAN, STREAMED, Forms
from headwater.platform.records.plan import choose_schema, find_functions
from headwater.platform.records.shape import FORM, kind_of_body, split_schema

PLATFORM_MOUNT = "/api/database/records"
"""Here the two habits of contracts/postgrest.md section 0 hold; everywhere else the dialect is exact."""
_PLATFORM = "/api/database/"
_ASKING = frozenset({"GET", "HEAD", "OPTIONS", "QUERY"})
_GEOGRAPHER = "st_asgeojson"
_encoder = msgspec.json.Encoder()


def is_lenient(request: RawRequest) -> bool:
    """Whether the request came by the mount with habits of its own."""
    return request.path.startswith(PLATFORM_MOUNT)


def schema_and_query(request: RawRequest, snapshot: Snapshot) -> tuple[str, str, bool]:
    """The schema a request is about, the query string without it, and whether the client named it himself.

    Raises `UnknownSchema`, `UnreadableQuery`.
    """
    profile = request.headers.get("accept-profile" if request.method in _ASKING else "content-profile")
    query = request.query
    if request.path.startswith(_PLATFORM):
        profile, query = split_schema(query, profile)
    return choose_schema(snapshot, profile), query, profile is not None


def with_query_of_body(request: RawRequest) -> RawRequest:
    """A QUERY as one whose whole query stands behind its path: what the path asks, and then what the body asks.

    Raises `UnreadableBody` where the body is no form.
    """
    kind = kind_of_body(request.headers.get("content-type") or FORM)
    if kind != FORM:
        raise UnreadableBody(reason=f"Content-Type not acceptable: {kind}")
    if not request.body.isascii():
        raise UnreadableBody(reason="A form is ASCII: other characters are percent-encoded")
    query = "&".join(filter(None, (request.query, request.body.decode("ascii").strip())))
    return msgspec.structs.replace(request, query=query, body=b"")


def forms_of(snapshot: Snapshot, settings: RecordsSettings, place: Place, *, calls: bool, streams: bool) -> Forms:
    """The media types that can be made of the rows of a relation or of a function, beyond the usual ones."""
    offered = {PLAN} if settings.plan else set[str]()
    if _geographic_schema(snapshot) is not None:
        offered.add(GEOGRAPHIC)
    if streams:
        offered |= STREAMED
    return Forms(frozenset(offered), _handlers(snapshot, settings, place, calls=calls))


def _handlers(snapshot: Snapshot, settings: RecordsSettings, place: Place, *, calls: bool) -> Handlers:
    """The functions and aggregates of served schemas that make forms of these rows; of several the first by name."""
    if not snapshot.media_handlers:
        return NO_HANDLERS
    known = find_functions(snapshot, *place) if calls else ()
    relations = {function.returns_relation for function in known if function.returns_relation} if calls else {place}
    served = {*snapshot.exposed_schemas, *settings.extra_search_path}
    own: dict[str, MediaHandler] = {}
    general: dict[str, MediaHandler] = {}
    for handler in snapshot.media_handlers:
        if handler.schema not in served:
            continue
        if handler.aggregate and handler.relation is None:
            general.setdefault(handler.media_type, handler)
        elif handler.relation in relations if handler.aggregate else calls and (handler.schema, handler.name) == place:
            own.setdefault(handler.media_type, handler)
    return Handlers(own, general)


def without_refused_end(asked: Asked, settings: RecordsSettings) -> Asked:
    """What is asked, without `tx` where the operator lets nobody choose how transactions end."""
    if asked.preferences.tx is None or settings.tx_end.endswith("allow-override"):
        return asked
    return msgspec.structs.replace(asked, preferences=msgspec.structs.replace(asked.preferences, tx=None))


def without_count_of_stream(asked: Asked) -> Asked:
    """What is asked, without the count where rows leave before the last of them is known."""
    if asked.preferences.count is None or not asked.media.streamed or asked.method != "GET":
        return asked
    return msgspec.structs.replace(asked, preferences=msgspec.structs.replace(asked.preferences, count=None))


def rolls_back(asked: Asked, settings: RecordsSettings) -> bool:
    """Whether what the request changes is undone in the end."""
    return (asked.preferences.tx or settings.tx_end.partition("-")[0]) == "rollback"


def tells_context(snapshot: Snapshot, settings: RecordsSettings) -> bool:
    """Whether anything in the database may look at the request's headers and path (docs/decisions/0013)."""
    return "request" in snapshot.spoken_settings or settings.request_settings == "always"


def context_of(request: RawRequest) -> tuple[str, str]:
    """The request's headers and its cookies, as JSON objects; the `Cookie` header is left out of the former."""
    cookies: dict[str, str] = {}
    for part in request.headers.get("cookie", "").split(";"):
        name, equals, value = part.strip().partition("=")
        if equals:
            cookies.setdefault(name, value)
    headers = {name: value for name, value in request.headers.items() if name != "cookie"}
    return _encoder.encode(headers).decode(), _encoder.encode(cookies).decode()


def frame_of(method: str, path: str, context: int | None, snapshot: Snapshot, settings: RecordsSettings) -> Frame:
    """What surrounds the statement of a request; `context` is the slot of its headers, where they are told."""
    schema, _, function = (settings.pre_request or "").rpartition(".")
    return Frame(
        method=method,
        path=path,
        search_path=settings.extra_search_path,
        context=context,
        answers="response" in snapshot.spoken_settings,
        pre_request=(schema or "public", function) if function else None,
        counted=settings.max_rows,
        geographic=_geographic_schema(snapshot),
    )


def arguments_of(statement: Statement, values: list[str], window: Window, body: str | bytes) -> list[object]:
    """The parameters after the claims, in the statement's order."""
    arguments: list[object] = []
    if statement.plan.source.limited:
        arguments.append(window.limit)
    if statement.plan.source.shifted:
        arguments.append(window.offset)
    if statement.takes_body:
        arguments.append(body)
    return arguments + _values(statement, values)


class Ready(NamedTuple):
    """A request ready to run: its statement, the arguments after the claims, its window.

    `opening` and `estimate` are the arguments of the statements beside it; `levels` the rows of a nested insert.
    """

    prepared: Prepared
    arguments: list[object]
    window: Window
    opening: Sequence[object] = ()
    estimate: Sequence[object] = ()
    levels: tuple[Carried, ...] = ()


def make_ready(prepared: Prepared, values: list[str], window: Window, body: str | bytes) -> Ready:
    """The request, with the arguments of its statements."""
    statement = prepared.statement
    arguments = arguments_of(statement, values, window, body)
    if statement.opening is None and statement.estimate is None:
        return Ready(prepared, arguments, window)
    opening = [] if statement.opening is None else _side(statement.opening, values, body)
    estimate = [] if statement.estimate is None else _side(statement.estimate, values, body)
    return Ready(prepared, arguments, window, opening, estimate)


def _side(side: Side, values: list[str], body: str | bytes) -> list[object]:
    taken: list[object] = [body] if side.takes_body else []
    return taken + _values(side, values)


def _values(statement: Statement | Side, values: list[str]) -> list[object]:
    if statement.wildcards:
        values = values.copy()
        for slot in statement.wildcards:
            values[slot] = values[slot].replace("*", "%")
    return [values[slot] for slot in statement.slots]


def _geographic_schema(snapshot: Snapshot) -> str | None:
    """The schema PostGIS is in."""
    return next((schema for schema, name in snapshot.functions if name == _GEOGRAPHER), None)
