"""The callers every endpoint must tell apart, with credentials a running server has to judge."""

import asyncio
from datetime import timedelta
from enum import StrEnum
from uuid import uuid4

import msgspec

from headwater.boot.components import find_components
from headwater.boot.foundation import Ground, stand_on
from headwater.boot.settings import Settings
from headwater.kernel.clock import Clock, DrivenClock, SystemClock
from headwater.kernel.component import Access, Endpoint
from headwater.kernel.database import Transactions
from headwater.kernel.errors import ClaimsRefused, InvalidToken, MissingCredentials, NotAnAdmin, NotAUser, Refusal
from headwater.kernel.observe import Observer
from headwater.kernel.tokens import Tokens, TokenSettings
from headwater.kernel.tokens.keys import SigningKey, SigningKeys, generate_key
from tests.kit.server import RunningServer

HOUR = 3600.0


class Caller(StrEnum):
    """Who calls; the last four show a token that is no good, each for one reason."""

    NOBODY = "nobody"
    ANON_KEY = "anon key"
    USER = "user"
    OTHER_USER = "other user"
    ADMIN = "admin"
    EXPIRED = "expired"
    FORGED = "forged"
    WRONG_AUDIENCE = "wrong audience"
    SIGNED_OUT = "signed out"


BAD = frozenset({Caller.EXPIRED, Caller.FORGED, Caller.WRONG_AUDIENCE, Caller.SIGNED_OUT})
Headers = dict[str, str]


def refusal_due(endpoint: Endpoint, caller: Caller) -> type[Refusal] | None:
    """How the endpoint's declared access answers a caller on this machine; None where he is let in."""
    if endpoint.access is Access.ANYONE:
        return None
    if caller in BAD:
        return ClaimsRefused if caller in {Caller.EXPIRED, Caller.WRONG_AUDIENCE} else InvalidToken
    if caller is Caller.NOBODY:
        return MissingCredentials
    if endpoint.access is Access.USER and caller not in {Caller.USER, Caller.OTHER_USER}:
        return NotAUser
    if endpoint.access is Access.ADMIN and caller is not Caller.ADMIN:
        return NotAnAdmin
    return None


def let_in(endpoint: Endpoint) -> Caller:
    """Someone the endpoint is for."""
    return Caller.USER if endpoint.access is Access.USER else Caller.ADMIN


def bearer(credential: str) -> Headers:
    """The header that shows a key or a token."""
    return {"authorization": f"Bearer {credential}"}


def make_callers(server: RunningServer) -> dict[Caller, Headers]:
    """The headers of every caller; bad tokens are signed with the server's own keys, except the forged one.

    The users' tokens belong to no session, so no request here, signing out included, takes them from a later one.
    """
    people = [_claims_of(server, f"{name}-{uuid4().hex[:8]}@example.com") for name in ("one", "two")]
    user, other = ({name: claims[name] for name in ("sub", "role", "email")} for claims in people)
    return {
        Caller.NOBODY: {},
        Caller.ANON_KEY: bearer(server.anon_key),
        Caller.ADMIN: bearer(server.admin_key),
        Caller.SIGNED_OUT: bearer(_signed_out(server)),
        **asyncio.run(_signed(server, user, other)),
    }


async def _signed(server: RunningServer, user: dict[str, object], other: dict[str, object]) -> dict[Caller, Headers]:
    """Tokens made outside the server, with the keys of its vault."""
    past = DrivenClock(SystemClock().now() - timedelta(days=1))
    good, expired, elsewhere = await asyncio.gather(
        _tokens(server, SystemClock()), _tokens(server, past), _tokens(server, SystemClock(), audience="elsewhere")
    )
    forger = await _tokens(server, SystemClock())
    own = next(iter(forger._keys))
    forger._keys = SigningKeys([SigningKey(own.algorithm, generate_key(own.algorithm).key, own.id)])
    return {
        Caller.USER: bearer(good.sign(user, HOUR)),
        Caller.OTHER_USER: bearer(good.sign(other, HOUR)),
        Caller.EXPIRED: bearer(expired.sign(user, HOUR)),
        Caller.WRONG_AUDIENCE: bearer(elsewhere.sign(user, HOUR)),
        Caller.FORGED: bearer(forger.sign(user, HOUR)),
    }


async def _tokens(server: RunningServer, clock: Clock, audience: str = "headwater") -> Tokens:
    ground = Ground(
        settings=Settings(server.environment),
        folder=server.folder,
        components=find_components(),
        clock=SystemClock(),
        observer=Observer(),
    )
    async with stand_on(ground, shared=True) as foundation:
        tokens = Tokens(TokenSettings(audience=audience), clock, foundation.vault)
        await tokens.load(Transactions(foundation.database))
        return tokens


def _claims_of(server: RunningServer, email: str) -> dict[str, object]:
    with server.client(server.sign_up(email)) as client:
        user = client.get("/api/auth/sessions/current").raise_for_status().json()["user"]
        return {"sub": user["id"], "role": "authenticated", "email": user["email"]}


def _signed_out(server: RunningServer) -> str:
    token = server.sign_up(f"gone-{uuid4().hex[:8]}@example.com")
    with server.client(token) as client:
        client.post("/api/auth/logout").raise_for_status()
    return token


def told(body: bytes) -> dict[str, object]:
    """A refusal's body, without what differs from request to request."""
    return msgspec.json.decode(body, type=dict[str, object])
