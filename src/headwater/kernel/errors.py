"""Refusals: every no that Headwater says on purpose, each with a code, a status and a sentence."""

from collections.abc import Mapping
from typing import ClassVar


class Refusal(Exception):
    """A no with a reason.

    A subclass states `code` (the wire's word, may repeat), `status` (HTTP) and `sentence`, a `str.format` template
    whose fields are the keyword arguments; its class name is its identity. `headers` go into the answer as they are.
    """

    code: ClassVar[str] = "UNKNOWN_ERROR"
    status: ClassVar[int] = 500
    sentence: ClassVar[str] = "Something went wrong"

    def __init__(
        self, *, headers: Mapping[str, str] | None = None, next_actions: str | None = None, **facts: object
    ) -> None:
        super().__init__(self.sentence.format(**facts))
        self.headers: Mapping[str, str] = headers or {}
        self.next_actions = next_actions
        self.facts = facts

    @property
    def message(self) -> str:
        """The sentence with its facts filled in."""
        return str(self)


class InvalidInput(Refusal):
    """The request cannot be understood; the sentence names the field."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "{reason}"


class UnknownEndpoint(Refusal):
    """Nothing answers at this path."""

    code = "NOT_FOUND"
    status = 404
    sentence = "Endpoint {path} not found"


class UnknownMessage(Refusal):
    """Nothing answers to this event on this socket."""

    code = "NOT_FOUND"
    status = 404
    sentence = "Event {event} not found"


class WrongMethod(Refusal):
    """The path is known, the method is not; the `Allow` header names those that are."""

    code = "METHOD_NOT_ALLOWED"
    status = 405
    sentence = "{method} is not allowed at {path}"


class BodyTooLarge(Refusal):
    """The body passes the endpoint's limit."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413
    sentence = "The body is larger than {limit} bytes"


class TooSlow(Refusal):
    """The request body did not arrive in time."""

    code = "REQUEST_TIMEOUT"
    status = 408
    sentence = "The body did not arrive within {seconds:g} seconds"


class TimedOut(Refusal):
    """The work took longer than the endpoint allows; what it had begun is undone."""

    code = "TIMEOUT"
    status = 504
    sentence = "No answer within {seconds:g} seconds"


class TooManyRequests(Refusal):
    """A limit is reached; `Retry-After` says when to come back."""

    code = "TOO_MANY_REQUESTS"
    status = 429
    sentence = "Too many requests: try again in {seconds} s"


class MissingCredentials(Refusal):
    """The endpoint wants a key or a token and got none."""

    code = "AUTH_INVALID_CREDENTIALS"
    status = 401
    sentence = "No token provided"


class NoAuthentication(MissingCredentials):
    """A socket shows no key and no token."""

    sentence = "No authentication provided"


class InvalidToken(Refusal):
    """The token is malformed, forged, expired, ended or meant for someone else; clients refresh on this code."""

    code = "AUTH_UNAUTHORIZED"
    status = 401
    sentence = "Invalid token"


class ClaimsRefused(InvalidToken):
    """The token's signature is good; its times, issuer, audience or subject are not."""


class InvalidApiKey(Refusal):
    """The `ik_` key is not known here."""

    code = "AUTH_INVALID_API_KEY"
    status = 401
    sentence = "Invalid API key"


class InvalidAnonKey(Refusal):
    """The `anon_` key is not known here."""

    code = "AUTH_INVALID_CREDENTIALS"
    status = 401
    sentence = "Invalid anon key"


class NotAUser(Refusal):
    """The endpoint is for a signed-in user, and the caller holds something else."""

    code = "AUTH_UNAUTHORIZED"
    status = 401
    sentence = "A signed-in user's token is needed here"


class NotAnAdmin(Refusal):
    """The endpoint is for the project's admin."""

    code = "AUTH_UNAUTHORIZED"
    status = 403
    sentence = "An admin's credentials are needed here"


class Forbidden(Refusal):
    """The caller is known and may not do this."""

    code = "FORBIDDEN"
    status = 403
    sentence = "{reason}"


class DatabaseUnavailable(Refusal):
    """Postgres cannot be reached just now; nothing was done."""

    code = "DATABASE_UNAVAILABLE"
    status = 503
    sentence = "The database is not available: try again shortly"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class Busy(Refusal):
    """Every connection or slot is taken and stayed so; nothing was done."""

    code = "BUSY"
    status = 503
    sentence = "The server is busy: try again shortly"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class Draining(Refusal):
    """The server is stopping and takes no new work."""

    code = "SHUTTING_DOWN"
    status = 503
    sentence = "The server is stopping: try again shortly"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1", "Connection": "close"})


class TransactionConflict(Refusal):
    """Other transactions kept winning; nothing was done, and the same request may be sent again."""

    code = "TRANSACTION_CONFLICT"
    status = 409
    sentence = "Other changes kept getting in the way: try again"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class IdempotencyKeyReused(Refusal):
    """The idempotency key was used for another request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    status = 409
    sentence = "Idempotency-Key was already used for a different request"


class IdempotentTwinRunning(Refusal):
    """The same request is being worked on right now."""

    code = "IDEMPOTENT_REQUEST_RUNNING"
    status = 409
    sentence = "The same request is being worked on: try again shortly"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class InternalError(Refusal):
    """Something nobody foresaw; the request id finds it in the logs, and no internals are told."""

    code = "INTERNAL_ERROR"
    status = 500
    sentence = "Internal error: request {request_id}"
