"""The routes of rows over HTTP, at both mounts, and the two ways their refusals are told."""

import msgspec

from headwater.kernel.component import MEBIBYTE, PLATFORM_ENVELOPE, Access, Endpoint, Envelope, Mode, Operation
from headwater.kernel.errors import (
    Busy,
    ClaimsRefused,
    DatabaseUnavailable,
    InvalidToken,
    MissingCredentials,
    Refusal,
    UnknownEndpoint,
    WrongMethod,
)
from headwater.kernel.models import RawRequest, Reply
from headwater.platform.records.errors import (
    PostgresRefused,
    RaisedByFunction,
    RecordsRefusal,
    UnknownPath,
    WrongCallMethod,
    WrongTableMethod,
)
from headwater.platform.records.operations import PLATFORM_MOUNT, Batches, Descriptions, Records

EXACT_MOUNT = "/rest/v1"
_QUERY_LIMIT = 4 * MEBIBYTE
_CODES: tuple[tuple[type[Refusal], str], ...] = (
    (MissingCredentials, "PGRST302"),
    (ClaimsRefused, "PGRST303"),
    (InvalidToken, "PGRST301"),
    (DatabaseUnavailable, "PGRST001"),
    (Busy, "PGRST003"),
)
_encoder = msgspec.json.Encoder()


class Dialect:
    """PostgREST's envelope: `{code, message, details, hint}`, and replies as they are."""

    def answer(self, result: object, status: int) -> Reply:
        """The operation's own reply."""
        return PLATFORM_ENVELOPE.answer(result, status)

    def refuse(self, refusal: Refusal) -> Reply:
        """The refusal in the dialect's words."""
        if isinstance(refusal, WrongMethod):
            kind = WrongCallMethod if "/rpc/" in str(refusal.facts.get("path")) else WrongTableMethod
            refusal = kind(method=refusal.facts["method"], headers=refusal.headers)
        if isinstance(refusal, UnknownEndpoint):
            refusal = UnknownPath()
        code = _code_of(refusal)
        if isinstance(refusal, RecordsRefusal) and refusal.terse:
            told: dict[str, object] = {"code": code, "message": refusal.message}
        else:
            details = refusal.details if isinstance(refusal, RecordsRefusal) else None
            hint = refusal.hint if isinstance(refusal, RecordsRefusal) else None
            told = {"code": code, "details": details, "hint": hint, "message": refusal.message}
        if isinstance(refusal, RecordsRefusal) and refusal.request is not None:
            told["request"] = refusal.request
        if isinstance(refusal, RecordsRefusal) and refusal.path:
            told["path"] = refusal.path
        headers = {"Proxy-Status": f"PostgREST; error={code}", **_challenge(refusal), **refusal.headers}
        return Reply(
            status=refusal.answer if isinstance(refusal, RaisedByFunction) else refusal.status,
            headers=tuple(headers.items()),
            body=_encoder.encode(told),
            media_type="application/json; charset=utf-8",
        )


class PlatformDialect(Dialect):
    """The dialect, but what the pipeline refuses before the dialect begins is told as everywhere under `/api`."""

    def refuse(self, refusal: Refusal) -> Reply:
        """The dialect's own refusals in its words, the others in the platform's."""
        if isinstance(refusal, RecordsRefusal):
            return super().refuse(refusal)
        return PLATFORM_ENVELOPE.refuse(refusal)


def _code_of(refusal: Refusal) -> str:
    if isinstance(refusal, PostgresRefused):
        return refusal.sqlstate
    if isinstance(refusal, RecordsRefusal):
        return refusal.code
    return next((code for kind, code in _CODES if isinstance(refusal, kind)), refusal.code)


def _challenge(refusal: Refusal) -> dict[str, str]:
    """`WWW-Authenticate` for whoever could not be authenticated (RFC 6750 section 3)."""
    if isinstance(refusal, MissingCredentials):
        return {"WWW-Authenticate": "Bearer"}
    if refusal.status == 401 and not isinstance(refusal, RecordsRefusal):
        return {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{refusal.message}"'}
    return {}


def _table_endpoints(mount: str, envelope: Envelope) -> tuple[Endpoint, ...]:
    operations: dict[str, Operation] = {
        "GET": Records.read_rows,
        "HEAD": Records.read_rows,
        "POST": Records.write_rows,
        "PATCH": Records.write_rows,
        "PUT": Records.write_rows,
        "DELETE": Records.write_rows,
        "OPTIONS": Records.describe_relation,
        "QUERY": Records.query_rows,
    }
    return tuple(
        Endpoint(
            method=method,
            path=f"{mount}/{{table}}",
            operation=operation,
            access=Access.CALLER,
            transaction=Mode.NONE,
            body=RawRequest,
            envelope=envelope,
            body_limit=_QUERY_LIMIT if method == "QUERY" else 100 * MEBIBYTE,
        )
        for method, operation in operations.items()
    )


def _function_endpoints(path: str, envelope: Envelope) -> tuple[Endpoint, ...]:
    operations: dict[str, Operation] = {
        "GET": Records.call_function,
        "HEAD": Records.call_function,
        "POST": Records.call_function,
        "OPTIONS": Records.describe_function,
        "QUERY": Records.query_function,
    }
    return tuple(
        Endpoint(
            method=method,
            path=path,
            operation=operation,
            access=Access.CALLER,
            transaction=Mode.NONE,
            body=RawRequest,
            envelope=envelope,
            body_limit=_QUERY_LIMIT if method == "QUERY" else 100 * MEBIBYTE,
        )
        for method, operation in operations.items()
    )


_dialect, _platform_dialect = Dialect(), PlatformDialect()
ENVELOPES: dict[str, Envelope] = {PLATFORM_MOUNT: _platform_dialect, EXACT_MOUNT: _dialect}
ENDPOINTS = (
    *_table_endpoints(PLATFORM_MOUNT, _platform_dialect),
    *_table_endpoints(EXACT_MOUNT, _dialect),
    *_function_endpoints("/api/database/rpc/{function}", _platform_dialect),
    *_function_endpoints(f"{EXACT_MOUNT}/rpc/{{function}}", _dialect),
    Endpoint(
        method="POST",
        path=f"{EXACT_MOUNT}/rpc/-/batch",
        operation=Batches.run_batch,
        access=Access.CALLER,
        transaction=Mode.NONE,
        body=RawRequest,
        envelope=_dialect,
        body_limit=8 * MEBIBYTE,
    ),
    *(
        Endpoint(
            method=method,
            path=f"{EXACT_MOUNT}/",
            operation=Descriptions.describe_as_postgrest,
            access=Access.CALLER,
            transaction=Mode.NONE,
            body=RawRequest,
            envelope=_dialect,
            media_types=("application/openapi+json",),
        )
        for method in ("GET", "HEAD")
    ),
    Endpoint(
        method="GET",
        path="/api/database/openapi.json",
        operation=Descriptions.describe_tables,
        access=Access.CALLER,
        transaction=Mode.NONE,
        body=RawRequest,
        envelope=_platform_dialect,
    ),
    Endpoint(
        method="OPTIONS",
        path=f"{EXACT_MOUNT}/",
        operation=Records.describe_root,
        media_types=(),
        access=Access.CALLER,
        transaction=Mode.NONE,
        body=RawRequest,
        envelope=_dialect,
    ),
)
