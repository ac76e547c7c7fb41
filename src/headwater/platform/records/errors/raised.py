"""What functions raise on purpose: SQLSTATE `PTnnn` with a status of its own, or `PGRST` with a whole answer."""

from collections.abc import Mapping

import asyncpg
import msgspec

from headwater.platform.records.errors.dialect import RecordsRefusal, UnreadableRaise
from headwater.platform.records.errors.postgres import PostgresRefused


class RaisedByFunction(PostgresRefused):
    """A function raised its own answer: `PTnnn` with its status, or `PGRST` with a whole answer."""

    code = "SQLSTATE"
    status = 500
    sentence = "{reason}"

    def __init__(
        self,
        *,
        sqlstate: str,
        reason: str,
        answer: int,
        details: str | None = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(sqlstate=sqlstate, reason=reason, details=details, hint=hint, headers=headers)
        self.answer = answer


class _Message(msgspec.Struct, frozen=True):
    code: str
    message: str
    details: str | None = None
    hint: str | None = None


class _Detail(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    status_text: str | None = None
    """Heard and not told: HTTP/2 has no reason phrase, and no client may rely on it (RFC 9110 15.1)."""


_MESSAGE_HINT = (
    "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'."
)
_DETAIL_HINT = "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'."


def refusal_raised(error: asyncpg.PostgresError) -> RecordsRefusal | None:
    """The refusal that a function made up itself; None for any other failure."""
    sqlstate = str(getattr(error, "sqlstate", None) or "")
    reason, detail = str(getattr(error, "message", None) or error), getattr(error, "detail", None)
    if sqlstate == "PGRST":
        return _whole_answer(reason, detail)
    if not sqlstate.startswith("PT"):
        return None
    return RaisedByFunction(
        sqlstate=sqlstate,
        reason=reason,
        answer=int(sqlstate[2:]) if is_status(sqlstate[2:]) else 500,
        details=detail,
        hint=getattr(error, "hint", None),
    )


def is_status(text: str) -> bool:
    """Whether a text is a status that an answer can have; those below 200 announce an answer and are none."""
    return text.isascii() and text.isdigit() and 200 <= int(text) <= 599


def is_header(name: str, value: str) -> bool:
    """Whether a function may set this header: it must be one, and not one that says how the answer is sent."""
    framing = {"connection", "content-length", "content-encoding", "transfer-encoding"}
    token = bool(name) and name.isascii() and all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name)
    return token and value.isprintable() and name.lower() not in framing


def _whole_answer(message: str, detail: str | None) -> RecordsRefusal:
    try:
        told = msgspec.json.decode(message.encode(), type=_Message)
    except msgspec.MsgspecError:
        return UnreadableRaise(details=f"Invalid JSON value for MESSAGE: '{message}'", hint=_MESSAGE_HINT)
    if detail is None:
        return UnreadableRaise(details="DETAIL is missing in the RAISE statement", hint=_DETAIL_HINT)
    try:
        answer = msgspec.json.decode(detail.encode(), type=_Detail)
    except msgspec.MsgspecError:
        return UnreadableRaise(details=f"Invalid JSON value for DETAIL: '{detail}'", hint=_DETAIL_HINT)
    if not is_status(str(answer.status)) or not all(is_header(name, v) for name, v in answer.headers.items()):
        return UnreadableRaise(details=f"Invalid JSON value for DETAIL: '{detail}'", hint=_DETAIL_HINT)
    return RaisedByFunction(
        sqlstate=told.code,
        reason=told.message,
        answer=answer.status,
        details=told.details,
        hint=told.hint,
        headers=answer.headers,
    )
