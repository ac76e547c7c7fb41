"""From the log to sockets: everything, in order, once, or it is told that it is not."""

import asyncio
import random

import pytest

from headwater.kernel.sockets import CloseReason
from headwater.platform.realtime.errors import NotSubscribed, PublishRefused, SubscribeRefused
from tests.kernel.waiting import until
from tests.platform.realtime.conftest import ANON, Desk, Ear, quiet, user


def numbers(ear: Ear) -> list[int]:
    """What was said to an ear, by number."""
    return [payload["n"] for payload in ear.heard("said")]


async def test_a_message_reaches_everybody_with_its_place_and_the_sender_too(desk: Desk) -> None:
    one, _ = await desk.connect(user(1))
    other, _ = await desk.connect()
    first = await desk.subscribe(one, "news")
    await desk.subscribe(other, "news")
    published = await desk.publish(one, "news", n=1)
    await quiet()
    assert (first.offset, published.offset, published.epoch) == (0, 1, first.epoch)
    for ear in (one, other):
        [payload] = ear.heard("said")
        assert payload["n"] == 1
        assert payload["meta"] == {
            "channel": "realtime:news",
            "messageId": str(published.message_id),
            "senderType": "user",
            "senderId": one.principal.id,
            "timestamp": payload["meta"]["timestamp"],
            "offset": 1,
            "epoch": first.epoch,
        }


async def test_the_answer_names_the_newest_offset(desk: Desk) -> None:
    speaker, _ = await desk.connect()
    await desk.subscribe(speaker, "news")
    for n in range(3):
        await desk.publish(speaker, "news", n=n)
    late, _ = await desk.connect()
    assert (await desk.subscribe(late, "news")).offset == 3
    await desk.publish(speaker, "news", n=3)
    await quiet()
    assert numbers(late) == [3]


async def test_since_brings_what_was_missed_before_what_comes(desk: Desk) -> None:
    speaker, _ = await desk.connect()
    epoch = (await desk.subscribe(speaker, "news")).epoch
    for n in range(1, 6):
        await desk.publish(speaker, "news", n=n)
    back, _ = await desk.connect()
    answer = await desk.subscribe(back, "news", since=(2, epoch))
    await desk.publish(speaker, "news", n=6)
    await quiet()
    assert (answer.recovered, answer.offset, numbers(back)) == (True, 5, [3, 4, 5, 6])
    assert [payload["meta"].get("replayed", False) for payload in back.heard("said")] == [True, True, True, False]


@pytest.mark.parametrize("since", [(9, None), (1, "another")])
async def test_a_position_that_means_nothing_here_is_not_recovered(desk: Desk, since: tuple[int, str | None]) -> None:
    speaker, _ = await desk.connect()
    epoch = (await desk.subscribe(speaker, "news")).epoch
    await desk.publish(speaker, "news", n=1)
    back, _ = await desk.connect()
    answer = await desk.subscribe(back, "news", since=(since[0], since[1] or epoch))
    await desk.publish(speaker, "news", n=2)
    await quiet()
    assert (answer.recovered, numbers(back)) == (False, [2])


async def test_what_is_no_longer_kept_is_not_recovered(desk: Desk) -> None:
    speaker, _ = await desk.connect()
    epoch = (await desk.subscribe(speaker, "news")).epoch
    for n in range(1, 4):
        await desk.publish(speaker, "news", n=n)
    await desk.say('delete from realtime.messages where "offset" <= 2')
    back, _ = await desk.connect()
    assert (await desk.subscribe(back, "news", since=(1, epoch))).recovered is False
    assert (await desk.subscribe(back, "news", since=(2, epoch))).recovered is True
    await quiet()
    assert numbers(back) == [3]


