"""Several publishes of one sender at once: one commit, his order, and each with its own answer."""

import asyncio
from collections.abc import Awaitable
from typing import cast

import pytest

from headwater.kernel.sockets import Packet, Underway
from headwater.platform.realtime import queries
from headwater.platform.realtime.delivery.whispers import LONGEST
from headwater.platform.realtime.errors import InvalidChannelRequest, PublishRefused
from headwater.platform.realtime.models import PublishedTo, PublishTo
from tests.kit.sockets import until
from tests.platform.realtime.conftest import Desk, Ear, user

REFUSE_ODD = """
create policy even on realtime.messages for insert to authenticated with check ((payload->>'n')::int % 2 = 0)
"""


async def publish(desk: Desk, ear: Ear, n: int, *, ephemeral: bool = False) -> PublishedTo | Underway[PublishedTo]:
    body = PublishTo(channel="news", event="said", socket=ear, payload={"n": n}, ephemeral=ephemeral)
    return await desk.publishing.publish(desk.transactions, ear.principal, body)


async def burst(desk: Desk, ear: Ear, count: int) -> list[Awaitable[PublishedTo]]:
    """What is to be awaited of several messages that are to be logged."""
    told = [await publish(desk, ear, n) for n in range(count)]
    return [cast("Underway[PublishedTo]", each).outcome for each in told]


def numbers(ear: Ear) -> list[int]:
    return [payload["n"] for payload in ear.heard("said")]


@pytest.fixture
async def speaker(desk: Desk) -> Ear:
    """Somebody who hears the news, and publishes."""
    ear, _ = await desk.connect(user(1))
    await desk.subscribe(ear, "news")
    return ear


async def test_the_publishes_of_one_turn_are_one_commit_in_their_order(
    desk: Desk, speaker: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    add_messages = queries.add_messages

    async def counted(transactions: object, batch: list[object]) -> object:
        sizes.append(len(batch))
        return await add_messages(transactions, batch)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(queries, "add_messages", counted)
    told = await asyncio.gather(*await burst(desk, speaker, 50))
    assert sizes == [50]
    assert [each.offset for each in told] == list(range(1, 51))
    await until(lambda: numbers(speaker) == list(range(50)))


async def test_a_refusal_in_the_middle_of_a_burst_is_its_own(desk: Desk, speaker: Ear) -> None:
    await desk.say("alter table realtime.messages enable row level security")
    await desk.say(REFUSE_ODD)
    told = await asyncio.gather(*await burst(desk, speaker, 6), return_exceptions=True)
    assert [each.offset if isinstance(each, PublishedTo) else type(each) for each in told] == [
        1,
        PublishRefused,
        2,
        PublishRefused,
        3,
        PublishRefused,
    ]
    await until(lambda: numbers(speaker) == [0, 2, 4])


async def test_a_whisper_does_not_overtake_what_its_sender_logs(desk: Desk, speaker: Ear) -> None:
    outcomes = await burst(desk, speaker, 3)
    whispering = asyncio.ensure_future(publish(desk, speaker, 99, ephemeral=True))
    await asyncio.sleep(0)
    assert not whispering.done()
    await asyncio.gather(*outcomes)
    told = await whispering
    assert isinstance(told, PublishedTo) and told.offset is None
    await until(lambda: numbers(speaker) == [0, 1, 2, 99])


async def test_whispers_reach_every_node_in_order_and_once(desk: Desk, other: Desk, speaker: Ear) -> None:
    far, _ = await other.connect(user(2))
    await other.subscribe(far, "news")
    await until(lambda: len(desk.nodes.live) == len(other.nodes.live) == 2)
    for n in range(100):
        await publish(desk, speaker, n, ephemeral=True)
    await until(lambda: numbers(far) == numbers(speaker) == list(range(100)))
    assert far.heard("said") == speaker.heard("said"), "it is the same text on both"


async def test_a_whisper_must_fit_between_nodes(desk: Desk, speaker: Ear) -> None:
    for size in (4000, 4001):
        body = PublishTo(
            channel="news", event="e" * 255, socket=speaker, payload={"x": "x" * (size - 8)}, ephemeral=True
        )
        publishing = desk.publishing.publish(desk.transactions, speaker.principal, body)
        if size == 4000:
            assert isinstance(await publishing, PublishedTo)
        else:
            with pytest.raises(InvalidChannelRequest):
                await publishing
    longest = Packet("e", ("x" * LONGEST,))
    assert not desk.publishing.whispers.fits("news", longest)


async def test_a_packet_that_was_read_is_told_as_it_was(speaker: Ear) -> None:
    made = Packet("said", ({"n": 1}, "mark"))
    read = Packet.read(made.encode())
    assert (read.event, read.frame, read.payloads) == (made.event, made.frame, made.payloads)
