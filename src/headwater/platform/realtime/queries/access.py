"""Statements about who may hear what."""

from collections.abc import Sequence

import msgspec

from headwater.kernel.database import ReadingTransaction, Transactions
from headwater.kernel.principal import Principal

ARE_GUARDED = "select relrowsecurity from pg_class where oid = 'realtime.channels'::regclass"
MAY_SUBSCRIBE = "select realtime.may_subscribe($1::json)"


async def channels_are_guarded(tx: ReadingTransaction) -> bool:
    """Whether policies say who may subscribe; else everybody may who is a caller at all."""
    return bool(await tx.value(ARE_GUARDED))


async def may_subscribe(transactions: Transactions, asked: Sequence[tuple[Principal, str]]) -> list[bool]:
    """Whether principals of one role may hear channels, in the order asked."""
    pairs = msgspec.json.encode([(principal.claims_json, channel) for principal, channel in asked])
    row = await transactions.statement(asked[0][0], MAY_SUBSCRIBE, pairs)
    return [False] * len(asked) if row is None else row[0]
