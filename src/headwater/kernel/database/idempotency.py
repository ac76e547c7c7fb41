"""The same request answers the same: replies kept in the transaction whose effect they tell of."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple

import msgspec

from headwater.kernel.database import queries
from headwater.kernel.database.transaction import WritingTransaction
from headwater.kernel.errors import IdempotencyKeyReused, IdempotentTwinRunning, InvalidInput
from headwater.kernel.models import Reply
from headwater.kernel.principal import Principal

LIFETIME = timedelta(hours=24)
LONGEST_KEY = 255
LARGEST_KEPT_BODY = 64 * 1024
"""Bytes; of a larger answer only the status is kept."""


class Once(NamedTuple):
    """A principal's key for one endpoint, and the hash of what is asked under it."""

    key: str
    request_hash: bytes


def once(principal: Principal, method: str, route: str, key: str, *asked: bytes) -> Once:
    """What stands for a request with this `Idempotency-Key`; `asked` is all that tells it from another.

    Raises `InvalidInput` for what is no key.
    """
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise InvalidInput(reason=f"Idempotency-Key: must be 1 to {LONGEST_KEY} printable characters")
    scoped = msgspec.json.encode((principal.key, method, route, key)).decode()
    return Once(scoped, hashlib.sha256(b"\0".join(asked)).digest())


class IdempotentReply(msgspec.Struct, frozen=True, kw_only=True):
    """A reply, and what of its body is kept (None: the status only)."""

    reply: Reply
    kept_body: bytes | None


def kept(reply: Reply) -> IdempotentReply:
    """A reply, kept with its body unless that is too large."""
    return IdempotentReply(reply=reply, kept_body=reply.body if len(reply.body) <= LARGEST_KEPT_BODY else None)


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
    earlier = await queries.find_idempotent_reply(tx.connection, key, request_hash, tx.now)
    if earlier is not None:
        if not earlier["is_same"]:
            raise IdempotencyKeyReused
        return Reply(
            status=earlier["status"],
            media_type=earlier["media_type"],
            body=earlier["body"] or b"",
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
