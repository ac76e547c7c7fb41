"""The drawing "Realtime Message Publishing Flow"; docs/flows/publishing.md."""

import asyncio

import pytest

from headwater.flow import Request
from headwater.kernel.sockets import Sockets
from headwater.platform.realtime import queries as realtime_queries
from headwater.platform.realtime.log import Log
from headwater.platform.realtime.operations import Publishing
from tests.flows.client import Client, broadcast, connected
from tests.flows.trace import ANON, Trace
from tests.kit.door import Door

pytestmark = pytest.mark.asyncio(loop_scope="session")
CHANNEL = "flow-messages"
PATH = f"/api/realtime/channels/{CHANNEL}/messages"
BODY = {"eventName": "said", "payload": {"n": 1}}


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: the log, its statements, the room."""
    trace.watch(Log, "publish")
    for name in [name for name in dir(realtime_queries) if name.startswith(("add_messages", "sequence", "count_aud"))]:
        trace.watch(realtime_queries, name)
    trace.watch(Sockets, "broadcast_packet", broadcast)
    return trace


async def listener(door: Door, name: str) -> Client:
    """A client that hears the channel."""
    await door.run_sql(f"insert into realtime.channels (pattern) values ('{CHANNEL}') on conflict do nothing")
    client = await connected(door, await door.sign_up(f"{name}@example.com"))
    await client.say(f'21["subscribe",{{"channel":"{CHANNEL}"}}]')
    assert await client.hears("31") == [{"success": True, "channel": CHANNEL}]
    await asyncio.sleep(0.1)  # it joins its room behind the answer
    return client


async def test_the_route_is_the_drawn_one(door: Door) -> None:
    request = Request("POST", PATH, "", {}, "127.0.0.1", NotImplemented)
    assert door.house.endpoint(request).declared.operation is Publishing.publish_to


async def test_a_message_passes_the_drawn_stages(door: Door, trace: Trace) -> None:
    client = await listener(door, "hears")
    with trace.following_everybody():
        answered = await door.ask_as(door.keys.anon_key, "POST", PATH, BODY)
        event, message, bookmark = await client.hears_event("said")
        await until_passed(trace, "call: queries.count_audiences")
    assert answered.status == 202
    trace.must_pass(
        "stage: limit",
        "stage: authenticate",
        "stage: validate",
        "stage: transact",
        "call: Log.publish",
        "call: queries.add_messages",
        f"take: {ANON}",
        f"give back: {ANON}",
        "call: queries.sequence*",
        f"broadcast: realtime:{CHANNEL}",
        "stage: respond",
        "call: queries.count_audiences",
    )
    assert (event, message["n"], message["meta"]["messageId"]) == ("said", 1, answered.json["messageId"])
    assert message["meta"]["offset"] == answered.json["offset"]
    assert bookmark.endswith(message["meta"]["epoch"])


async def test_what_a_transaction_publishes_takes_the_same_way_from_the_ring_on(door: Door, trace: Trace) -> None:
    client = await listener(door, "hears_sql")
    with trace.following_everybody():
        await door.run_sql(f"select realtime.publish('{CHANNEL}', 'by-sql', '{{\"n\": 2}}')")
        event, message, _ = await client.hears_event("by-sql")
    trace.must_pass("sql: commit", "call: queries.sequence*", f"broadcast: realtime:{CHANNEL}")
    trace.must_not_pass("call: Log.publish", "call: queries.add_messages")
    assert (event, message["n"], message["meta"]["senderType"]) == ("by-sql", 2, "system")


async def test_a_channel_that_is_not_there_ends_the_way_before_the_log(door: Door, trace: Trace) -> None:
    with trace.following():
        answered = await door.ask_as(door.keys.anon_key, "POST", PATH.replace(CHANNEL, "flow-nowhere"), BODY)
    trace.must_pass("stage: transact", "stage: respond")
    trace.must_not_pass("call: Log.publish", "call: queries.add_messages")
    assert (answered.status, answered.json["error"]) == (404, "REALTIME_CHANNEL_NOT_FOUND")


async def until_passed(trace: Trace, wanted: str) -> None:
    """Return once a step was met."""
    async with asyncio.timeout(30):
        while wanted not in trace.steps:  # noqa: ASYNC110 - a step rings no bell
            await asyncio.sleep(0.02)


async def test_what_cannot_be_stored_takes_nobody_elses_messages_along(door: Door) -> None:
    """Messages of one turn are added by one statement."""
    client = await listener(door, "nul")
    said = [f'["publish",{{"channel":"{CHANNEL}","event":"said","payload":{{"n":{n}}}}}]' for n in ('"\\u0000"', "7")]
    await client.say(f"25{said[0]}\x1e426{said[1]}")
    [refused], [taken] = await client.hears("35"), await client.hears("36")
    assert refused["error"]["message"] == "payload.n: A NUL character cannot be stored", refused
    assert taken == {"success": True}, taken
