"""Statements about channels."""

from uuid import UUID

import msgspec

from headwater.kernel.database import ReadingTransaction, Transactions
from headwater.kernel.principal import Principal
from headwater.platform.realtime.models import NewMessage, OpenChannel

LIST_OPEN_CHANNELS = "select id, pattern, webhook_urls from realtime.channels where enabled"
FIND_VISIBLE_CHANNEL = """
select realtime.find_channel(g.name)::text
from (select set_config('request.jwt.claims', $1, true) as claims,
             set_config('realtime.channel_name', $2, true) as name offset 0) g
"""
"""The claims are set before the function looks: it takes what the inner select returns, which is not pulled up."""
MAY_PUBLISH = "select realtime.may_publish($1::json)"


async def list_open_channels(tx: ReadingTransaction) -> list[OpenChannel]:
    """Every enabled channel."""
    return [
        OpenChannel(id=row["id"], pattern=row["pattern"], webhook_urls=tuple(row["webhook_urls"]))
        for row in await tx.rows(LIST_OPEN_CHANNELS)
    ]


async def find_visible_channel(transactions: Transactions, principal: Principal, name: str) -> UUID | None:
    """The enabled channel a name belongs to, if the policies show it to the principal."""
    row = await transactions.read(principal, FIND_VISIBLE_CHANNEL, principal.claims_json, name)
    return None if row is None or row[0] is None else UUID(row[0])


async def may_publish(transactions: Transactions, principal: Principal, message: NewMessage) -> bool:
    """Whether the policies would let a message in; nothing is left behind."""
    asked = msgspec.json.encode(as_batch_item(principal, message))
    row = await transactions.statement(principal, MAY_PUBLISH, asked)
    return row is not None and bool(row[0])


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
