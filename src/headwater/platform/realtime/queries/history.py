"""Statements about messages of the past, how long they are kept, and the webhooks that take them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.platform.realtime.models import (
    CountedEvent,
    KeptMessage,
    MessageStats,
    WantedMessages,
    WebhookCall,
    WebhookLetter,
)

LIST_HISTORY = """
select id, event_name, channel_id, channel_name, payload::text, sender_type, sender_id, ws_audience_count,
  wh_audience_count, wh_delivered_count, created_at
from realtime.messages
where ($1::uuid is null or channel_id = $1) and ($2::text is null or event_name = $2)
order by created_at desc, sequence desc limit $3 offset $4
"""
COUNT_MESSAGES = """
with counted as (
  select event_name, count(*) as count, sum(wh_audience_count) as called, sum(wh_delivered_count) as delivered
  from realtime.messages
  where ($1::uuid is null or channel_id = $1) and ($2::timestamptz is null or created_at >= $2)
  group by event_name
)
select coalesce(sum(count), 0)::bigint as total,
  coalesce(sum(delivered)::float8 / nullif(sum(called), 0), 0) as rate,
  (select coalesce(json_agg(json_build_object('eventName', event_name, 'count', count) order by count desc, event_name),
    '[]') from (select event_name, count from counted order by count desc, event_name limit 10) top)::text as top,
  (select retention_days from realtime.config) as retention_days
from counted
"""
FIND_RETENTION = "select retention_days from realtime.config"
PUT_RETENTION = "update realtime.config set retention_days = $1"
REMOVE_PLACED = """
delete from realtime.messages where id in (
  select id from realtime.messages where place <= $1 order by place limit $2)
"""
REMOVE_OLD = """
delete from realtime.messages where place <= (
  select max(place) from (
    select place, bool_and(created_at < $1) over (order by place) as old
    from (select place, created_at from realtime.messages where place is not null order by place limit $2) oldest
  ) beginning where old)
"""
"""Only the log's beginning goes: a transaction that was long open has a later place than its message's age says, and
with a hole in the middle a client could be told that nothing is missing."""
COUNT_WEBHOOKS = """
update realtime.messages m set wh_audience_count = cardinality(c.urls)
from (select id, array(select distinct unnest(webhook_urls)) as urls from realtime.channels
      where webhook_urls <> '{}') c
where m.id = any($1) and c.id = m.channel_id returning m.id, c.urls
"""
FIND_LETTER = """
select m.channel_name, m.event_name, m.payload::text
from realtime.messages m join realtime.channels c on c.id = m.channel_id
where m.id = $1 and $2 = any(c.webhook_urls)
  and not exists (select from realtime.webhook_deliveries d where d.message_id = m.id and d.url = $2)
"""
ADD_DELIVERY = """
with added as (
  insert into realtime.webhook_deliveries (message_id, url, delivered_at)
  select id, $2, $3 from realtime.messages where id = $1
  on conflict do nothing returning message_id
)
update realtime.messages set wh_delivered_count = wh_delivered_count + 1 where id = (select message_id from added)
"""


async def list_history(tx: ReadingTransaction, wanted: WantedMessages) -> list[KeptMessage]:
    """Messages, newest first."""
    rows = await tx.rows(LIST_HISTORY, wanted.channel_id, wanted.event_name, wanted.limit, wanted.offset)
    return [KeptMessage(payload=msgspec.Raw(row["payload"].encode()), **_told(row)) for row in rows]


async def count_messages(tx: ReadingTransaction, channel_id: UUID | None, since: datetime | None) -> MessageStats:
    """How many messages there are, of which names, and how many calls of webhooks came through."""
    row = await tx.row(COUNT_MESSAGES, channel_id, since)
    assert row is not None  # noqa: S101 - for the type checker: an aggregate has its one row
    return MessageStats(
        total_messages=row["total"],
        wh_delivery_rate=row["rate"],
        top_events=msgspec.json.decode(row["top"], type=tuple[CountedEvent, ...]),
        retention_days=row["retention_days"],
    )


async def find_retention(tx: ReadingTransaction) -> int | None:
    """How many days messages are kept; None: for ever."""
    return await tx.value(FIND_RETENTION)


async def put_retention(tx: WritingTransaction, days: int | None) -> None:
    """Keep messages for so many days."""
    await tx.execute(PUT_RETENTION, days)


async def remove_placed(tx: WritingTransaction, until: int, most: int) -> int:
    """Remove messages up to a place of the log, oldest first; how many."""
    return await tx.execute(REMOVE_PLACED, until, most)


async def remove_old(tx: WritingTransaction, before: datetime, most: int) -> int:
    """Remove the log's beginning as far as it is older than that; how many messages."""
    return await tx.execute(REMOVE_OLD, before, most)


async def count_webhooks(tx: WritingTransaction, messages: Collection[UUID]) -> list[WebhookCall]:
    """Note how many webhooks each message is sent to; the calls to be made."""
    rows = await tx.rows(COUNT_WEBHOOKS, list(messages))
    return [WebhookCall(message=row["id"], url=url) for row in rows for url in row["urls"]]


async def find_letter(tx: ReadingTransaction, call: WebhookCall) -> WebhookLetter | None:
    """What is to be sent; None if it has arrived, or the message, the channel or its webhook is gone."""
    row = await tx.row(FIND_LETTER, call.message, call.url)
    return None if row is None else WebhookLetter(channel=row[0], event=row[1], payload=row[2])


async def add_delivery(tx: WritingTransaction, call: WebhookCall) -> None:
    """Note that a webhook has taken a message; the second time nothing is counted."""
    await tx.execute(ADD_DELIVERY, call.message, call.url, tx.now)


def _told(row: asyncpg.Record) -> dict[str, Any]:
    """The columns that are told as they are."""
    return {name: value for name, value in row.items() if name != "payload"}
