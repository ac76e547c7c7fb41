"""Another issuer, as tests have it: keys, tokens, and an answer to who asks for the keys."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from headwater.kernel.clock import Clock
from headwater.kernel.outbound import OutboundAnswer, OutboundCall, UpstreamUnreachable
from headwater.kernel.tokens.reading import OneAlgorithm

NAME = "https://id.example"
JWKS = f"{NAME}/.well-known/jwks.json"
Key = RSAKey | ECKey | OKPKey | OctKey


class Theirs:
    """Signs what it is told to, and counts who asks for its keys."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.keys: dict[str, Key] = {"one": RSA}
        self.asked: list[str] = []
        self.away = False
        self.status = 200

    async def call(self, call: OutboundCall) -> OutboundAnswer:
        """The key set, after the loop has had a turn."""
        self.asked.append(call.url)
        await asyncio.sleep(0)
        if self.away:
            raise UpstreamUnreachable(host="id.example", reason="away")
        members = [public(key, name) for name, key in self.keys.items()]
        body = json.dumps({"keys": members}).encode()
        return OutboundAnswer(status=self.status, headers={}, body=body, url=call.url)

    def token(self, *, alg: str = "RS256", kid: str | None = "one", key: Key | None = None, **changes: object) -> str:
        """A token for us whose claims differ as told; None takes a claim away."""
        now = int(self.clock.timestamp())
        claims: dict[str, Any] = {"iss": NAME, "aud": "app", "sub": "user_2abc", "iat": now, "exp": now + 60, **changes}
        header: dict[str, Any] = {"alg": alg} if kid is None else {"alg": alg, "kid": kid}
        told = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, told, key or self.keys[kid or "one"], registry=OneAlgorithm(alg))


RSA = RSAKey.generate_key(2048)
OTHER_RSA = RSAKey.generate_key(2048)


def public(key: Key, name: str) -> dict[str, object]:
    """A key as its issuer publishes it."""
    return {**key.as_dict(private=False), "kid": name, "use": "sig"}


def described(**changes: object) -> str:
    """`HEADWATER_ISSUERS` with one issuer."""
    told: Mapping[str, object] = {"issuer": NAME, "audience": "app", "jwks": JWKS, **changes}
    return json.dumps([{name: value for name, value in told.items() if value is not None}])
