"""The same request answers the same: replies kept in the transaction whose effect they tell of."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec

from headwater.kernel.database import queries
from headwater.kernel.database.transaction import WritingTransaction
from headwater.kernel.errors import IdempotencyKeyReused, IdempotentTwinRunning
from headwater.kernel.models import Reply


class IdempotentReply(msgspec.Struct, frozen=True, kw_only=True):
    """A reply, and what of its body is kept (None: the status only)."""

    reply: Reply
    kept_body: bytes | None


async def answer_once(
    tx: WritingTransaction,
    key: str,
    request_hash: bytes,
    work: Callable[[WritingTransaction], Awaitable[IdempotentReply]],
    lifetime: timedelta,
) -> Reply:
    """Do the work unless its reply is already kept under `key`; either way, that reply.

    Raises `IdempotencyKeyReused` if the key was used for another request (by its hash), `IdempotentTwinRunning`
    while another transaction works under it.
    """
    if not await queries.lock_idempotency_key(tx.connection, key):
        raise IdempotentTwinRunning
    kept = await queries.find_idempotent_reply(tx.connection, key, tx.now)
    if kept is not None:
        if kept["request_hash"] != request_hash:
            raise IdempotencyKeyReused
        return Reply(
            status=kept["status"],
            media_type=kept["media_type"],
            body=kept["body"] or b"",
            headers=(("Idempotent-Replayed", "true"),),
        )
    done = await work(tx)
    await queries.add_idempotent_reply(
        tx.connection,
        key,
        request_hash,
        done.reply.status,
        done.reply.media_type,
        done.kept_body,
        tx.now,
        tx.now + lifetime,
    )
    return done.reply


async def remove_expired_replies(tx: WritingTransaction) -> None:
    """Remove the replies whose lifetime is over; for a timer."""
    await queries.remove_expired_idempotency_keys(tx.connection, tx.now)
