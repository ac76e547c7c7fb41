"""How the scoreboard wraps what it answers (contracts/scoreboard.md)."""

from typing import Any

import msgspec
from typing_extensions import override

from headwater.kernel.clock import encode
from headwater.kernel.component import Envelope
from headwater.kernel.errors import (
    DatabaseUnavailable,
    InternalError,
    InvalidInput,
    InvalidToken,
    MissingCredentials,
    NotAUser,
    Refusal,
    TooManyRequests,
)
from headwater.kernel.models import Reply
from headwater.kernel.sockets import PlatformSocketEnvelope, SocketEnvelope, Told
from headwater.platform.identity import InvalidCredentials, WeakPassword

_CODES: tuple[tuple[type[Refusal], str], ...] = (
    (WeakPassword, "WEAK_PASSWORD"),
    (InvalidCredentials, "LOGIN_FAILED"),
    (MissingCredentials, "MISSING_TOKEN"),
    (InvalidToken, "INVALID_TOKEN"),
    (NotAUser, "INVALID_TOKEN"),
    (TooManyRequests, "RATE_LIMIT_EXCEEDED"),
    (DatabaseUnavailable, "SERVICE_UNAVAILABLE"),
    (InternalError, "INTERNAL_SERVER_ERROR"),
)
_FIELDS = {"scoreIncrement": "INVALID_SCORE_INCREMENT", "username": "INVALID_USERNAME", "email": "INVALID_EMAIL"}
_MISSING = "Object missing required field"


class ScoreboardEnvelope:
    """`{success: true, data}`, and `{success: false, error: {code, message}}` with `retryAfter` beside a 429."""

    def answer(self, result: object, status: int) -> Reply:
        """The result as `data`; a `Reply` passes through untouched."""
        if isinstance(result, Reply):
            return result
        told = result if isinstance(result, msgspec.Raw) else encode(result)
        return Reply(status=status, body=b'{"success":true,"data":%b}' % told)

    def describe(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Where the result lies."""
        success = {"type": "boolean", "const": True}
        return {"type": "object", "required": ["success", "data"], "properties": {"success": success, "data": schema}}

    def refuse(self, refusal: Refusal) -> Reply:
        """The refusal's sentence, with the contract's word for it."""
        told: dict[str, object] = {
            "success": False,
            "error": {"code": code_of(refusal), "message": refusal.message},
        }
        if isinstance(refusal, TooManyRequests):
            told["retryAfter"] = refusal.facts["seconds"]
        return Reply(status=refusal.status, headers=tuple(refusal.headers.items()), body=msgspec.json.encode(told))


def code_of(refusal: Refusal) -> str:
    """The contract's word for a refusal, whichever floor it comes from."""
    for kind, code in _CODES:
        if isinstance(refusal, kind):
            return code
    if type(refusal) is InvalidInput:
        reason = refusal.message
        if reason.startswith(_MISSING):
            return "MISSING_FIELDS"
        return _FIELDS.get(reason.partition(":")[0], refusal.code)
    return refusal.code


class WatcherEnvelope(PlatformSocketEnvelope):
    """What a watcher hears of a message that was not taken in: `{type: "error", data: {code, message}}`."""

    @override
    def complain(self, refusal: Refusal, asked: object) -> Told | None:
        """The contract's word and the sentence."""
        return Told("error", {"data": {"code": code_of(refusal), "message": refusal.message}})


ENVELOPE: Envelope = ScoreboardEnvelope()
WATCHER_ENVELOPE: SocketEnvelope = WatcherEnvelope()
