"""Webhooks: called once for each message, signed, tried again, counted exactly."""

import asyncio
import base64
import hmac
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.jobs import JobRun, Worker
from headwater.kernel.observe import Observer
from headwater.kernel.outbound import Outbound, OutboundSettings, PrivateAddress
from headwater.platform.realtime.models import WebhookCall
from headwater.platform.realtime.operations import Webhooks
from tests.kernel.outbound.conftest import Upstream, answer
from tests.platform.realtime.admin.conftest import Office
from tests.platform.realtime.conftest import Desk

COUNT_JOBS = "select count(*) from system.jobs where name = 'realtime.call_webhook'"


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """Somebody's server, which takes everything unless it is told otherwise."""
    made = Upstream()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


async def counted(office: Office, called: int, delivered: int) -> None:
    """Return once the newest message has these counts."""
    async with asyncio.timeout(30):
        while True:
            newest = (await office.messages("?limit=1"))[0]
            if (newest["whAudienceCount"], newest["whDeliveredCount"]) == (called, delivered):
                return
            await asyncio.sleep(0.02)


async def publish(office: Office, name: str = "chat", event: str = "said", **payload: object) -> str:
    """The id of a message that was published by REST."""
    told = await office.ask("POST", f"/channels/{name}/messages", {"eventName": event, "payload": payload}, "user")
    assert told.status == 202, told.body
    return told.json()["messageId"]


async def test_a_message_is_sent_to_each_url_once_and_signed(
    office: Office, worker: Worker, upstream: Upstream, clock: DrivenClock
) -> None:
    await office.channel("chat", webhookUrls=[f"{upstream.url}/one", f"{upstream.url}/two"])
    await worker.start()
    message = await publish(office, text="hi")
    await counted(office, 2, 2)
    assert sorted(asked.split(b" ")[1] for asked in upstream.asked) == [b"/one", b"/two"]
    head, _, body = upstream.asked[0].partition(b"\r\n\r\n")
    assert body == b'{"text": "hi"}'
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["x-insforge-event"] == "said"
    assert headers["x-insforge-channel"] == "chat"
    assert headers["x-insforge-message-id"] == headers["webhook-id"] == message
    assert headers["webhook-timestamp"] == str(int(clock.timestamp()))
    secret = (await office.ask("GET", "/config")).json()["webhookSecret"]
    assert secret.startswith("whsec_")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


async def test_it_is_tried_again_until_it_is_taken_and_counted_once(
    office: Office, worker: Worker, upstream: Upstream, clock: DrivenClock
) -> None:
    upstream.plays = [answer(b"", "500 Broken"), answer(b"", "404 Not Found"), answer(b"")]
    await office.channel("chat", webhookUrls=[upstream.url])
    await worker.start()
    await publish(office)
    async with asyncio.timeout(20):
        while len(upstream.asked) < 3:
            clock.advance(30)
            await asyncio.sleep(0.05)
    await counted(office, 1, 1)
    assert len(upstream.asked) == 3


async def test_a_run_that_is_repeated_sends_and_counts_nothing(
    office: Office, outbound: Outbound, upstream: Upstream, clock: DrivenClock
) -> None:
    await office.channel("chat", webhookUrls=[upstream.url])
    message = UUID(await publish(office))
    webhooks = Webhooks(outbound, office.secret, clock)
    run = JobRun(id="1", attempt=1, arguments=WebhookCall(message=message, url=upstream.url))
    for _ in range(2):
        await webhooks.call_webhook(office.desk.transactions, run)
    assert len(upstream.asked) == 1
    await counted(office, 1, 1)


async def test_nothing_is_sent_to_who_was_taken_away_or_says_that_he_is_gone(
    office: Office, outbound: Outbound, upstream: Upstream, clock: DrivenClock
) -> None:
    channel = await office.channel("chat", webhookUrls=[upstream.url])
    message = UUID(await publish(office))
    webhooks = Webhooks(outbound, office.secret, clock)
    run = JobRun(id="1", attempt=1, arguments=WebhookCall(message=message, url=upstream.url))
    upstream.plays = [answer(b"", "410 Gone")]
    await webhooks.call_webhook(office.desk.transactions, run)
    await counted(office, 1, 0)
    await office.ask("PUT", f"/channels/{channel['id']}", {"webhookUrls": []})
    await webhooks.call_webhook(office.desk.transactions, run)
    assert len(upstream.asked) == 1


async def test_private_addresses_are_refused(
    office: Office, upstream: Upstream, clock: DrivenClock, observer: Observer
) -> None:
    await office.channel("chat", webhookUrls=[upstream.url])
    message = UUID(await publish(office))
    careful = Outbound(OutboundSettings(), clock, observer)
    run = JobRun(id="1", attempt=1, arguments=WebhookCall(message=message, url=upstream.url))
    with pytest.raises(PrivateAddress):
        await Webhooks(careful, office.secret, clock).call_webhook(office.desk.transactions, run)
    await careful.close()
    assert upstream.asked == []


async def test_events_that_no_header_can_hold_are_encoded(office: Office, worker: Worker, upstream: Upstream) -> None:
    await office.channel("chat", webhookUrls=[upstream.url])
    await worker.start()
    await publish(office, event="ä\r\nX-Evil: 1")
    await counted(office, 1, 1)
    assert b"x-insforge-event: %C3%A4%0D%0AX-Evil%3A%201\r\n".lower() in upstream.asked[0].lower()


async def test_each_message_has_its_jobs_whoever_places_it(office: Office, desk: Desk, other: Desk) -> None:
    """Two nodes place messages of channels with and without webhooks at once: none is called for twice, none not."""
    await office.channel("chat", webhookUrls=["https://a.example/1", "https://a.example/2"])
    await other.directory.refresh()
    for number in range(30):
        await desk.say("select realtime.publish($1, 'said', '{}')", ("chat", "news")[number % 2])
        if number % 7 == 0:
            await asyncio.sleep(0.01)
    async with asyncio.timeout(30):
        while await desk.say("select count(*) from realtime.messages where place is null"):  # noqa: ASYNC110 - rows ring no bell
            await asyncio.sleep(0.02)
    assert await desk.say(COUNT_JOBS) == 30
    assert await desk.say("select sum(wh_audience_count) from realtime.messages where channel_name = 'chat'") == 30
    assert await desk.say("select sum(wh_audience_count) from realtime.messages where channel_name = 'news'") == 0
    assert await desk.say("select count(distinct place) = max(place) from realtime.messages")


async def test_a_webhook_that_was_added_by_sql_is_called_from_then_on(office: Office, desk: Desk) -> None:
    await publish(office, "news")
    assert await desk.say(COUNT_JOBS) == 0
    await desk.say("update realtime.channels set webhook_urls = '{https://a.example,https://a.example}'")
    await publish(office, "news")
    assert await desk.say(COUNT_JOBS) == 1


async def test_the_secret_is_one_for_all_nodes(office: Office, other: Desk) -> None:
    asked = [office.secret.read(node.transactions) for node in (office.desk, other) for _ in range(5)]
    assert len(set(await asyncio.gather(*asked))) == 1