async def test_a_client_of_socket_io_goes_on_where_it_was_cut_off(desk: Desk, other: Desk) -> None:
    await other.directory.refresh()
    speaker, _ = await desk.connect()
    listener, secret = await desk.connect(user(1))
    for channel in ("news", "room:1"):
        await desk.subscribe(speaker, channel)
        await desk.subscribe(listener, channel)
    await desk.publish(speaker, "news", n=1)
    await desk.publish(speaker, "room:1", n=2)
    await until(lambda: numbers(listener) == [1, 2])
    listener.close(CloseReason.LOST)
    await desk.publish(speaker, "room:1", n=3)
    await desk.publish(speaker, "news", n=4)
    back, same = await other.connect(user(1), {"pid": secret, "offset": listener.bookmark})
    await desk.publish(speaker, "room:1", n=5)
    await until(lambda: len(numbers(back)) == 3)
    assert (numbers(listener), numbers(back), same) == ([1, 2], [3, 4, 5], secret)


async def test_a_copy_of_the_log_has_another_epoch(desk: Desk, other: Desk) -> None:
    assert desk.delivery.epoch == other.delivery.epoch
    ear, _ = await desk.connect()
    epoch = (await desk.subscribe(ear, "news")).epoch
    await desk.say("update realtime.log set home = 'elsewhere'")
    moved = await desk.log.settle()
    assert moved.epoch != epoch
    await desk.say("select realtime.publish('news', 'said', '{}')")
    await until(lambda: desk.delivery.epoch == other.delivery.epoch == moved.epoch)
    await until(lambda: ear.reason is CloseReason.FAILED)
    back, _ = await desk.connect()
    assert (await desk.subscribe(back, "news", since=(0, epoch))).recovered is False


async def test_nobody_goes_on_with_anothers_session(desk: Desk) -> None:
    listener, secret = await desk.connect(user(1))
    await desk.subscribe(listener, "news")
    listener.close(CloseReason.LOST)
    _, given = await desk.connect(user(2), {"pid": secret})
    assert given != secret


async def test_a_session_of_which_messages_are_gone_is_not_gone_on_with(desk: Desk) -> None:
    speaker, _ = await desk.connect()
    listener, secret = await desk.connect(user(1))
    await desk.subscribe(speaker, "news")
    await desk.subscribe(listener, "news")
    listener.close(CloseReason.LOST)
    await desk.publish(speaker, "news", n=1)
    await desk.say("delete from realtime.messages")
    _, given = await desk.connect(user(1), {"pid": secret})
    assert given != secret


async def test_only_a_channel_that_is_there_and_shown_can_be_heard(desk: Desk) -> None:
    await desk.say("alter table realtime.channels enable row level security")
    await desk.say(
        "create policy mine on realtime.channels for select to authenticated "
        "using (realtime.channel_name() = 'room:' || auth.uid())"
    )
    ear, _ = await desk.connect(user(1))
    assert (await desk.subscribe(ear, f"room:{ear.principal.id}")).ok
    for name in ("room:2", "news", "nowhere"):
        with pytest.raises(SubscribeRefused):
            await desk.subscribe(ear, name)


async def test_only_who_may_insert_publishes_and_the_others_of_his_turn_do(desk: Desk) -> None:
    await desk.say("alter table realtime.messages enable row level security")
    await desk.say(
        "create policy ones on realtime.messages for insert to authenticated "
        "with check (auth.uid() = '00000000-0000-4000-8000-000000000001' and realtime.channel_name() = 'news')"
    )
    ears = [(await desk.connect(user(n)))[0] for n in (1, 2)]
    for ear in ears:
        await desk.subscribe(ear, "news")
    results = await asyncio.gather(
        *(desk.publish(ear, "news", n=n) for n, ear in enumerate(ears)), return_exceptions=True
    )
    await quiet()
    assert isinstance(results[1], PublishRefused)
    assert numbers(ears[0]) == numbers(ears[1]) == [0]


async def test_what_was_told_is_written_before_a_socket_is_told_from_the_log(desk: Desk) -> None:
    ear, _ = await desk.connect()
    await desk.subscribe(ear, "news")
    await quiet()
    desk.sockets.broadcast("realtime:news", "said", {"n": 1})
    desk.delivery.subscribe(desk.delivery.listener(ear), "room:1")
    await quiet()
    assert numbers(ear) == [1]


