"""Statements about channels."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.principal import Principal
from headwater.platform.realtime.models import NewMessage, OpenChannel

LIST_OPEN_CHANNELS = "select id, pattern, webhook_urls from realtime.channels where enabled"
FIND_VISIBLE_CHANNEL = """
select realtime.find_channel(g.name)::text
from (select set_config('request.jwt.claims', $1, true) as claims,
             set_config('realtime.channel_name', $2, true) as name offset 0) g
"""
"""The claims are set before the function looks: it takes what the inner select returns, which is not pulled up."""
ENSURE_CHANNEL = """
insert into realtime.channels (pattern, description, created_at) values ($1, $2, $3) on conflict (pattern) do nothing
"""
ADD_HOUSE_MESSAGE = "select realtime.publish($1, $2, $3::jsonb)"
ADD_HOUSE_MESSAGES = """
select realtime.publish(told.channel, $1, told.payload::jsonb) as id
from (
  select * from unnest($2::text[], $3::text[]) with ordinality as t (channel, payload, place) order by place offset 0
) told
"""
MAY_PUBLISH = "select realtime.may_publish($1::json), realtime.judges_content()"


async def list_open_channels(tx: ReadingTransaction) -> list[OpenChannel]:
    """Every enabled channel."""
    return [
        OpenChannel(id=row["id"], pattern=row["pattern"], webhook_urls=tuple(row["webhook_urls"]))
        for row in await tx.rows(LIST_OPEN_CHANNELS)
    ]


async def ensure_channel(tx: WritingTransaction, pattern: str, description: str) -> None:
    """Let a channel be, unless there is one; what the admin made of it stays."""
    await tx.execute(ENSURE_CHANNEL, pattern, description, tx.now)


async def add_house_message(tx: WritingTransaction, channel: str, event: str, payload: str) -> UUID | None:
    """Log a message whose sender is the house; its id, or None if no enabled channel is called so."""
    return await tx.value(ADD_HOUSE_MESSAGE, channel, event, payload)


async def add_house_messages(tx: WritingTransaction, event: str, told: Sequence[tuple[str, str]]) -> list[UUID | None]:
    """The same for many of one name, each a channel and a payload, in their order."""
    channels, payloads = [channel for channel, _ in told], [payload for _, payload in told]
    return [row["id"] for row in await tx.rows(ADD_HOUSE_MESSAGES, event, channels, payloads)]


async def find_visible_channel(transactions: Transactions, principal: Principal, name: str) -> UUID | None:
    """The enabled channel a name belongs to, if the policies show it to the principal."""
    row = await transactions.read(principal, FIND_VISIBLE_CHANNEL, principal.claims_json, name)
    return None if row is None or row[0] is None else UUID(row[0])


async def may_publish(transactions: Transactions, principal: Principal, message: NewMessage) -> tuple[bool, bool]:
    """Whether the policies would let a message in, of which nothing is left behind; and whether for what it says."""
    asked = msgspec.json.encode(as_batch_item(principal, message))
    row = await transactions.statement(principal, MAY_PUBLISH, asked)
    return (False, True) if row is None else (bool(row[0]), bool(row[1]))


def as_batch_item(principal: Principal, message: NewMessage) -> dict[str, object]:
    """A message and its sender's claims, as the functions of the schema read them."""
    return {
        "id": message.id,
        "claims": principal.claims_json,
        "channel": message.channel,
        "channelId": message.channel_id,
        "event": message.event,
        "payload": msgspec.Raw(message.payload.encode()),
        "senderType": message.sender_type,
        "senderId": message.sender_id,
    }
