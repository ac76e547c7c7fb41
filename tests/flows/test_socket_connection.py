"""The drawing "WebSocket Connection Flow"; docs/flows/socket-connection.md."""

from typing import Any

import pytest

from headwater.flow import Reception
from headwater.kernel.sockets import Socket, Sockets
from headwater.platform.identity import Identity
from tests.flows.client import Client, connected, emitted, joined
from tests.flows.trace import Trace
from tests.kit.door import Door

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: who verifies, who keeps the socket, which rooms it joins, what it is told."""
    trace.watch(Identity, "authenticate")
    trace.watch(Reception, "opened")
    trace.watch(Sockets, "join", joined)
    trace.watch(Socket, "emit", emitted)
    return trace


async def test_a_connection_passes_the_drawn_stages(door: Door, trace: Trace) -> None:
    token = await door.sign_up("connects@example.com")
    client = Client(door)
    await client.open()
    with trace.following_everybody():
        await client.say(f'0{{"token":"{token}"}}')
        opened: dict[str, Any] = await client.hears("0")
        event, told = await client.hears("2")
    user = told["userId"]
    trace.must_pass(
        "stage: limit",
        "stage: authenticate",
        "call: Identity.authenticate",
        "call: Reception.opened",
        f"join: user:{user}",
        "join: role:authenticated",
        "emit: connected",
    )
    assert (event, told["role"], told["socketId"]) == ("connected", "authenticated", opened["sid"])


async def test_a_bad_token_ends_the_way_at_the_door(door: Door, trace: Trace) -> None:
    client = Client(door)
    await client.open()
    with trace.following_everybody():
        await client.say('0{"token":"bad"}')
        refusal = await client.hears("4")
    trace.must_pass("stage: limit", "stage: authenticate", "call: Identity.authenticate")
    trace.must_not_pass("call: Reception.opened", "join: *", "emit: connected")
    assert refusal["message"] == "Invalid token"


async def test_then_the_client_can_subscribe_publish_and_hear(door: Door) -> None:
    await door.run_sql("insert into realtime.channels (pattern) values ('connection') on conflict do nothing")
    client = await connected(door, await door.sign_up("then@example.com"))
    await client.say('21["subscribe",{"channel":"connection"}]')
    assert await client.hears("31") == [{"success": True, "channel": "connection"}]
    await client.say('22["publish",{"channel":"connection","event":"said","payload":{"n":1}}]')
    assert await client.hears("32") == [{"success": True}]
    _, message, _ = await client.hears_event("said")
    assert message["n"] == 1
