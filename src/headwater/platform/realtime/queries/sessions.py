"""Statements about what cut-off clients were listening to."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.platform.realtime.models import KeptSession

FIND_SESSION = "select channels::text from realtime.sessions where id = $1 and principal = $2"
PUT_SESSIONS = """
insert into realtime.sessions as s (id, principal, channels, changed_at, left_at)
select k.id, k.principal, k.channels::jsonb, $5::timestamptz, case when k.gone then $5::timestamptz end
from unnest($1::bytea[], $2::text[], $3::text[], $4::boolean[]) as k (id, principal, channels, gone)
on conflict (id) do update set channels = excluded.channels, changed_at = excluded.changed_at,
  left_at = excluded.left_at
"""
REMOVE_SESSIONS = "delete from realtime.sessions where left_at < $1 or changed_at < $2"
FIND_PRUNED = "select pruned from realtime.log"


async def find_session(tx: ReadingTransaction, session: bytes, principal: str) -> dict[str, int] | None:
    """The channels of a session, and where in the log each begins."""
    text = await tx.value(FIND_SESSION, session, principal)
    return None if text is None else msgspec.json.decode(text, type=dict[str, int])


async def put_sessions(tx: WritingTransaction, sessions: Collection[KeptSession], now: datetime) -> None:
    """Keep what these clients listen to."""
    await tx.execute(
        PUT_SESSIONS,
        [session.id for session in sessions],
        [session.principal for session in sessions],
        [session.channels for session in sessions],
        [session.left for session in sessions],
        now,
    )


async def remove_sessions(tx: WritingTransaction, left_before: datetime, changed_before: datetime) -> int:
    """Forget clients that left, or were last heard of, before these moments; how many."""
    return await tx.execute(REMOVE_SESSIONS, left_before, changed_before)


async def find_pruned(tx: ReadingTransaction) -> int:
    """The highest place in the log of which the message is no longer kept."""
    return await tx.value(FIND_PRUNED)
