"""Access to a channel that ends, while the channel is heard."""

import pytest

from headwater.platform.realtime.access import Access
from tests.platform.realtime.conftest import ANON, Desk, quiet, user

GUARD = (
    "create table public.guests (who text, channel text)",
    "grant select on public.guests to authenticated, anon",
    "alter table realtime.channels enable row level security",
    """create policy guests_only on realtime.channels for select using (exists (
         select from public.guests g
         where g.who = current_setting('request.jwt.claims', true)::json ->> 'sub'
           and g.channel = realtime.channel_name()))""",
)


@pytest.fixture
def access(desk: Desk) -> Access:
    """What asks again for the desk's subscriptions."""
    return desk.access


async def guard(desk: Desk, *guests: int) -> None:
    """Let these users alone hear `news` and `room:1`."""
    for statement in GUARD:
        await desk.say(statement)
    for number in guests:
        await desk.say("insert into public.guests select $1, unnest(array['news', 'room:1'])", user(number).id)


async def test_who_is_no_guest_any_more_hears_nothing_and_is_told_so(desk: Desk, access: Access) -> None:
    await guard(desk, 1, 2)
    one, _ = await desk.connect(user(1))
    two, _ = await desk.connect(user(2))
    for ear in (one, two):
        await desk.subscribe(ear, "news")
        await desk.subscribe(ear, "room:1")
    await access.recheck()
    assert [ear.heard("realtime:error") for ear in (one, two)] == [[], []]
    await desk.say("delete from public.guests where who = $1 and channel = 'news'", user(1).id)
    await access.recheck()
    await desk.publish(two, "news", n=1)
    await desk.publish(two, "room:1", n=2)
    await quiet()
    assert [payload["n"] for payload in one.heard("said")] == [2]
    assert [payload["n"] for payload in two.heard("said")] == [1, 2]
    [told] = one.heard("realtime:error")
    assert (told["channel"], told["code"]) == ("news", "REALTIME_UNAUTHORIZED")
    [left] = two.heard("presence:leave")
    assert left["member"]["presenceId"] == user(1).id


async def test_a_session_does_not_bring_back_what_was_taken(desk: Desk, access: Access) -> None:
    await guard(desk, 1)
    one, secret = await desk.connect(user(1))
    await desk.subscribe(one, "news")
    await desk.subscribe(one, "room:1")
    await desk.say("delete from public.guests where channel = 'news'")
    await access.recheck()
    session = await desk.book.find(secret, user(1))
    assert session is not None
    assert set(session.channels) == {"room:1"}


@pytest.mark.parametrize(
    "ending",
    [
        "update realtime.channels set enabled = false where pattern = 'news'",
        "delete from realtime.channels where pattern = 'news'",
        "alter table realtime.channels enable row level security",
    ],
)
async def test_a_changed_channel_is_heard_by_nobody(desk: Desk, access: Access, ending: str) -> None:
    ear, _ = await desk.connect(ANON)
    await desk.subscribe(ear, "news")
    await desk.say(ending)
    await access.recheck()
    assert [told["channel"] for told in ear.heard("realtime:error")] == ["news"]
    assert desk.delivery.find(ear, "news") is None


async def test_a_disabled_channel_is_noticed_at_once(desk: Desk) -> None:
    ear, _ = await desk.connect(ANON)
    await desk.subscribe(ear, "news")
    await desk.say("update realtime.channels set enabled = false where pattern = 'news'")
    for _ in range(40):
        if ear.heard("realtime:error"):
            break
        await quiet()
    assert desk.delivery.find(ear, "news") is None


async def test_a_policy_that_fails_shows_nothing(desk: Desk, access: Access) -> None:
    one, _ = await desk.connect(user(1))
    await desk.subscribe(one, "news")
    await desk.say("alter table realtime.channels enable row level security")
    await desk.say("create policy broken on realtime.channels for select using (1 / (length(pattern) - 4) > 0)")
    await access.recheck()
    assert [told["channel"] for told in one.heard("realtime:error")] == ["news"]
