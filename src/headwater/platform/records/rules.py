"""What an answer says of itself: status, range, preferences applied, the place of a new row."""

from collections.abc import AsyncGenerator
from urllib.parse import quote, unquote_plus

import msgspec

from headwater.kernel.catalog import Relation
from headwater.kernel.models import Reply
from headwater.platform.records.errors import (
    KeyGivenTwice,
    NotOneRow,
    PutKeyMismatch,
    RecordsRefusal,
    TooManyAffected,
    UnreadableAnswerHeaders,
    UnreadableAnswerStatus,
    UnservableRange,
)
from headwater.platform.records.models import COUNTED, KEY_TWICE, NO_HEADERS, NO_STATUS, Outcome, Plan, Prepared, Window

Headers = tuple[tuple[str, str], ...]
_headers = msgspec.json.Decoder(list[dict[str, str]])
_VARY = ("Vary", "Accept, Prefer, Range")


def fixed_headers(plan: Plan) -> Headers:
    """The headers that every answer of a plan has."""
    applied = ", ".join(_applied(plan))
    headers: list[tuple[str, str]] = []
    if applied:
        headers.append(("Preference-Applied", applied))
    if plan.profile is not None:
        headers.append(("Content-Profile", plan.profile))
    return (*headers, _VARY)


def reply_to_read(prepared: Prepared, outcome: Outcome, window: Window) -> Reply:
    """The answer to GET and HEAD. Raises `NotOneRow` and `UnservableRange`."""
    plan = prepared.statement.plan
    if plan.media.singular and outcome.page != 1:
        raise not_one_row(outcome.page)
    return _reply_with_rows(prepared, outcome, window)


def reply_to_call(prepared: Prepared, outcome: Outcome, window: Window) -> Reply:
    """The answer to a call; a function that gives nothing leaves nothing to tell. Raises `UnservableRange`."""
    call = prepared.statement.plan.source.call
    if call is not None and call.returns == "nothing":
        return answered(Reply(status=204, headers=prepared.headers, media_type=None), outcome)
    return _reply_with_rows(prepared, outcome, window)


def reply_with_plan(plan: Plan, told: bytes) -> Reply:
    """Postgres' plan as the answer."""
    return Reply(headers=(_VARY,), body=told, media_type=plan.media.content_type)


def reply_with_stream(prepared: Prepared, first: bytes, stream: AsyncGenerator[bytes]) -> Reply:
    """The rows as lines, of which the first are here already."""
    media_type = prepared.statement.plan.media.content_type
    return Reply(headers=prepared.headers, body=first, media_type=media_type, stream=stream)


def _reply_with_rows(prepared: Prepared, outcome: Outcome, window: Window) -> Reply:
    plan = prepared.statement.plan
    if outcome.total is not None and window.offset > outcome.total:
        asked = f"An offset of {window.offset} was requested, but there are only {outcome.total} rows."
        raise UnservableRange(details=asked, headers={"Content-Range": f"*/{outcome.total}"})
    partial = outcome.total is not None and outcome.page < outcome.total
    reply = Reply(
        status=206 if partial else 200,
        headers=(("Content-Range", _range(window.offset, outcome.page, outcome.total)), *prepared.headers),
        body=outcome.body,
        media_type=plan.media.content_type,
    )
    return reply if outcome.status is None and outcome.headers is None else answered(reply, outcome)


def answered(reply: Reply, outcome: Outcome) -> Reply:
    """The reply with the status and the headers that a function set; its headers stand in the place of ours."""
    if outcome.status is not None:
        reply = msgspec.structs.replace(reply, status=int(outcome.status))
    if outcome.headers is None:
        return reply
    told = [pair for each in _headers.decode(outcome.headers) for pair in each.items()]
    names = {name.lower() for name, _ in told}
    media_type = next((value for name, value in told if name.lower() == "content-type"), reply.media_type)
    kept = tuple(header for header in reply.headers if header[0].lower() not in names)
    theirs = tuple(header for header in told if header[0].lower() != "content-type")
    return msgspec.structs.replace(reply, headers=(*kept, *theirs), media_type=media_type)


def with_location(reply: Reply, relation: str, query: str) -> Reply:
    """The reply, which says where it can be had again: the query's parameters stand in the order of their names."""
    pairs = sorted(tuple(map(unquote_plus, part.split("=", 1))) for part in query.split("&") if part)
    asked = "&".join("=".join(quote(word, safe="*.,()!:-_~") for word in pair) for pair in pairs)
    place = f"/{quote(relation)}{'?' if asked else ''}{asked}"
    return msgspec.structs.replace(reply, headers=(*reply.headers, ("Content-Location", place)))


