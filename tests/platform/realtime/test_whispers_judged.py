"""Who may whisper what: policies that look at a message judge each one, and what was found for one helps no other."""

import pytest

from headwater.platform.realtime.errors import PublishRefused
from headwater.platform.realtime.models import PublishTo
from tests.platform.realtime.conftest import ANON, Desk, Ear

GUARDED = "alter table realtime.messages enable row level security"
POLICY = "create policy say on realtime.messages for insert with check ({})"
BY_FUNCTION = (
    "create function public.is_mild(told realtime.messages) returns boolean language sql stable as "
    "$$ select told.event_name = 'typing' $$"
)
BY_TRIGGER = (
    "create function public.must_be_mild() returns trigger language plpgsql as $$ begin "
    "if new.event_name <> 'typing' then raise insufficient_privilege; end if; return new; end $$"
)
TRIGGER = "create trigger mild before insert on realtime.messages for each row execute function public.must_be_mild()"
IN_QUERY = "exists (select from realtime.channels open where open.id = channel_id and event_name = 'typing')"
ONLY_TYPING = {
    "the event": (GUARDED, POLICY.format("event_name = 'typing'")),
    "the payload": (GUARDED, POLICY.format("not payload ? 'loud'")),
    "the whole row": (GUARDED, BY_FUNCTION, POLICY.format("public.is_mild(messages)")),
    "a subquery": (GUARDED, POLICY.format(IN_QUERY)),
    "a policy for all": (
        GUARDED,
        "grant select on realtime.messages to anon",
        "create policy say on realtime.messages using (event_name = 'typing')",
    ),
    "a trigger": (BY_TRIGGER, TRIGGER),
}


async def whisper(desk: Desk, ear: Ear, event: str, **payload: object) -> None:
    body = PublishTo(channel="news", event=event, socket=ear, payload=payload, ephemeral=True)
    await desk.publishing.publish(desk.transactions, ANON, body)


@pytest.fixture
async def ear(desk: Desk) -> Ear:
    """A stranger who listens."""
    listening, _ = await desk.connect()
    await desk.subscribe(listening, "news")
    return listening


@pytest.mark.parametrize("statements", ONLY_TYPING.values(), ids=ONLY_TYPING)
async def test_one_that_may_be_said_lets_no_other_in(desk: Desk, ear: Ear, statements: tuple[str, ...]) -> None:
    for statement in statements:
        await desk.say(statement)
    await whisper(desk, ear, "typing")
    with pytest.raises(PublishRefused):
        await whisper(desk, ear, "shout", loud=True)
    await whisper(desk, ear, "typing")


@pytest.mark.parametrize(
    "statements",
    [(), (GUARDED, POLICY.format("channel_name = 'news' and sender_type = 'user' and auth.uid() is null"))],
)
async def test_where_nothing_hangs_on_the_message_what_was_found_is_believed(
    desk: Desk, ear: Ear, statements: tuple[str, ...]
) -> None:
    for statement in statements:
        await desk.say(statement)
    await whisper(desk, ear, "typing")
    subscription = desk.delivery.find(ear, "news")
    assert subscription is not None and subscription.whispers is not None and subscription.whispers.may
    await whisper(desk, ear, "shout", loud=True)
