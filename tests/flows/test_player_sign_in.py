"""The drawing "Authentication Flow"; docs/flows/player-sign-in.md."""

import pytest

from headwater.apps.scoreboard.operations import Players
from headwater.flow import Request
from headwater.kernel.tokens import Tokens
from headwater.platform.identity import Identity
from headwater.platform.identity import queries as identity_queries
from headwater.platform.identity.passwords import Passwords
from tests.flows.players import APP, PASSWORD, enter
from tests.flows.trace import OWNER, Trace
from tests.kit.door import Answer, Door

pytestmark = pytest.mark.asyncio(loop_scope="session")
LOGIN = f"{APP}/api/auth/login"


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: the service, its lookup, the comparison, the token's maker."""
    trace.watch(Identity, "sign_in")
    trace.watch(identity_queries, "find_account")
    trace.watch(Passwords, "prove")
    trace.watch(Tokens, "sign")
    return trace


async def sign_in(door: Door, name: str, password: str = PASSWORD) -> Answer:
    """What the app answers who comes with an address and a password."""
    return await door.ask("POST", LOGIN, {"email": f"{name}@example.com", "password": password}, address="10.1.0.1")


async def test_the_route_is_the_drawn_one(door: Door) -> None:
    request = Request("POST", LOGIN, "", {}, "127.0.0.1", NotImplemented)
    assert door.house.endpoint(request).declared.operation is Players.sign_in


async def test_a_player_signs_in_as_drawn_and_his_token_opens_what_is_protected(door: Door, trace: Trace) -> None:
    player = await enter(door, "signs-in")
    with trace.following():
        answered = await sign_in(door, player.name)
    trace.must_pass(
        "stage: limit",
        "stage: validate",
        "stage: transact",
        "call: Identity.sign_in",
        f"take: {OWNER}",
        "call: queries.find_account",
        "sql: select * from auth.users*",
        f"give back: {OWNER}",
        "call: Passwords.prove",
        "call: Tokens.sign",
        "stage: respond",
    )
    assert not trace.holds_a_connection_at("call: Passwords.prove")
    told = answered.json["data"]
    assert told["user"] == {"id": player.id, "username": "signs-in", "email": "signs-in@example.com"}
    protected = await door.ask_as(told["token"], "GET", f"{APP}/api/auth/me")
    assert protected.json["data"]["id"] == player.id


async def test_a_wrong_password_ends_the_way_at_the_comparison(door: Door, trace: Trace) -> None:
    await enter(door, "forgot-his")
    with trace.following():
        answered = await sign_in(door, "forgot-his", "not the one at all")
    trace.must_pass("call: queries.find_account", "call: Passwords.prove", "stage: respond")
    trace.must_not_pass("call: Tokens.sign")
    assert (answered.status, answered.json["error"]["code"]) == (401, "LOGIN_FAILED")
