"""Statements run under the caller's role and claims: in one trip, or in a transaction where one is not enough."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
import msgspec

from headwater.kernel.database import ReadingTransaction, Row, Transactions, WritingTransaction
from headwater.kernel.errors import Refusal
from headwater.kernel.principal import Kind, Principal
from headwater.platform.records import rules
from headwater.platform.records.errors import refusal_raised, refused
from headwater.platform.records.models import Outcome, Plan, Statement
from headwater.platform.records.operations.asking import Ready
from headwater.platform.records.plan import unknown_column
from headwater.platform.records.sql import (
    BEGIN_STEP,
    CHECK_CONSTRAINTS,
    FORGET_STEP,
    KEEP_STEP,
    stream_header,
    write_next,
)

_ATTEMPTS = 3
TO_BE_RETRIED = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""Failures after which the transaction may succeed if it begins again."""
_ISOLATION = "default_transaction_isolation"
_WEAKEST = frozenset({"read committed", "read uncommitted"})
_FIRST_LINES, _MOST_LINES = 32, 256
"""How many are read at once; no more, because the next may be a thousand times as long."""
_LARGEST_PART = 256 * 1024
_ANONYMOUS = frozenset({Kind.NOBODY, Kind.ANON})
T = TypeVar("T")
Values = Row | tuple[Any, ...]


class _Node(msgspec.Struct, frozen=True, rename={"rows": "Plan Rows"}):
    rows: float


_explained = msgspec.json.Decoder(list[dict[str, _Node]])


class _Undone(Exception):
    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


async def run(transactions: Transactions, principal: Principal, ready: Ready) -> Outcome:
    """What the statement gives; after a deadlock it runs again. Raises what stands for Postgres' refusal."""
    statement = ready.prepared.statement
    if statement.idle:
        return rules.outcome_of_nothing(statement.plan)
    attempts = 0
    while True:
        attempts += 1
        try:
            outcome = outcome_of(statement, await _row(transactions, principal, ready))
            return await _with_estimate(transactions, principal, ready, outcome)
        except asyncpg.PostgresError as failure:
            if attempts < _ATTEMPTS and isinstance(failure, TO_BE_RETRIED):
                continue
            raise refusal_of(failure, principal, statement.plan) from failure


def refusal_of(failure: asyncpg.PostgresError, principal: Principal, plan: Plan | None = None) -> Refusal:
    """What stands for a failure of Postgres; that of a statement with this plan may have been meant."""
    meant = None if plan is None else rules.undone(plan, str(failure)) or _about_columns(failure, plan)
    return meant or refusal_raised(failure) or refused(failure, anonymous=principal.kind in _ANONYMOUS)


def _about_columns(failure: asyncpg.PostgresError, plan: Plan) -> Refusal | None:
    """The refusal of a column that the statement names; not of one that a function's own code does."""
    if not isinstance(failure, asyncpg.UndefinedColumnError) or getattr(failure, "internal_query", None) is not None:
        return None
    return unknown_column(plan, str(failure.sqlstate), str(getattr(failure, "message", None) or failure))


