"""Messages of the past: listed, counted, kept for a while, removed."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import WritingTransaction
from headwater.kernel.jobs import JobRun, Worker
from headwater.platform.realtime.models import OldMessages
from tests.platform.realtime.admin.conftest import Office
from tests.platform.realtime.conftest import Desk

RUN = JobRun(id="1", attempt=1, arguments=OldMessages())
AGE = "update realtime.messages set created_at = $1::timestamptz where place between $2 and $3"


async def fill(desk: Desk, count: int = 5, channel: str = "news") -> None:
    """Messages in their places."""
    ear, _ = await desk.connect()
    await desk.subscribe(ear, channel)
    for number in range(count):
        await desk.publish(ear, channel, f"event{number % 2}", number=number)


async def test_messages_are_listed_newest_first(office: Office, desk: Desk) -> None:
    await fill(desk)
    await fill(desk, 2, "room:1")
    listed = await office.messages()
    assert [each["payload"] for each in listed] == [{"number": number} for number in (1, 0, 4, 3, 2, 1, 0)]
    assert set(listed[0]) == {
        "id", "eventName", "channelId", "channelName", "payload", "senderType", "senderId", "wsAudienceCount",
        "whAudienceCount", "whDeliveredCount", "createdAt",
    }  # fmt: skip
    assert listed[0]["channelName"] == "room:1"
    assert [each["id"] for each in await office.messages("?limit=3&offset=2")] == [each["id"] for each in listed[2:5]]
    news = listed[-1]["channelId"]
    assert len(await office.messages(f"?channelId={news}")) == 5
    assert len(await office.messages(f"?channelId={news}&eventName=event1")) == 2
    assert await office.messages("?eventName=nonsense") == []
    assert await office.messages("?offset=9223372036854775807") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"), ("offset=-1", "offset"),
     ("channelId=x", "channelId"), ("offset=9223372036854775808", "offset")],
)  # fmt: skip
async def test_a_bad_query_names_its_field(office: Office, query: str, field: str) -> None:
    answer = await office.ask("GET", f"/messages?{query}")
    assert (answer.status, answer.json()["error"]) == (400, "INVALID_INPUT")
    assert answer.json()["message"].startswith(f"{field}: ")


async def test_stats_count_what_there_is(office: Office, desk: Desk) -> None:
    empty: dict[str, object] = {"totalMessages": 0, "whDeliveryRate": 0.0, "topEvents": [], "retentionDays": None}
    assert (await office.ask("GET", "/messages/stats")).json() == empty
    await fill(desk)
    await desk.say("update realtime.messages set wh_audience_count = 4, wh_delivered_count = 3 where place <= 2")
    await desk.say(AGE, desk.subscribing.book._clock.now() - timedelta(days=9000), 1, 3)  # pyright: ignore[reportPrivateUsage]
    told = (await office.ask("GET", "/messages/stats")).json()
    top = [{"eventName": "event0", "count": 3}, {"eventName": "event1", "count": 2}]
    assert told == {"totalMessages": 5, "whDeliveryRate": 0.75, "topEvents": top, "retentionDays": None}
    for since in ("2020-01-01", "2020-01-01T00:00:00Z", "2020-01-01T02:00:00.000%2B02:00"):
        assert (await office.ask("GET", f"/messages/stats?since={since}")).json()["totalMessages"] == 2
    other = "00000000-0000-4000-8000-000000000000"
    assert (await office.ask("GET", f"/messages/stats?channelId={other}")).json() == empty
    for query in ("since=yesterday", "since="):
        refused = await office.ask("GET", f"/messages/stats?{query}")
        assert (refused.status, refused.json()["message"]) == (400, "since: Invalid date")


async def test_at_most_ten_events_are_at_the_top(office: Office, desk: Desk) -> None:
    for number in range(12):
        await desk.say("select realtime.publish('news', $1, '{}')", f"event{number}")
    assert len((await office.ask("GET", "/messages/stats")).json()["topEvents"]) == 10


@pytest.mark.parametrize("days", [1, 36500, None])
async def test_how_long_messages_are_kept(office: Office, days: int | None) -> None:
    assert (await office.ask("GET", "/config")).json()["retentionDays"] is None
    answer = await office.ask("PATCH", "/config", {"retentionDays": days})
    assert (answer.status, answer.json()["retentionDays"]) == (200, days)
    assert (await office.ask("GET", "/config")).json() == answer.json()
    assert (await office.ask("GET", "/messages/stats")).json()["retentionDays"] == days


@pytest.mark.parametrize(
    "body", [{}, {"retentionDays": 0}, {"retentionDays": -1}, {"retentionDays": 1.5}, {"retentionDays": "7"},
             {"retentionDays": 36501}],
)  # fmt: skip
async def test_a_bad_config_is_refused(office: Office, body: dict[str, Any]) -> None:
    answer = await office.ask("PATCH", "/config", body)
    assert (answer.status, answer.json()["error"]) == (400, "INVALID_INPUT")
    assert "retentionDays" in answer.json()["message"]


async def test_what_is_removed_is_told_to_who_asks_for_it(office: Office, desk: Desk, other: Desk) -> None:
    await fill(desk)
    answer = await office.ask("DELETE", "/messages")
    assert (answer.status, answer.json()) == (200, {"deleted": 5})
    assert (await office.ask("DELETE", "/messages")).json() == {"deleted": 0}
    assert await office.messages() == []
    for node in (desk, other):
        ear, _ = await node.connect()
        epoch = node.delivery.epoch
        assert (await node.subscribe(ear, "news", (2, epoch))).recovered is False
        again = await node.subscribe(ear, "news", (5, epoch))
        assert (again.recovered, again.offset) == (True, 5)
    ear, _ = await desk.connect()
    await desk.subscribe(ear, "news")
    assert (await desk.publish(ear, "news")).offset == 6


async def test_old_messages_go_from_the_beginning_only(office: Office, desk: Desk, clock: DrivenClock) -> None:
    """What was long on its way is older than its place says: there is no hole in what is kept."""
    await fill(desk, 6)
    now = clock.now()
    await desk.say(AGE, now, 1, 6)
    await desk.say(AGE, now - timedelta(days=8), 1, 3)
    await desk.say(AGE, now - timedelta(days=8), 5, 5)
    await office.history.remove_old_messages(desk.transactions, RUN)
    assert len(await office.messages()) == 6
    await office.ask("PATCH", "/config", {"retentionDays": 7})
    await office.history.remove_old_messages(desk.transactions, RUN)
    assert await desk.say("select array_agg(place order by place) from realtime.messages") == [4, 5, 6]
    ear, _ = await desk.connect()
    for offset, recovered in ((1, False), (2, False), (3, True), (6, True)):
        answered = await desk.subscribe(ear, "news", (offset, desk.delivery.epoch))
        assert answered.recovered is recovered
    clock.advance(8 * 86400)
    await office.history.remove_old_messages(desk.transactions, RUN)
    assert await office.messages() == []


async def test_a_hole_made_by_hand_is_told_too(desk: Desk) -> None:
    await fill(desk)
    await desk.say("delete from realtime.messages where place = 3")
    ear, _ = await desk.connect()
    for offset, recovered in ((1, False), (2, False), (3, True)):
        answered = await desk.subscribe(ear, "news", (offset, desk.delivery.epoch))
        assert answered.recovered is recovered


async def test_the_clock_calls_for_removal(office: Office, desk: Desk, worker: Worker, clock: DrivenClock) -> None:
    await fill(desk)
    await desk.say(AGE, clock.now(), 5, 5)
    await desk.say(AGE, clock.now() - timedelta(days=2), 1, 4)
    await desk.database.writing(office.history.call_for_removal)
    assert await desk.say("select count(*) from system.jobs") == 0
    await office.ask("PATCH", "/config", {"retentionDays": 1})
    for _ in range(2):
        await desk.database.writing(office.history.call_for_removal)
    assert await desk.say("select count(*) from system.jobs") == 1
    await worker.start()
    worker.hurry()
    async with asyncio.timeout(30):
        while await desk.say("select count(*) from system.jobs"):  # noqa: ASYNC110 - rows ring no bell
            await asyncio.sleep(0.02)
    assert len(await office.messages()) == 1


async def test_sessions_of_who_does_not_come_back_are_forgotten(office: Office, desk: Desk, clock: DrivenClock) -> None:
    add = "insert into realtime.sessions values ($1, 'anon', '{}', $2::timestamptz, $3::timestamptz)"
    now = clock.now()
    await desk.say(add, b"there", now, None)
    await desk.say(add, b"left", now, now)
    await desk.say(add, b"silent", now - timedelta(hours=23, minutes=50), None)

    async def left() -> set[bytes]:
        async def remove(tx: WritingTransaction) -> None:
            await office.history.remove_sessions(tx)

        await desk.database.writing(remove)
        return set(await desk.say("select array_agg(id) from realtime.sessions"))

    assert await left() == {b"there", b"left", b"silent"}
    clock.advance(301)
    assert await left() == {b"there", b"silent"}
    clock.advance(600)
    assert await left() == {b"there"}