async def test_a_socket_publishes_only_where_it_listens(desk: Desk) -> None:
    ear, _ = await desk.connect()
    with pytest.raises(NotSubscribed):
        await desk.publish(ear, "news", n=1)


async def test_sql_publishes_appear_after_commit_in_the_order_of_commits(desk: Desk) -> None:
    ear, _ = await desk.connect()
    await desk.subscribe(ear, "news")
    publish = "select realtime.publish('news', 'said', jsonb_build_object('n', $1::int))"
    begun, done = asyncio.Event(), asyncio.Event()

    async def slow(tx: object) -> None:
        await tx.value(publish, 1)  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]
        begun.set()
        await done.wait()

    slowly = asyncio.ensure_future(desk.database.writing(slow))  # pyright: ignore[reportArgumentType]
    await begun.wait()
    await desk.say(publish, 2)
    await until(lambda: numbers(ear) == [2])
    done.set()
    await slowly
    await until(lambda: len(numbers(ear)) == 2)
    assert [(payload["n"], payload["meta"]["offset"]) for payload in ear.heard("said")] == [(2, 1), (1, 2)]


async def test_two_nodes_and_many_who_come_and_go_miss_nothing(desk: Desk, other: Desk, seeded: random.Random) -> None:
    """Clients of two nodes are cut off and come back while both nodes publish; all hear what the log holds."""
    await other.directory.refresh()
    channels = ["news", "room:1", "room:2"]
    speakers = [(await node.connect(ANON))[0] for node in (desk, other)]
    for node, speaker in zip((desk, other), speakers, strict=True):
        for channel in channels:
            await node.subscribe(speaker, channel)
    heard: list[list[tuple[str, int]]] = [[] for _ in range(6)]

    def collect(index: int, ear: Ear) -> None:
        heard[index] += [(payload["meta"]["channel"], payload["meta"]["offset"]) for payload in ear.heard("said")]

    async def wander(index: int, dice: random.Random) -> None:
        secret: str | None = None
        bookmark: str | None = None
        while not spoken.is_set():
            auth: dict[str, object] = {} if secret is None else {"pid": secret, "offset": bookmark}
            ear, given = await dice.choice((desk, other)).connect(user(index), auth)
            assert secret in (None, given)
            node = desk if ear._post is desk.sockets._registry else other  # pyright: ignore[reportPrivateUsage]
            if secret is None:
                for channel in channels:
                    await node.subscribe(ear, channel)
            secret = given
            await asyncio.sleep(dice.uniform(0, 0.08))
            ear.close(CloseReason.LOST)
            bookmark = ear.bookmark or bookmark
            collect(index, ear)
        await spoken.wait()
        ear, _ = await desk.connect(user(index), {"pid": secret, "offset": bookmark})
        await asyncio.sleep(0.5)
        collect(index, ear)

    async def speak(node: Desk, speaker: Ear, dice: random.Random) -> None:
        for n in range(120):
            await node.publish(speaker, dice.choice(channels), n=n)

    spoken = asyncio.Event()
    wandering = [wander(index, random.Random(seeded.random())) for index in range(6)]
    speaking = [
        speak(node, speaker, random.Random(seeded.random()))
        for node, speaker in zip((desk, other), speakers, strict=True)
    ]
    waiting = asyncio.gather(*wandering)
    await asyncio.gather(*speaking)
    spoken.set()
    await waiting
    log: dict[str, int] = {
        f"realtime:{channel}": await desk.say('select "offset" from realtime.heads where channel_name = $1', channel)
        for channel in channels
    }
    assert sum(log.values()) == 240
    for messages in heard:
        assert len(messages) == len(set(messages))
        for channel, newest in log.items():
            offsets = [offset for name, offset in messages if name == channel]
            assert offsets == list(range(offsets[0], newest + 1)), channel
