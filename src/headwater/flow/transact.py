"""All or nothing: 409 or 503."""

from collections.abc import Awaitable, Callable

from headwater.flow.house import Bound, House
from headwater.flow.invalidate import invalidate
from headwater.flow.publish import publish
from headwater.flow.request import Request
from headwater.kernel.component import Mode
from headwater.kernel.database import (
    LIFETIME,
    IdempotentReply,
    Origin,
    ReadingTransaction,
    Transactions,
    WritingTransaction,
    answer_once,
    kept,
    once,
)
from headwater.kernel.models import Effects
from headwater.kernel.principal import Principal

Work = ReadingTransaction | WritingTransaction | Transactions


async def transact(
    house: House,
    endpoint: Bound,
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
            writing = work if key is None else await _once(endpoint, principal, request, key, work)
            serializable = mode is Mode.SERIALIZABLE
            return await house.database.writing(writing, origin=origin, serializable=serializable)


async def _unbound(
    house: House, request: Request, transactions: Transactions, work: Callable[[Work], Awaitable[object]]
) -> tuple[object, Effects]:
    """Work that opens its own transactions; what those committed is carried out even if the rest is refused."""
    try:
        return await work(transactions), transactions.effects
    except BaseException:
        try:
            await invalidate(house, request, transactions.effects)
        finally:
            await publish(house, request, transactions.effects)
        raise


async def _once(
    endpoint: Bound,
    principal: Principal,
    request: Request,
    key: str,
    work: Callable[[Work], Awaitable[object]],
) -> Callable[[WritingTransaction], Awaitable[object]]:
    declared = endpoint.declared
    body = await request.body(declared.body_limit)
    asked = once(principal, declared.method, declared.path, key, request.path.encode(), request.query.encode(), body)

    async def reply_to_keep(tx: WritingTransaction) -> IdempotentReply:
        return kept(endpoint.shape(await work(tx)))

    async def answered(tx: WritingTransaction) -> object:
        return await answer_once(tx, asked.key, asked.request_hash, reply_to_keep, LIFETIME)

    return answered
