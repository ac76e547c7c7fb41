"""The drawing "Authentication Flow (Password)"; docs/flows/password-sign-in.md."""

import pytest

from headwater.flow import Request
from headwater.kernel.tokens import Tokens
from headwater.platform.identity import Identity
from headwater.platform.identity import queries as identity_queries
from headwater.platform.identity.passwords import Passwords
from tests.flows.trace import OWNER, Trace
from tests.kit.door import Door

pytestmark = pytest.mark.asyncio(loop_scope="session")
PATH = "/api/auth/sessions"
PASSWORD = "correct horse"


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: the database's lookup, the comparison, the token's maker."""
    trace.watch(identity_queries, "find_account")
    trace.watch(identity_queries, "add_session")
    trace.watch(identity_queries, "count_failure")
    trace.watch(Passwords, "prove")
    trace.watch(Tokens, "sign")
    return trace


async def test_the_route_is_the_drawn_one(door: Door) -> None:
    request = Request("POST", PATH, "", {}, "127.0.0.1", NotImplemented)
    assert door.house.endpoint(request).declared.operation is Identity.sign_in


async def test_sign_in_passes_the_drawn_stages(door: Door, trace: Trace) -> None:
    await door.sign_up("ada@example.com", PASSWORD)
    with trace.following():
        answered = await door.ask("POST", PATH, {"email": "ada@example.com", "password": PASSWORD})
    trace.must_pass(
        "stage: limit",
        "stage: authenticate",
        "stage: limit",
        "stage: validate",
        "stage: transact",
        "call: queries.find_account",
        "call: Passwords.prove",
        "call: queries.add_session",
        "sql: commit",
        "call: Tokens.sign",
        "stage: respond",
    )
    assert trace.stages == ["limit", "authenticate", "limit", "validate", "transact", "respond"]
    assert answered.status == 200
    assert list(answered.json) == ["user", "accessToken", "csrfToken"]
    assert answered.json["user"]["email"] == "ada@example.com"


async def test_nobody_waits_for_a_password_with_a_connection_in_hand(door: Door, trace: Trace) -> None:
    await door.sign_up("grace@example.com", PASSWORD)
    with trace.following():
        await door.ask("POST", PATH, {"email": "grace@example.com", "password": PASSWORD})
    assert trace.holds_a_connection_at("call: queries.find_account")
    assert not trace.holds_a_connection_at("call: Passwords.prove")
    assert not trace.holds_a_connection_at("call: Tokens.sign")


@pytest.mark.parametrize("email", ["edith@example.com", "nobody@example.com"])
async def test_a_wrong_password_ends_the_way_at_the_comparison(door: Door, trace: Trace, email: str) -> None:
    if email.startswith("edith"):
        await door.sign_up(email, PASSWORD)
    with trace.following():
        answered = await door.ask("POST", PATH, {"email": email, "password": "not the one"})
    trace.must_pass(
        f"take: {OWNER}",
        "call: queries.find_account",
        f"give back: {OWNER}",
        "call: Passwords.prove",
        "call: queries.count_failure",
        "sql: commit",
        "stage: respond",
    )
    trace.must_not_pass("call: queries.add_session", "call: Tokens.sign")
    assert (answered.status, answered.json["error"]) == (401, "AUTH_UNAUTHORIZED")


async def test_sign_up_tells_the_others_before_it_answers(door: Door, trace: Trace) -> None:
    body = {"email": "new@example.com", "password": PASSWORD}
    with trace.following():
        answered = await door.ask_as(door.keys.anon_key, "POST", "/api/auth/users", body)
    assert answered.status == 200
    trace.must_pass("stage: transact", "sql: commit", "call: Tokens.sign", "stage: publish", "stage: respond")
    assert trace.stages == ["limit", "authenticate", "limit", "validate", "transact", "publish", "respond"]
