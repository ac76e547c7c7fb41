"""All or nothing: 409 or 503."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec

from headwater.flow.house import BoundEndpoint, House
from headwater.flow.invalidate import invalidate
from headwater.flow.publish import publish
from headwater.flow.request import Request
from headwater.flow.respond import shape
from headwater.kernel.component import Mode
from headwater.kernel.database import (
    IdempotentReply,
    Origin,
    ReadingTransaction,
    Transactions,
    WritingTransaction,
    answer_once,
)
from headwater.kernel.errors import InvalidInput
from headwater.kernel.models import Effects
from headwater.kernel.principal import Principal

Work = ReadingTransaction | WritingTransaction | Transactions
LIFETIME = timedelta(hours=24)
LARGEST_KEPT_BODY = 64 * 1024
LONGEST_KEY = 255


async def transact(
    house: House,
    endpoint: BoundEndpoint,
    principal: Principal,
    request: Request,
    body: object,
    work: Callable[[Work], Awaitable[object]],
) -> tuple[object, Effects]:
    """Run the work in the transaction its endpoint declares; its result, and the effects to carry out.

    Where the endpoint writes and the request carries an `Idempotency-Key` (or its body an `idempotencyKey`), the
    answer is stored in the same transaction: the same request answers the same for 24 hours.
    """
    request.enters("transact")
    origin = Origin(actor=principal.key, address=request.address)
    match endpoint.declared.transaction:
        case Mode.NONE:
            return await _unbound(house, request, Transactions(house.database, origin), work)
        case Mode.STATEMENT:
            return await house.database.single(work), Effects()
        case Mode.READING:
            return await house.database.reading(work), Effects()
        case Mode.WRITING | Mode.SERIALIZABLE as mode:
            key = request.headers.get("idempotency-key") or getattr(body, "idempotency_key", None)
            once = work if key is None else await _once(endpoint, principal, request, key, work)
            serializable = mode is Mode.SERIALIZABLE
            return await house.database.writing(once, origin=origin, serializable=serializable)


async def _unbound(
    house: House, request: Request, transactions: Transactions, work: Callable[[Work], Awaitable[object]]
) -> tuple[object, Effects]:
    """Work that opens its own transactions; what those committed is carried out even if the rest is refused."""
    try:
        return await work(transactions), transactions.effects
    except BaseException:
        await invalidate(house, request, transactions.effects)
        await publish(house, request, transactions.effects)
        raise


async def _once(
    endpoint: BoundEndpoint,
    principal: Principal,
    request: Request,
    key: str,
    work: Callable[[Work], Awaitable[object]],
) -> Callable[[WritingTransaction], Awaitable[object]]:
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise InvalidInput(reason=f"Idempotency-Key: must be 1 to {LONGEST_KEY} printable characters")
    declared = endpoint.declared
    scoped = msgspec.json.encode((principal.key, declared.method, declared.path, key)).decode()
    body = await request.body(declared.body_limit)
    asked = hashlib.sha256(b"\0".join((request.path.encode(), request.query.encode(), body))).digest()

    async def reply_to_keep(tx: WritingTransaction) -> IdempotentReply:
        reply = shape(endpoint, await work(tx))
        kept = reply.body if len(reply.body) <= LARGEST_KEPT_BODY else None
        return IdempotentReply(reply=reply, kept_body=kept)

    async def once(tx: WritingTransaction) -> object:
        return await answer_once(tx, scoped, asked, reply_to_keep, LIFETIME)

    return once
