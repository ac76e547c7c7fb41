"""Who hears a channel, on two nodes: fetched, told, and fetched again, it is the same."""

import asyncio
import random
from typing import Any

from headwater.kernel.sockets import CloseReason
from tests.platform.realtime.conftest import Desk, Ear, user


def ids(members: Any) -> set[str]:
    """The members' ids."""
    return {member["presenceId"] if isinstance(member, dict) else member.presence_id for member in members}


async def settled(*nodes: Desk) -> None:
    """Return once what was told has reached these nodes: nobody overtakes on their bus."""
    await asyncio.sleep(0.3)
    for node in nodes:
        await node.nodes.tell_all("settled")


async def both(desk: Desk, other: Desk) -> None:
    """Wait until the nodes know each other."""
    async with asyncio.timeout(30):
        while len(desk.nodes.live) < 2 or len(other.nodes.live) < 2:  # noqa: ASYNC110 - a test may look
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.7)


async def test_a_member_of_another_node_is_there_and_told(desk: Desk, other: Desk) -> None:
    await both(desk, other)
    one, _ = await desk.connect(user(1))
    await desk.subscribe(one, "news")
    await settled(desk, other)
    two, _ = await other.connect(user(2))
    answer = await other.subscribe(two, "news")
    await settled(desk, other)
    assert ids(answer.presence.members) == {user(1).id, user(2).id}
    [joined] = one.heard("presence:join")
    assert (joined["member"]["presenceId"], joined["meta"]["channel"]) == (user(2).id, "news")
    two.close(CloseReason.LOST)
    await settled(desk, other)
    assert ids([told["member"] for told in one.heard("presence:leave")]) == {user(2).id}


async def test_who_is_there_twice_is_one_member_and_leaves_with_his_last_socket(desk: Desk, other: Desk) -> None:
    await both(desk, other)
    watcher, _ = await desk.connect(user(9))
    await desk.subscribe(watcher, "news")
    here, _ = await desk.connect(user(1))
    there, _ = await other.connect(user(1))
    await desk.subscribe(here, "news")
    await other.subscribe(there, "news")
    await settled(desk, other)
    here.close(CloseReason.LOST)
    await settled(desk, other)
    assert (len(watcher.heard("presence:join")), watcher.heard("presence:leave")) == (1, [])
    there.close(CloseReason.LOST)
    await settled(desk, other)
    assert len(watcher.heard("presence:leave")) == 1


async def test_a_node_that_ends_takes_its_members_along(desk: Desk, other: Desk) -> None:
    await both(desk, other)
    watcher, _ = await desk.connect(user(9))
    await desk.subscribe(watcher, "news")
    gone, _ = await other.connect(user(1))
    await other.subscribe(gone, "news")
    await settled(desk, other)
    assert ids(desk.roster.members("news")) == {user(9).id, user(1).id}
    await other.nodes.stop()
    async with asyncio.timeout(30):
        while len(desk.roster.members("news")) > 1:  # noqa: ASYNC110 - a test may look
            await asyncio.sleep(0.1)
    assert ids([told["member"] for told in watcher.heard("presence:leave")]) == {user(1).id}


async def test_what_a_member_says_of_himself_is_told_and_kept(desk: Desk, other: Desk) -> None:
    await both(desk, other)
    one, _ = await desk.connect(user(1))
    two, _ = await other.connect(user(2))
    await desk.subscribe(one, "news")
    await other.subscribe(two, "news")
    await settled(desk, other)
    desk.roster.update("news", one, {"typing": True})
    await settled(desk, other)
    [told] = two.heard("presence:update")
    assert told["member"]["state"] == {"typing": True}
    late, _ = await other.connect(user(3))
    members = (await other.subscribe(late, "news")).presence.members
    assert {member.presence_id: member.state for member in members}[str(user(1).id)] == {"typing": True}


async def test_the_old_state_and_what_was_told_make_the_new_one(desk: Desk, other: Desk, seeded: random.Random) -> None:
    await both(desk, other)
    watchers = [(await node.connect(user(90 + n)))[0] for n, node in enumerate((desk, other))]
    seen: list[set[str]] = []
    for node, watcher in zip((desk, other), watchers, strict=True):
        seen.append(ids((await node.subscribe(watcher, "news")).presence.members))
        await settled(desk, other)
        watcher.told.clear()
    watchers[0].told.clear()
    seen[0] |= ids(desk.roster.members("news"))
    present: list[Ear] = []
    for _ in range(60):
        if present and seeded.random() < 0.45:
            present.pop(seeded.randrange(len(present))).close(CloseReason.LOST)
        else:
            node = seeded.choice((desk, other))
            ear, _secret = await node.connect(user(seeded.randrange(8)))
            await node.subscribe(ear, "news")
            present.append(ear)
    await settled(desk, other)
    for node, watcher, state in zip((desk, other), watchers, seen, strict=True):
        for event, told in watcher.told:
            if event == "presence:join":
                state.add(told["member"]["presenceId"])
            elif event == "presence:leave":
                state.discard(told["member"]["presenceId"])
        assert state == ids(node.roster.members("news"))
    expected = {str(ear.principal.id) for ear in (*present, *watchers)}
    assert ids(desk.roster.members("news")) == ids(other.roster.members("news")) == expected
