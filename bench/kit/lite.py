"""@supabase/lite beside us: the same rows in a database of its own in our cluster, and tokens it accepts."""

import asyncio
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import OctKey

from bench.kit.cluster import address_of, run_as_superuser
from bench.kit.servers import Server, supabase_lite
from bench.kit.todos import User, fixture
from headwater.kernel.clock import SystemClock
from headwater.kernel.database.embedded.models import SUPERUSER

_DATABASE = "lite"
_TOKEN_SECONDS = 3600


@contextmanager
def lite(folder: Path, users: list[User], world: str) -> Generator[tuple[Server, list[User]]]:
    """The server over its own copy of a world, and the same users with tokens for it."""
    address = address_of(folder / "data")
    asyncio.run(run_as_superuser(address, f"create database {_DATABASE}"))
    script = folder / "lite.sql"
    script.write_text(fixture(world, users))
    secret = secrets.token_urlsafe(48)
    environment = {
        "PGHOST": address.host,
        "PGPORT": str(address.port),
        "PGUSER": SUPERUSER,  # it makes roles and grants, and takes the caller's role for each request
        "PGDATABASE": _DATABASE,
        "FIXTURE": str(script),
    }
    with supabase_lite(folder, secret, environment) as server:
        yield server, [User(user.id, _token(user, secret)) for user in users]


def _token(user: User, secret: str) -> str:
    now = int(SystemClock().now().timestamp())
    claims = {"sub": user.id, "role": "authenticated", "iat": now, "exp": now + _TOKEN_SECONDS}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))
