"""Several requests in one transaction: all of them happen, or none."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote

import msgspec

from headwater.kernel.database import (
    LIFETIME,
    IdempotentReply,
    Transactions,
    WritingTransaction,
    answer_once,
    kept,
    once,
)
from headwater.kernel.models import RawRequest, Reply
from headwater.kernel.principal import Principal
from headwater.platform.records import rules
from headwater.platform.records.errors import (
    BatchTooLarge,
    NotImplementedHere,
    RecordsRefusal,
    RepliesNotKept,
    UnknownPath,
    UnreadableBatch,
    WrongCallMethod,
)
from headwater.platform.records.models import BatchedAnswer, BatchedRequest, Outcome
from headwater.platform.records.operations.asking import Ready
from headwater.platform.records.operations.nested import run_nested_step
from headwater.platform.records.operations.records import Records
from headwater.platform.records.operations.running import run_step, run_steps
from headwater.platform.records.shape import JSON, EarlierAnswers, kind_of_body

MOST_REQUESTS = 100
MOST_BYTES = 16 * 1024 * 1024
"""Of all answers together."""
_OWN = frozenset(
    {"accept", "content-type", "content-length", "content-encoding", "transfer-encoding", "prefer", "range", "expect"}
)
"""Headers of the batch that say nothing of its requests."""
_ROUTE = "/rpc/-/batch"
_TRUSTED = frozenset({"authorization", "apikey", "x-api-key", "cookie"})
_CALLS = "rpc/"
_decoder = msgspec.json.Decoder(Annotated[list[BatchedRequest], msgspec.Meta(min_length=1, max_length=MOST_REQUESTS)])
_encoder = msgspec.json.Encoder()
_NOTHING = msgspec.Raw(b"null")
Steps = Callable[[WritingTransaction], Awaitable[tuple[Reply, bool]]]
"""What a batch does in its transaction: its answer, and whether everything is to be undone."""


@dataclass(frozen=True)
class Batches:
    """Runs requests about rows and functions one after the other, under one role, as one change."""

    records: Records

    async def run_batch(self, transactions: Transactions, principal: Principal, request: RawRequest) -> Reply:
        """Tell what each request is answered; one that is refused undoes all, and the refusal says which it was.

        With an `Idempotency-Key` the batch happens once, and is answered the same for a day.
        """
        with self.records.telling():
            batch = _read(request.body)

            async def steps(tx: WritingTransaction) -> tuple[Reply, bool]:
                earlier, size, undoes = EarlierAnswers(), 0, False
                told: list[BatchedAnswer] = []
                for place, asked in enumerate(batch):
                    try:
                        ready, calls = self._ready(request, asked, earlier)
                        step = run_nested_step if ready.levels else run_step
                        reply = _reply(ready, await step(tx, principal, ready), calls=calls)
                        media = ready.prepared.statement.plan.media
                    except RecordsRefusal as refusal:
                        refusal.request = place
                        raise
                    size += len(reply.body)
                    if size > MOST_BYTES:
                        raise BatchTooLarge(limit=MOST_BYTES)
                    earlier.add(reply.body)
                    told.append(_answer(reply, is_json=media.handler is None and media.name != "text/csv"))
                    undoes = undoes or ready.prepared.rolls_back
                return Reply(body=_encoder.encode(told), media_type="application/json; charset=utf-8"), undoes

            return await run_steps(transactions, principal, self._once(principal, request, steps))

    def _once(self, principal: Principal, request: RawRequest, steps: Steps) -> Steps:
        """The steps of a batch, whose answer is kept under its key in the same transaction, if it has one.

        Raises `InvalidInput`, `RepliesNotKept`.
        """
        key = request.headers.get("idempotency-key")
        if key is None:
            return steps
        if not self.records.settings.keep_replies:
            raise RepliesNotKept
        asked = once(principal, request.method, _ROUTE, key, *_context(request), request.body)

        async def answered(tx: WritingTransaction) -> tuple[Reply, bool]:
            undone = False

            async def reply_to_keep(tx: WritingTransaction) -> IdempotentReply:
                nonlocal undone
                reply, undone = await steps(tx)
                return kept(reply)

            reply = await answer_once(tx, asked.key, asked.request_hash, reply_to_keep, LIFETIME)
            return reply, undone

        return answered

    def _ready(self, batch: RawRequest, asked: BatchedRequest, earlier: EarlierAnswers) -> tuple[Ready, bool]:
        """A request ready to run, and whether it calls a function."""
        alone, calls = _alone(batch, asked, earlier)
        ready = self.records.prepare_call(alone) if calls else self.records.prepare(alone)
        statement = ready.prepared.statement
        media = statement.plan.media
        if statement.streams or media.explained is not None or (media.handler is not None and media.handler.binary):
            raise NotImplementedHere(details="Inside a batch no plans are told, no rows are streamed, no bytes sent")
        return ready, calls


def _context(request: RawRequest) -> tuple[bytes, ...]:
    """The headers that hold for every request of a batch, as far as they choose what it is about."""
    return tuple(request.headers.get(name, "").encode() for name in ("accept-profile", "content-profile"))


def _read(body: bytes) -> list[BatchedRequest]:
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise UnreadableBatch(reason=str(failure)) from failure


def _alone(batch: RawRequest, asked: BatchedRequest, earlier: EarlierAnswers) -> tuple[RawRequest, bool]:
    """A request of a batch as if it had come alone, and whether it calls a function."""
    path, _, query = earlier.into_path(asked.path).removeprefix("/").partition("?")
    calls = path.startswith(_CALLS)
    name = path.removeprefix(_CALLS)
    if not name or "/" in name or "#" in query:
        raise UnknownPath(details=f"{asked.path} is no table and no rpc/function")
    if calls and asked.method not in {"GET", "HEAD", "POST"}:
        raise WrongCallMethod(method=asked.method)
    own = {key.lower(): value for key, value in asked.headers.items()}
    if not own.keys().isdisjoint(_TRUSTED):
        raise UnreadableBatch(reason="Credentials stand at the batch: all of its requests are of one caller")
    headers = {key: value for key, value in batch.headers.items() if key not in _OWN} | own
    alone = RawRequest(
        method=asked.method,
        path=f"{batch.path.removesuffix('rpc/-/batch')}{path}",
        parameters={"function" if calls else "table": unquote(name)},
        query=query,
        headers=headers,
        body=_body(asked, headers.get("content-type", ""), earlier),
        address=batch.address,
        id=batch.id,
    )
    return alone, calls


def _body(asked: BatchedRequest, content_type: str, earlier: EarlierAnswers) -> bytes:
    raw = bytes(asked.body)
    if not raw or kind_of_body(content_type) == JSON:
        return earlier.into_body(raw)
    try:
        return msgspec.json.decode(raw, type=str).encode()
    except msgspec.DecodeError as failure:
        raise UnreadableBatch(reason=f"A body of type {content_type} is written as a text") from failure


def _reply(ready: Ready, outcome: Outcome, *, calls: bool) -> Reply:
    if calls:
        return rules.reply_to_call(ready.prepared, outcome, ready.window)
    if ready.prepared.statement.reads:
        return rules.reply_to_read(ready.prepared, outcome, ready.window)
    return rules.reply_to_write(ready.prepared, outcome)


def _answer(reply: Reply, *, is_json: bool) -> BatchedAnswer:
    headers = dict(reply.headers)
    if reply.media_type is None or not reply.body:
        return BatchedAnswer(status=reply.status, headers=headers, body=_NOTHING)
    headers["Content-Type"] = reply.media_type
    body = reply.body if is_json else _encoder.encode(reply.body.decode(errors="replace"))
    return BatchedAnswer(status=reply.status, headers=headers, body=msgspec.Raw(body))
