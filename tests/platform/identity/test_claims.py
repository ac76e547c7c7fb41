"""What policies see of the claims."""

import pytest

from headwater.kernel.database import Database, Login
from headwater.kernel.principal import NOBODY, Principal, principal_from_claims

SUBJECT = "8a1f6c1e-0000-4000-8000-000000000001"
USER = principal_from_claims({"sub": SUBJECT, "role": "authenticated", "email": "o'neil@example.com", "sid": "1"})
SEEN = "select auth.uid()::text as uid, auth.role() as role, auth.email() as email, auth.jwt() ->> 'sid' as sid"


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        (USER, (SUBJECT, "authenticated", "o'neil@example.com", "1")),
        (NOBODY, (None, "anon", None, None)),
        (principal_from_claims({"sub": "local:root", "role": "project_admin"}), (None, "project_admin", None, None)),
        (principal_from_claims({"sub": "user_2NNEqL2nrIRdJ194ndJqAHwEfxC"}), (None, None, None, None)),
    ],
    ids=["user", "nobody", "admin", "another issuer's user"],
)
async def test_the_claims_are_seen(database: Database, principal: Principal, expected: tuple[str | None, ...]) -> None:
    row = await database.reading(lambda tx: tx.row(SEEN), principal)
    assert row is not None and tuple(row) == expected


@pytest.mark.parametrize("claims", ["", "{}"])
async def test_no_claims_are_nobodys(database: Database, claims: str) -> None:
    async with database.lease.held(Login.AUTHENTICATED) as connection:
        await connection.execute("select set_config('request.jwt.claims', $1, false)", claims)
        row = await connection.fetchrow(SEEN)
        assert row is not None and tuple(row) == (None, None, None, None)
        assert await connection.fetchval("select auth.jwt()::text") == "{}"
        await connection.execute("select set_config('request.jwt.claims', '{}', false)")


async def test_the_functions_are_read_into_the_query(database: Database) -> None:
    plan = await database.reading(
        lambda tx: tx.rows("explain (verbose) select id from auth.users where id = auth.uid()")
    )
    assert any("Index" in row[0] for row in plan)
    assert not any("auth.uid()" in row[0] for row in plan)
