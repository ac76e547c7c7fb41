"""Who is asking."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What sort of caller a principal is."""

    NOBODY = "nobody"
    ANON = "anon"
    USER = "user"
    ADMIN = "admin"


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """The caller of one request or socket, as established by the authenticate stage.

    `role` is the database role its statements run under; `claims_json` is what `request.jwt.claims` is set to, encoded
    once; `key` names it in limits and idempotency records; `expires_at` is in seconds since 1970 (None: not by time).
    """

    kind: Kind
    role: str
    key: str
    id: str | None = None
    email: str | None = None
    session_id: str | None = None
    claims: Mapping[str, object] = {}
    claims_json: str = "{}"
    expires_at: float | None = None

    @property
    def is_admin(self) -> bool:
        """Whether this is the project's admin."""
        return self.kind is Kind.ADMIN


ANON_ROLE = "anon"
USER_ROLE = "authenticated"
ADMIN_ROLE = "project_admin"

NOBODY = Principal(
    kind=Kind.NOBODY, role=ANON_ROLE, key="nobody", claims={"role": ANON_ROLE}, claims_json='{"role":"anon"}'
)


def principal_from_claims(claims: Mapping[str, object]) -> Principal:
    """The principal a verified token stands for.

    Takes claims whose signature, times, issuer and audience are already checked. Roles other than `project_admin`
    and `anon` are the user's; `sub` names the user.
    """
    role = str(claims.get("role", USER_ROLE))
    subject = claims.get("sub")
    kind = {ADMIN_ROLE: Kind.ADMIN, ANON_ROLE: Kind.ANON}.get(role, Kind.USER)
    expiry = claims.get("exp")
    return Principal(
        kind=kind,
        role=role,
        key=f"{kind}:{subject}",
        id=None if subject is None else str(subject),
        email=_text(claims.get("email")),
        session_id=_text(claims.get("sid")),
        claims=claims,
        claims_json=msgspec.json.encode(claims).decode(),
        expires_at=float(expiry) if isinstance(expiry, int | float) else None,
    )


def _text(claim: object) -> str | None:
    return claim if isinstance(claim, str) else None
