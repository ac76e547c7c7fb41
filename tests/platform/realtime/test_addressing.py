"""Which channel a request publishes on: by id, by name, and by id and name where the id stands for many."""

from typing import Any

import pytest

from headwater.kernel.ids import new_id
from headwater.platform.realtime.errors import ChannelNotFound, InvalidChannelRequest
from headwater.platform.realtime.models import MessageToPublish, PlacedMessage
from tests.kernel.waiting import until
from tests.platform.realtime.conftest import ANON, Desk, Ear


@pytest.fixture
async def ear(desk: Desk) -> Ear:
    """A stranger who hears `news` and `room:1`."""
    listening, _ = await desk.connect()
    for channel in ("news", "room:1"):
        await desk.subscribe(listening, channel)
    return listening


async def publish(desk: Desk, id: object, channel: str | None = None) -> PlacedMessage:
    body = MessageToPublish(id=str(id), event_name="said", channel=channel)
    return await desk.publishing.publish_to(desk.transactions, ANON, body)


async def id_of(desk: Desk, pattern: str) -> Any:
    return await desk.say("select id from realtime.channels where pattern = $1", pattern)


async def test_a_channel_is_meant_by_its_id_or_its_name(desk: Desk, ear: Ear) -> None:
    many, one = await id_of(desk, "room:%"), await id_of(desk, "news")
    for id, channel in (
        ("news", None),
        ("room:1", None),
        (one, None),
        (many, "room:1"),
        (one, "news"),
        ("news", "news"),
    ):
        assert (await publish(desk, id, channel)).offset > 0
    await until(lambda: len(ear.heard("said")) == 6)
    told = [each["meta"]["channel"].removeprefix("realtime:") for each in ear.heard("said")]
    assert told == ["news", "room:1", "news", "room:1", "news", "news"]


async def test_an_id_that_stands_for_many_needs_a_name_that_fits(desk: Desk, ear: Ear) -> None:
    many, one = await id_of(desk, "room:%"), await id_of(desk, "news")
    for id, channel, reason in (
        (many, None, "channel: which of the channels room:% is meant"),
        (many, "news", "channel: news is none of the channels room:%"),
        (one, "room:1", "channel: room:1 is none of the channels news"),
        ("news", "room:1", "channel: the address names news already"),
    ):
        with pytest.raises(InvalidChannelRequest, match=reason):
            await publish(desk, id, channel)
    assert await desk.say("select count(*) from realtime.messages") == 0


async def test_what_is_not_there_or_disabled_is_not_found(desk: Desk) -> None:
    one = await id_of(desk, "news")
    await desk.say("update realtime.channels set enabled = false where pattern = 'news'")
    await desk.directory.refresh()
    for id in (one, "news", "nowhere", new_id()):
        with pytest.raises(ChannelNotFound):
            await publish(desk, id)