async def open_stream(
    transactions: Transactions, principal: Principal, ready: Ready
) -> tuple[bytes, AsyncGenerator[bytes]]:
    """The first lines of a statement that streams, and all others, of which no more are read than are taken.

    A refusal comes before the first line. Raises what stands for Postgres' refusal.
    """
    statement, claims = ready.prepared.statement, principal.claims_json

    async def work(tx: ReadingTransaction) -> AsyncGenerator[bytes]:
        if statement.opening is not None:
            await tx.row(statement.opening.sql, claims, *ready.opening)
        await tx.rows(statement.sql, claims, *ready.arguments)
        count = _FIRST_LINES
        while True:
            lines = await tx.rows(write_next(count))
            part = b"".join([line[0] for line in lines])
            yield part
            if len(lines) < count:
                return
            count = max(count // 2, 1) if len(part) > _LARGEST_PART else min(count * 2, _MOST_LINES)

    stream = transactions.stream(work, principal)
    try:
        first = await anext(stream)
    except asyncpg.PostgresError as failure:
        raise refusal_of(failure, principal, statement.plan) from failure
    return stream_header(statement.plan) + first, stream


async def run_step(tx: WritingTransaction, principal: Principal, ready: Ready) -> Outcome:
    """What the statement gives as one of several in a transaction. Raises what stands for Postgres' refusal.

    A failure after which the transaction can be tried again is left as it is.
    """
    statement, claims = ready.prepared.statement, principal.claims_json
    if statement.idle:
        return rules.outcome_of_nothing(statement.plan)
    try:
        await tx.execute(BEGIN_STEP)
        if statement.opening is not None:
            await tx.row(statement.opening.sql, claims, *ready.opening)
        outcome = outcome_of(statement, await tx.row(statement.sql, claims, *ready.arguments))
        if (side := statement.estimate) is not None and _is_estimated(ready, outcome):
            outcome = _estimated(outcome, ready, await tx.value(side.sql, claims, *ready.estimate))
        await tx.execute(FORGET_STEP if statement.reads else KEEP_STEP)
    except TO_BE_RETRIED:
        raise
    except asyncpg.PostgresError as failure:
        raise refusal_of(failure, principal, statement.plan) from failure
    return outcome


async def run_steps(
    transactions: Transactions,
    principal: Principal,
    steps: Callable[[WritingTransaction], Awaitable[tuple[T, bool]]],
    *,
    soils: bool = True,
) -> T:
    """What the steps give, all of them or none; nothing of it stays where they say that it is to be undone.

    With `soils` one may call a function, whose traces in the session are removed.
    """

    async def work(tx: WritingTransaction) -> T:
        told, undoes = await steps(tx)
        if undoes:
            await tx.execute(CHECK_CONSTRAINTS)
            raise _Undone(told)
        return told

    try:
        return await transactions.writing(work, principal, soils=soils)
    except _Undone as undone:
        return undone.result
    except asyncpg.PostgresError as failure:
        raise refusal_of(failure, principal) from failure


async def _row(transactions: Transactions, principal: Principal, ready: Ready) -> Values | None:
    """The statement's row, in as few trips as it can be had."""
    statement, call = ready.prepared.statement, ready.prepared.statement.plan.source.call
    undoes = ready.prepared.rolls_back and not statement.reads
    if not (undoes or statement.opening or statement.plan.claims_first):
        if call is not None and not call.stable:
            return await transactions.call(principal, statement.sql, principal.claims_json, *ready.arguments)
        if statement.reads and call is None:
            return await transactions.read(principal, statement.sql, principal.claims_json, *ready.arguments)
        return await transactions.statement(principal, statement.sql, principal.claims_json, *ready.arguments)
    return await _row_in_transaction(transactions, principal, ready, undoes=undoes)


async def _row_in_transaction(
    transactions: Transactions, principal: Principal, ready: Ready, *, undoes: bool
) -> Row | None:
    statement, claims = ready.prepared.statement, principal.claims_json

    async def work(tx: ReadingTransaction) -> Row | None:
        if statement.opening is not None:
            await tx.row(statement.opening.sql, claims, *ready.opening)
        row = await tx.row(statement.sql, claims, *ready.arguments)
        if undoes:
            await tx.value(CHECK_CONSTRAINTS)
            raise _Undone(row)
        return row

    call = statement.plan.source.call
    if statement.reads and not undoes:
        return await transactions.reading(work, principal)
    try:
        return await transactions.writing(
            work, principal, serializable=_is_serializable(statement), soils=call is not None
        )
    except _Undone as undone:
        return undone.result


def _is_serializable(statement: Statement) -> bool:
    """Whether the function asks for more than READ COMMITTED; it gets the strictest there is."""
    call = statement.plan.source.call
    return call is not None and any(n == _ISOLATION and v not in _WEAKEST for n, v in call.settings)


async def explain(transactions: Transactions, principal: Principal, ready: Ready) -> bytes:
    """Postgres' plan of the statement; what it changes while it is explained is undone."""
    statement, claims = ready.prepared.statement, principal.claims_json

    async def work(tx: ReadingTransaction) -> bytes:
        if statement.opening is not None:
            await tx.row(statement.opening.sql, claims, *ready.opening)
        lines = await tx.rows(statement.sql, claims, *ready.arguments)
        text = b"\n".join(line[0] if isinstance(line[0], bytes) else str(line[0]).encode() for line in lines)
        if not statement.reads:
            raise _Undone(text)
        return text

    try:
        if statement.reads:
            return await transactions.reading(work, principal)
        return await transactions.writing(work, principal, soils=True)
    except _Undone as undone:
        return undone.result
    except asyncpg.PostgresError as failure:
        raise refusal_of(failure, principal, statement.plan) from failure


async def _with_estimate(transactions: Transactions, principal: Principal, ready: Ready, outcome: Outcome) -> Outcome:
    """The outcome, with Postgres' estimate where the rows were not counted, or not all of them."""
    side = ready.prepared.statement.estimate
    if side is None or not _is_estimated(ready, outcome):
        return outcome

    async def work(tx: ReadingTransaction) -> bytes:
        return await tx.value(side.sql, principal.claims_json, *ready.estimate)

    return _estimated(outcome, ready, await transactions.reading(work, principal))


def _is_estimated(ready: Ready, outcome: Outcome) -> bool:
    counted = ready.prepared.counted
    return outcome.total is None or (counted is not None and outcome.total > counted)


def _estimated(outcome: Outcome, ready: Ready, explained: bytes) -> Outcome:
    """The outcome, with the number of rows that Postgres expects, but no fewer than are known of."""
    expected = int(_explained.decode(explained)[0]["Plan"].rows)
    least = max(outcome.total or 0, ready.window.offset + outcome.page if outcome.page else 0)
    return msgspec.structs.replace(outcome, total=max(expected, least))


def outcome_of(statement: Statement, row: Values | None) -> Outcome:
    """The one row that every statement gives."""
    if row is None:
        return Outcome()
    if statement.answers:
        body, page, total, inserted, place, status, headers = row
        return Outcome(
            body=body or b"", page=page, total=total, inserted=inserted, place=place, status=status, headers=headers
        )
    body, page, total, inserted, place = row
    return Outcome(body=body or b"", page=page, total=total, inserted=inserted, place=place)
