"""The drawing "Request Authentication Flow"; docs/flows/request-authentication.md."""

import msgspec
import pytest

from headwater.flow import authenticate as stage
from headwater.kernel.component import Access
from headwater.kernel.principal import Principal
from headwater.kernel.tokens import Tokens
from headwater.platform.identity.keys import KeyRing
from tests.flows.trace import Trace
from tests.kit.door import Door

pytestmark = pytest.mark.asyncio(loop_scope="session")
ROUTE = "/api/auth/sessions/current"
FOR_ADMINS = "/api/database/tables"
THROUGH = ["limit", "authenticate", "limit", "validate", "transact", "respond"]
REFUSED = ["limit", "authenticate", "respond"]
TOKEN_WAYS = ("call: Tokens.principal", "call: Tokens.verify")


def established(_access: Access, principal: Principal) -> str:
    """What the stage knows of the caller when it asks whether the endpoint is open to him."""
    return f"principal: {principal.kind} {principal.id} {principal.email} {principal.role}"


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: the keeper of the API keys, the judge of tokens, and what they establish."""
    trace.watch(KeyRing, "find")
    trace.watch(Tokens, "principal")
    trace.watch(Tokens, "verify")
    trace.watch(stage, "must_be_admitted", established)
    return trace


async def test_an_api_key_is_verified_by_the_keeper_of_keys(door: Door, trace: Trace) -> None:
    with trace.following():
        answered = await door.ask_as(door.keys.admin_key, "GET", FOR_ADMINS)
    trace.must_pass(
        "stage: authenticate", "call: KeyRing.find", "principal: admin None None project_admin", "stage: transact"
    )
    trace.must_not_pass(*TOKEN_WAYS)
    assert (answered.status, trace.stages) == (200, THROUGH)


async def test_a_wrong_api_key_is_refused_and_not_tried_as_a_token(door: Door, trace: Trace) -> None:
    with trace.following():
        answered = await door.ask_as(f"ik_{'0' * 64}", "GET", FOR_ADMINS)
    trace.must_pass("stage: authenticate", "call: KeyRing.find", "stage: respond")
    trace.must_not_pass(*TOKEN_WAYS, "principal: *")
    assert (answered.status, answered.json["error"], trace.stages) == (401, "AUTH_INVALID_API_KEY", REFUSED)


async def test_a_token_is_verified_and_its_payload_is_the_caller(door: Door, trace: Trace) -> None:
    token = await door.sign_up("payload@example.com")
    with trace.following():
        answered = await door.ask_as(token, "GET", ROUTE)
    user = answered.json["user"]
    trace.must_pass(
        "stage: authenticate",
        *TOKEN_WAYS,
        f"principal: user {user['id']} payload@example.com authenticated",
        "stage: limit",
        "stage: transact",
        "stage: respond",
    )
    trace.must_not_pass("call: KeyRing.find")
    assert (answered.status, trace.stages) == (200, THROUGH)


async def test_a_token_seen_before_needs_no_second_look_at_its_signature(door: Door, trace: Trace) -> None:
    token = await door.sign_up("again@example.com")
    await door.ask_as(token, "GET", ROUTE)
    with trace.following():
        await door.ask_as(token, "GET", ROUTE)
    trace.must_pass("call: Tokens.principal", "principal: user * again@example.com authenticated")
    trace.must_not_pass("call: Tokens.verify")


@pytest.mark.parametrize("token", ["no.token.atall", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "x"])
async def test_an_invalid_token_is_refused_with_401(door: Door, trace: Trace, token: str) -> None:
    with trace.following():
        answered = await door.ask_as(token, "GET", ROUTE)
    trace.must_pass("stage: authenticate", *TOKEN_WAYS, "stage: respond")
    trace.must_not_pass("principal: *", "take: *")
    assert (answered.status, answered.json["error"], trace.stages) == (401, "AUTH_UNAUTHORIZED", REFUSED)


async def test_a_changed_payload_is_refused_with_401(door: Door, trace: Trace) -> None:
    head, payload, signature = (await door.sign_up("changed@example.com")).split(".")
    forged = f"{head}.{payload[:-2]}{'AA' if payload[-2:] != 'AA' else 'BB'}.{signature}"
    with trace.following():
        answered = await door.ask_as(forged, "GET", ROUTE)
    trace.must_not_pass("principal: *", "take: *")
    assert (answered.status, trace.stages) == (401, REFUSED)


async def test_without_credentials_the_way_ends_where_it_began(door: Door, trace: Trace) -> None:
    with trace.following():
        answered = await door.ask("GET", ROUTE)
    trace.must_pass("stage: authenticate", "principal: nobody None None anon", "stage: respond")
    assert (answered.status, trace.stages) == (401, REFUSED)


async def test_a_user_is_refused_where_admins_are_asked_for(door: Door, trace: Trace) -> None:
    token = await door.sign_up("curious@example.com")
    with trace.following():
        answered = await door.ask_as(token, "GET", FOR_ADMINS)
    trace.must_pass("principal: user * curious@example.com authenticated", "stage: respond")
    assert (answered.status, trace.stages) == (403, REFUSED)


async def test_the_key_header_wins_over_the_token(door: Door, trace: Trace) -> None:
    headers = {"x-api-key": door.keys.admin_key, "authorization": "Bearer no.token.atall"}
    with trace.following():
        answered = await door.ask("GET", FOR_ADMINS, headers=headers)
    trace.must_pass("call: KeyRing.find", "principal: admin *")
    trace.must_not_pass(*TOKEN_WAYS)
    assert msgspec.json.decode(answered.body) is not None
