"""The stages of a request, in the order of the drawing; a refusal ends it anywhere."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from headwater.kernel.component import Access, Limit, Mode
from headwater.kernel.database import Database, ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.errors import Draining, Forbidden
from headwater.kernel.models import CacheKey, Event, JobCall
from headwater.kernel.observe import HookFailed, RequestFailed
from tests.kit.house import SmallHouse, endpoint

EVERY_STAGE = [
    "limit",
    "authenticate",
    "limit",
    "validate",
    "transact",
    "authorize",
    "transact",
    "invalidate",
    "publish",
    "respond",
]


class Asked(msgspec.Struct):
    n: int


class Rung(Event, frozen=True, kw_only=True):
    n: int


async def lock(tx: ReadingTransaction, _principal: object, body: Asked) -> int:
    if body.n == 403:
        raise Forbidden(reason="Not yours")
    return await tx.value("select $1::int * 2", body.n)


async def ring(tx: WritingTransaction, _principal: object, body: Asked, subject: int) -> object:
    tx.forget(CacheKey("bell"))
    tx.emit(Rung(n=subject))
    if body.n == 500:
        raise RuntimeError
    if body.n == 22:
        await tx.value("select 1/0")
    return {"subject": subject}


async def sleep(tx: ReadingTransaction) -> object:
    return await tx.value("select pg_sleep(30)")


async def hang(tx: ReadingTransaction | Transactions, _principal: object, _body: object) -> object:
    if isinstance(tx, ReadingTransaction):
        return await sleep(tx)
    return await tx.reading(sleep)


@pytest.fixture
def house(database: Database) -> SmallHouse:
    return SmallHouse(
        endpoint(
            "POST",
            "/ring",
            ring,
            guard=lock,
            body=Asked,
            access=Access.USER,
            transaction=Mode.WRITING,
            limits=(Limit(name="ring", count=2, seconds=60, by="principal"),),
        ),
        *(endpoint("GET", f"/hang/{mode}", hang, transaction=mode) for mode in Mode),
        database=database,
    )


async def test_the_stages_are_those_of_the_drawing(house: SmallHouse) -> None:
    answer = await house.call("POST", "/ring", {"n": 4}, token="user")
    assert (answer.status, answer.json()) == (200, {"subject": 8})
    assert house.stages == EVERY_STAGE
    assert (house.forgotten, house.trail) == (["bell"], ["forget", "tell"])
    assert house.told[0].events == [Rung(n=8)]


@pytest.mark.parametrize(
    ("body", "token", "status", "last"),
    [
        ({"n": 4}, None, 401, "authenticate"),
        ({"n": 4}, "admin", 401, "authenticate"),
        ({"n": "4"}, "user", 400, "validate"),
        ({"n": 403}, "user", 403, "authorize"),
        ({"n": 22}, "user", 400, "transact"),
        ({"n": 500}, "user", 500, "transact"),
    ],
)
async def test_a_refusal_ends_it_anywhere_and_leaves_nothing(
    house: SmallHouse, database: Database, body: object, token: str | None, status: int, last: str
) -> None:
    assert (await house.call("POST", "/ring", body, token=token)).status == status
    assert house.stages[-2:] == [last, "respond"]
    assert house.stages[:-1] == EVERY_STAGE[: len(house.stages) - 1]
    assert (house.forgotten, house.told, database.lease.lent_count) == ([], [], 0)


async def test_limits_end_it_before_and_after_authentication(house: SmallHouse) -> None:
    answers = [(await house.call("POST", "/ring", {"n": 1}, token="user")).status for _ in range(3)]
    assert answers == [200, 200, 429]
    assert house.stages == ["limit", "authenticate", "limit", "respond"]


async def test_an_unknown_path_meets_no_stage(house: SmallHouse) -> None:
    answer = await house.call("GET", "/nowhere?token=x")
    assert answer.json() == {"error": "NOT_FOUND", "message": "Endpoint /nowhere not found", "statusCode": 404}
    assert house.stages == ["respond"]


async def test_what_fails_after_the_commit_does_not_undo_the_answer(house: SmallHouse) -> None:
    house.aftermath_failure = ConnectionError("the bus is away")
    answer = await house.call("POST", "/ring", {"n": 4}, token="user")
    assert (answer.status, answer.json()) == (200, {"subject": 8})
    assert [failed.part for failed in house.seen(HookFailed)] == ["invalidate", "publish"]
    assert house.seen(RequestFailed) == []


async def _late(house: SmallHouse, target: str, database: Database) -> Any:
    task = asyncio.create_task(house.call("GET", target))
    async with asyncio.timeout(30):
        while not database.lease.lent_count:  # noqa: ASYNC110 - it rings no bell
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.02)
    return task


@pytest.mark.parametrize("mode", list(Mode))
async def test_late_work_is_told_504_and_its_connection_is_not_used_again_dirty(
    house: SmallHouse, database: Database, mode: Mode
) -> None:
    task = await _late(house, f"/hang/{mode}", database)
    [request] = house.application.running
    house.application.sweep()
    assert request.ending is None
    request.timeout = 0.0
    house.application.sweep()
    answer = await task
    assert (answer.status, answer.json()["error"]) == (504, "TIMEOUT")
    assert (database.lease.lent_count, house.application.running) == (0, {})
    assert await database.reading(lambda tx: tx.value("select 1")) == 1
    for _ in range(100):
        if not database.lease._closing:  # pyright: ignore[reportPrivateUsage]
            break
        await asyncio.sleep(0.01)
    sleeping = "select count(*) from pg_stat_activity where query like '%sleep(30)%' and pid <> pg_backend_pid()"
    assert await database.reading(lambda tx: tx.value(sleeping)) == 0


async def test_what_is_committed_is_not_told_504(house: SmallHouse, database: Database) -> None:
    swept = asyncio.Event()

    async def forget(keys: object) -> None:
        [request] = house.application.running
        request.timeout = 0.0
        house.application.sweep()
        await asyncio.sleep(0)
        swept.set()

    house.forget = forget
    assert (await house.call("POST", "/ring", {"n": 4}, token="user")).status == 200
    assert swept.is_set()


async def test_a_body_that_never_comes_is_told_408(house: SmallHouse) -> None:
    async def receive() -> object:
        [request] = house.application.running
        request.timeout = 0.0
        house.application.sweep()
        return await asyncio.sleep(5)

    sent: list[Any] = []

    async def send(message: object) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "method": "POST",
        "raw_path": b"/ring",
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer user"), (b"content-length", b"9")],
        "client": ("203.0.113.9", 1),
    }
    await house.application(scope, receive, send)
    assert sent[0]["status"] == 408


async def test_the_last_ones_of_a_stopping_server_are_told_503(house: SmallHouse, database: Database) -> None:
    task = await _late(house, "/hang/writing", database)
    house.application.drain()
    answer = await task
    assert (answer.status, answer.json()["error"], answer.headers["connection"]) == (503, Draining.code, "close")


async def test_a_cancellation_from_elsewhere_stays_one(house: SmallHouse, database: Database) -> None:
    task = await _late(house, "/hang/reading", database)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert database.lease.lent_count == 0


async def test_who_gives_up_while_caches_forget_leaves_nobody_untold(
    house: SmallHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetting = asyncio.Event()

    async def forget(_keys: Sequence[CacheKey]) -> None:
        forgetting.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(house, "forget", forget)
    task = asyncio.create_task(house.call("POST", "/ring", {"n": 4}, token="user"))
    async with asyncio.timeout(30):
        await forgetting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [event for effects in house.told for event in effects.events] == [Rung(n=8)]


async def test_effects_of_unbound_work_are_carried_out_though_it_refuses(database: Database) -> None:
    async def add(tx: WritingTransaction) -> None:
        tx.forget(CacheKey("kept"))
        tx.enqueue(JobCall(job="later", arguments=Asked(n=1)))

    async def undone(tx: WritingTransaction) -> None:
        tx.forget(CacheKey("undone"))
        raise Forbidden(reason="No")

    async def work(tx: Transactions, _principal: object, _body: object) -> object:
        await tx.writing(add)
        return await tx.writing(undone)

    house = SmallHouse(endpoint("POST", "/x", work), database=database)
    assert (await house.call("POST", "/x")).status == 403
    assert house.forgotten == ["kept"]
    assert [call.job for effects in house.told for call in effects.jobs] == ["later"]
    assert house.stages[-4:] == ["transact", "invalidate", "publish", "respond"]
