"""Statements about the log: messages added, placed, read again."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg
import msgspec

from headwater.kernel.database import ReadingTransaction, Transactions
from headwater.kernel.principal import Principal
from headwater.platform.realtime.models import LoggedMessage, LogPage, NewMessage, Place
from headwater.platform.realtime.queries.channels import as_batch_item

_HAS_WEBHOOKS = "HW061"
ADD_MESSAGES = "select realtime.add_messages($1::json)"
SEQUENCE = "select * from realtime.sequence($1) order by place"
SEQUENCE_QUIETLY = """
with placed as materialized (select * from realtime.sequence($1))
select placed.* from placed cross join (
  select realtime.must_call_nobody(array(select distinct channel_id from placed)) offset 0) checked
order by place
"""
SETTLE = "select realtime.settle()"
FIND_HEAD = 'select place, 0::bigint as "offset", epoch from realtime.log'
FIND_CHANNEL_HEAD = """
select l.place, coalesce(h."offset", 0) as "offset", l.epoch
from realtime.log l left join realtime.heads h on h.channel_name = $1
"""
FIND_CHANNEL_OFFSET = """
select coalesce((select "offset" from realtime.heads where channel_name = $1), 0)
  - (select count(*) from realtime.messages where channel_name = $1 and place > $2)
"""
READ_LOG = "select * from realtime.read_log($1, $2, $3, $4, $5)"
LIST_PLACES = """
select m.id, m.place, m."offset", l.epoch from realtime.messages m cross join realtime.log l
where m.id = any($1) and m.place is not null
"""
FIND_PLACE = """
select place from realtime.messages
where channel_name = $1 and "offset" = $2 and place > (select pruned from realtime.log)
"""
COUNT_AUDIENCES = """
update realtime.messages m set ws_audience_count = ws_audience_count + heard.count
from unnest($1::uuid[], $2::int[]) as heard (id, count) where m.id = heard.id
"""


async def add_messages(
    transactions: Transactions, publishes: Sequence[tuple[Principal, NewMessage]]
) -> list[str | None]:
    """Insert messages of principals with one role in one commit; for each why it was refused, or None.

    A refusal is `forbidden`, or an SQLSTATE and Postgres' own words.
    """
    batch = [as_batch_item(principal, message) for principal, message in publishes]
    row = await transactions.statement(publishes[0][0], ADD_MESSAGES, msgspec.json.encode(batch))
    return [] if row is None else row[0]


async def sequence(tx: ReadingTransaction, most: int) -> list[LoggedMessage]:
    """Give at most so many committed messages their places; they come in that order."""
    return [_logged(row) for row in await tx.rows(SEQUENCE, most)]


async def sequence_quietly(tx: ReadingTransaction, most: int) -> list[LoggedMessage] | None:
    """As `sequence`, in one statement; None, and nothing is placed, where a webhook is to hear of one of them."""
    try:
        return [_logged(row) for row in await tx.rows(SEQUENCE_QUIETLY, most)]
    except asyncpg.PostgresError as failure:
        if failure.sqlstate == _HAS_WEBHOOKS:
            return None
        raise


async def settle(tx: ReadingTransaction) -> None:
    """Begin another epoch if this is a copy of the log, or one that a replica has gone on with."""
    await tx.value(SETTLE)


async def find_head(tx: ReadingTransaction) -> Place:
    """How far the log has come."""
    return _place(await tx.row(FIND_HEAD))


async def find_channel_head(tx: ReadingTransaction, channel: str) -> Place:
    """How far the log has come, and the channel in it: offset 0 before its first message."""
    return _place(await tx.row(FIND_CHANNEL_HEAD, channel))


async def find_channel_offset(tx: ReadingTransaction, channel: str, place: int) -> int:
    """How far a channel had come at one of the newest places of the log; 0 before its first message."""
    return await tx.value(FIND_CHANNEL_OFFSET, channel, place)


async def read_log(
    tx: ReadingTransaction, channels: Collection[str], after: int, until: int, most: int, most_bytes: int
) -> LogPage:
    """Messages of these channels with `after` < place <= `until`, in their order, no more than fit a page."""
    *rows, end = await tx.rows(READ_LOG, list(channels), after, until, most, most_bytes)
    return LogPage(messages=[_logged(row) for row in rows], reached=end["place"], pruned=end["pruned"])


async def list_places(tx: ReadingTransaction, ids: Collection[UUID]) -> dict[UUID, Place]:
    """The places of those of these messages that have one."""
    return {row["id"]: _place(row) for row in await tx.rows(LIST_PLACES, list(ids))}


async def find_place(tx: ReadingTransaction, channel: str, offset: int) -> int | None:
    """The place in the log of a channel's message, while it and all that came after it are kept."""
    return await tx.value(FIND_PLACE, channel, offset)


async def count_audiences(tx: ReadingTransaction, heard: dict[UUID, int]) -> None:
    """Add how many sockets heard each message."""
    await tx.rows(COUNT_AUDIENCES, list(heard), list(heard.values()))


def _place(row: asyncpg.Record | None) -> Place:
    assert row is not None  # noqa: S101 - for the type checker: the log has its one row
    return Place(place=row["place"], offset=row["offset"], epoch=row["epoch"])


def _logged(row: asyncpg.Record) -> LoggedMessage:
    return LoggedMessage(
        id=row["id"],
        channel=row["channel_name"],
        channel_id=row["channel_id"],
        place=row["place"],
        offset=row["offset"],
        epoch=row["epoch"],
        event=row["event_name"],
        payload=row["payload"],
        sender_type=row["sender_type"],
        sender_id=row["sender_id"],
        created_at=row["created_at"],
    )
