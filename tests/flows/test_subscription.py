"""The drawing "Realtime Subscription Flow"; docs/flows/subscription.md."""

import pytest

from headwater.kernel.sockets import Sockets
from headwater.platform.realtime import queries as realtime_queries
from headwater.platform.realtime.delivery import Delivery
from headwater.platform.realtime.sessions import SessionBook
from tests.flows.client import connected, joined
from tests.flows.trace import USER, Trace
from tests.kit.door import Door

pytestmark = pytest.mark.asyncio(loop_scope="session")
SUBSCRIBE = '21["subscribe",{"channel":"flow-news"}]'


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: the look at the channels, the subscription, what is kept of it, the room."""
    trace.watch(realtime_queries, "find_visible_channel")
    trace.watch(Delivery, "subscribe")
    trace.watch(SessionBook, "keep")
    trace.watch(Sockets, "join", joined)
    return trace


async def test_a_subscription_passes_the_drawn_stages(door: Door, trace: Trace) -> None:
    await door.run_sql("insert into realtime.channels (pattern) values ('flow-news') on conflict do nothing")
    client = await connected(door, await door.sign_up("subscribes@example.com"))
    with trace.following_everybody():
        await client.say(SUBSCRIBE)
        answer = await client.hears("31")
        await client.say('22["subscribe",{"channel":"flow-nowhere"}]')
        await client.hears("32")
    trace.must_pass(
        "stage: limit",
        "stage: authenticate",
        "stage: validate",
        "stage: transact",
        "call: queries.find_visible_channel",
        f"take: {USER}",
        f"give back: {USER}",
        "call: Delivery.subscribe",
        "call: SessionBook.keep",
        "sql: commit",
        "stage: respond",
        "join: realtime:flow-news",
    )
    assert answer == [{"success": True, "channel": "flow-news"}]


@pytest.mark.parametrize("off", ["nothing-there", "flow-off"])
async def test_a_channel_that_is_not_there_or_is_off_ends_the_way_at_the_look(
    door: Door, trace: Trace, off: str
) -> None:
    await door.run_sql(
        "insert into realtime.channels (pattern, enabled) values ('flow-off', false) on conflict do nothing"
    )
    client = await connected(door, await door.sign_up(f"{off}@example.com"))
    with trace.following_everybody():
        await client.say(f'21["subscribe",{{"channel":"{off}"}}]')
        (answer,) = await client.hears("31")
    trace.must_pass("stage: transact", "call: queries.find_visible_channel")
    trace.must_not_pass("call: Delivery.subscribe", "call: SessionBook.keep", f"join: realtime:{off}")
    assert (answer["success"], answer["error"]["code"]) == (False, "REALTIME_UNAUTHORIZED")