def reply_to_write(prepared: Prepared, outcome: Outcome) -> Reply:
    """The answer to POST, PUT, PATCH and DELETE."""
    plan = prepared.statement.plan
    headers = (("Content-Range", _range_of_write(plan, outcome)), *prepared.headers)
    if outcome.place is not None:
        headers = (("Location", location(plan.source.relation, outcome.place)), *headers)
    reply = Reply(
        status=_status_of_write(plan, outcome),
        headers=headers,
        body=outcome.body if plan.wants_rows else b"",
        media_type=plan.media.content_type if plan.wants_rows else None,
    )
    return answered(reply, outcome)


def undone(plan: Plan, sentence: str) -> RecordsRefusal | None:
    """The refusal that a statement's own failure stands for, where it undid itself."""
    if f'"{NO_STATUS}' in sentence:
        return UnreadableAnswerStatus()
    if f'"{NO_HEADERS}' in sentence:
        return UnreadableAnswerHeaders()
    if f'"{KEY_TWICE}' in sentence:
        return KeyGivenTwice()
    _, marked, rest = sentence.partition(COUNTED)
    count = rest.partition('"')[0]
    return _wrong_count(plan, int(count)) if marked and count.isdigit() else None


def _wrong_count(plan: Plan, count: int) -> RecordsRefusal:
    if plan.most_affected is not None and count > plan.most_affected:
        return TooManyAffected(details=f"The query affects {count} rows")
    if plan.media.singular:
        return not_one_row(count)
    if plan.writing is not None and plan.writing.replaces:
        return PutKeyMismatch()
    return TooManyAffected(details=f"The query affects {count} rows")


def outcome_of_nothing(plan: Plan) -> Outcome:
    """What comes of a change that changes nothing. Raises `NotOneRow` where one row was to be told."""
    if plan.media.singular:
        raise not_one_row(0)
    return Outcome(body=b"[]")


def allowed_methods(relation: Relation) -> str:
    """The `Allow` header of a relation; PUT needs a primary key."""
    methods = ["OPTIONS", "GET", "HEAD"]
    if relation.insertable:
        methods.append("POST")
    if relation.insertable and relation.updatable and relation.primary_key:
        methods.append("PUT")
    if relation.updatable:
        methods.append("PATCH")
    if relation.deletable:
        methods.append("DELETE")
    return ",".join(methods)


def not_one_row(count: int) -> NotOneRow:
    """The refusal of a result that is to be one object and is not."""
    return NotOneRow(details=f"The result contains {count} rows")


def location(relation: str, place: str) -> str:
    """Where, below the mount, the row lies whose key is the JSON object `place`."""
    key = msgspec.json.decode(place, type=dict[str, str | None])
    terms = [f"{quote(name, safe='')}={_term(value)}" for name, value in key.items()]
    return f"/{quote(relation)}?{'&'.join(terms)}"


def _term(value: str | None) -> str:
    return "is.null" if value is None else f"eq.{quote(value, safe='')}"


def without_silence(reply: Reply) -> Reply:
    """The reply, with `[]` where an empty body would leave a JSON client without JSON (contracts/postgrest.md 0)."""
    if reply.body or reply.status == 204:
        return reply
    return msgspec.structs.replace(reply, body=b"[]", media_type="application/json; charset=utf-8")


def _status_of_write(plan: Plan, outcome: Outcome) -> int:
    writing = plan.writing
    if writing is not None and writing.kind == "insert":
        merged_all = outcome.inserted == 0
        if not merged_all:
            return 201
        return 204 if writing.replaces and not plan.wants_rows else 200
    return 200 if plan.wants_rows else 204


def _range_of_write(plan: Plan, outcome: Outcome) -> str:
    total = outcome.page if plan.preferences.count is not None else None
    if plan.writing is not None and plan.writing.kind == "update":
        return _range(0, outcome.page, total)
    return _range(0, 0, total)


def _range(offset: int, page: int, total: int | None) -> str:
    """`Content-Range`, in which an unknown total is `*`."""
    rows = f"{offset}-{offset + page - 1}" if page else "*"
    return f"{rows}/{'*' if total is None else total}"


def _applied(plan: Plan) -> list[str]:
    """The preferences that were heard, in the dialect's order."""
    asked, writing = plan.preferences, plan.writing
    strict = asked.handling == "strict"
    heard = [
        ("resolution", asked.resolution if writing is not None and writing.conflict and not writing.replaces else None),
        ("missing", asked.missing if writing is not None and writing.kind != "delete" else None),
        ("return", asked.representation if writing is not None else None),
        ("count", asked.count),
        ("tx", asked.tx),
        ("handling", asked.handling),
        ("timezone", asked.timezone),
        ("max-affected", plan.most_affected if strict else None),
    ]
    return [f"{name}={value}" for name, value in heard if value is not None]
