"""All or nothing, and the same request answers the same."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.component import Mode
from headwater.kernel.database import Database, ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.errors import Forbidden
from headwater.kernel.models import AuditEntry, CacheKey, Reply
from tests.kit.house import SmallHouse, endpoint

COUNT = "select count(*) from system.audit_logs"
DAY = 24 * 3600


class Asked(msgspec.Struct, rename="camel", kw_only=True):
    size: int = 1
    fails: bool = False
    idempotency_key: str | None = None


class Counter:
    """An operation that leaves a row each time it runs, and answers how often it ran."""

    def __init__(self) -> None:
        self.runs = 0
        self.pause: Callable[[], Awaitable[None]] | None = None

    async def add(self, tx: WritingTransaction, _principal: object, body: Asked) -> Reply:
        self.runs += 1
        tx.audit(AuditEntry(action="ADD", module="tests"))
        tx.forget(CacheKey("count"))
        if self.pause is not None:
            await self.pause()
        if body.fails:
            raise Forbidden(reason="No")
        return Reply(status=201, headers=(("X-Runs", str(self.runs)),), body=b"%d" % self.runs * body.size)


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def house(database: Database, counter: Counter, clock: DrivenClock) -> SmallHouse:
    return SmallHouse(
        endpoint("POST", "/add", counter.add, body=Asked, transaction=Mode.WRITING),
        endpoint("POST", "/add/{size}", counter.add, body=Asked, transaction=Mode.WRITING),
        endpoint("POST", "/serially", counter.add, body=Asked, transaction=Mode.SERIALIZABLE),
        database=database,
        clock=clock,
    )


async def ask(house: SmallHouse, key: str, body: object = b"{}", target: str = "/add", token: str = "user") -> Any:
    return await house.call("POST", target, body, token=token, headers={"Idempotency-Key": key})


@pytest.mark.parametrize("target", ["/add", "/serially"])
async def test_the_same_request_answers_the_same_and_is_done_once(
    house: SmallHouse, database: Database, target: str
) -> None:
    first, again = await ask(house, "k", target=target), await ask(house, "k", target=target)
    assert (first.status, first.body) == (again.status, again.body) == (201, b"1")
    assert again.headers["idempotent-replayed"] == "true" and "idempotent-replayed" not in first.headers
    assert again.headers["content-type"] == "application/json"
    assert await database.reading(lambda tx: tx.value(COUNT)) == 1
    assert house.forgotten == ["count"]


async def test_without_a_key_it_is_done_each_time(house: SmallHouse, counter: Counter) -> None:
    for _ in range(2):
        await house.call("POST", "/add", b"{}", token="user")
    assert counter.runs == 2


async def test_the_body_may_carry_the_key(house: SmallHouse, counter: Counter) -> None:
    answers = [await house.call("POST", "/add", {"idempotencyKey": "k"}, token="user") for _ in range(2)]
    assert [answer.body for answer in answers] == [b"1", b"1"]
    assert counter.runs == 1


@pytest.mark.parametrize(("target", "body"), [("/add", b'{"size":2}'), ("/add", b"{} "), ("/add?size=1", b"{}")])
async def test_another_request_under_the_same_key_is_a_conflict(house: SmallHouse, target: str, body: bytes) -> None:
    await ask(house, "k")
    answer = await ask(house, "k", body, target)
    assert (answer.status, answer.json()["error"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    await ask(house, "p", target="/add/1")
    assert (await ask(house, "p", target="/add/2")).status == 409


async def test_principals_and_endpoints_do_not_meet_under_one_key(house: SmallHouse, counter: Counter) -> None:
    bodies = [(await ask(house, "k", token=token)).body for token in ("user", "other", "admin")]
    bodies.append((await ask(house, "k", target="/serially")).body)
    assert (bodies, counter.runs) == ([b"1", b"2", b"3", b"4"], 4)


async def test_no_name_can_be_mistaken_for_another_and_a_key(house: SmallHouse, counter: Counter) -> None:
    from tests.kit.house import principal_from_claims

    house.authenticator.tokens["sly"] = principal_from_claims({"sub": "7 POST /add"})
    assert (await ask(house, "POST /add k")).body == b"1"
    assert (await ask(house, "k", token="sly")).body == b"2"


async def test_a_running_twin_is_told_to_come_back(house: SmallHouse, counter: Counter) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        entered.set()
        await leave.wait()

    counter.pause = pause
    first = asyncio.create_task(ask(house, "k"))
    await entered.wait()
    twin = await ask(house, "k")
    assert (twin.status, twin.json()["error"], twin.headers["retry-after"]) == (409, "IDEMPOTENT_REQUEST_RUNNING", "1")
    leave.set()
    assert (await first).body == (await ask(house, "k")).body == b"1"


@pytest.mark.parametrize("target", ["/add", "/serially"])
async def test_of_many_at_once_one_is_done(house: SmallHouse, database: Database, target: str) -> None:
    answers = await asyncio.gather(*(ask(house, "k", target=target) for _ in range(10)))
    assert {(a.status, a.json() if a.status == 201 else a.json()["error"]) for a in answers} <= {
        *((201, runs) for runs in range(1, 11)),  # one that lost its serialization ran, and was undone
        (409, "IDEMPOTENT_REQUEST_RUNNING"),
    }
    assert len({answer.body for answer in answers if answer.status == 201}) == 1
    assert await database.reading(lambda tx: tx.value(COUNT)) == 1


async def test_a_refused_request_may_be_tried_again(house: SmallHouse, counter: Counter, database: Database) -> None:
    for _ in range(2):
        assert (await ask(house, "k", b'{"fails":true}')).status == 403
    assert counter.runs == 2
    assert (await ask(house, "k")).status == 201
    assert await database.reading(lambda tx: tx.value(COUNT)) == 1


async def test_of_a_large_answer_the_status_is_kept(house: SmallHouse, counter: Counter) -> None:
    for size in (65_536, 65_537):
        first, again = [await ask(house, f"k{size}", {"size": size}) for _ in range(2)]
        assert (first.status, len(first.body), again.status) == (201, size, 201)
        assert len(again.body) == (size if size == 65_536 else 0)
    assert counter.runs == 2


async def test_a_day_later_the_key_is_new(house: SmallHouse, clock: DrivenClock) -> None:
    assert (await ask(house, "k")).body == b"1"
    clock.advance(DAY - 1)
    assert (await ask(house, "k")).body == b"1"
    clock.advance(1)
    assert (await ask(house, "k", b'{"size":2}')).body == b"22"
    assert (await ask(house, "k", b'{"size":2}')).headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("key", ["x" * 256, "a\tb", "\x7f"])
async def test_a_key_is_short_and_printable(house: SmallHouse, counter: Counter, key: str) -> None:
    answer = await ask(house, key)
    assert (answer.status, counter.runs) == (400, 0)
    assert answer.json()["message"].startswith("Idempotency-Key: ")
    assert (await ask(house, "x" * 255)).status == 201


async def test_each_mode_gives_the_transaction_it_names(database: Database) -> None:
    seen: dict[str, Any] = {}

    async def look(tx: Any, _principal: object, _body: object) -> object:
        level = "select current_setting('transaction_isolation') || current_setting('transaction_read_only')"
        seen["told"] = (tx.__class__, None if isinstance(tx, Transactions) else await tx.value(level))
        return {}

    house = SmallHouse(*(endpoint("GET", f"/{mode}", look, transaction=mode) for mode in Mode), database=database)
    expected = {
        Mode.NONE: (Transactions, None),
        Mode.STATEMENT: (ReadingTransaction, "read committedoff"),
        Mode.READING: (ReadingTransaction, "repeatable readon"),
        Mode.WRITING: (WritingTransaction, "read committedoff"),
        Mode.SERIALIZABLE: (WritingTransaction, "serializableoff"),
    }
    for mode, told in expected.items():
        assert (await house.call("GET", f"/{mode}")).status == 200
        assert seen["told"] == told


async def test_who_writes_stands_in_the_audit_log(house: SmallHouse, database: Database) -> None:
    await house.call("POST", "/add", b"{}", token="user", peer="203.0.113.77")
    row = await database.reading(lambda tx: tx.row("select actor, host(ip_address) as ip from system.audit_logs"))
    assert row is not None and (row["actor"], row["ip"]) == ("user:7", "203.0.113.77")


@pytest.mark.parametrize(
    ("statement", "status", "code"),
    [
        ("do $$ begin raise exception sqlstate '40001'; end $$", 409, "TRANSACTION_CONFLICT"),
        ("do $$ begin raise exception sqlstate '40P01'; end $$", 409, "TRANSACTION_CONFLICT"),
        ("select 1/0", 400, "DATABASE_VALIDATION_ERROR"),
        ("insert into system.idempotency_keys select 'a'", 400, "MISSING_FIELD"),
        ("select pg_terminate_backend(pg_backend_pid())", 503, "DATABASE_UNAVAILABLE"),
        ("set statement_timeout = 1; select pg_sleep(1)", 504, "QUERY_TIMEOUT"),
    ],
)
@pytest.mark.parametrize("mode", [Mode.STATEMENT, Mode.READING, Mode.SERIALIZABLE])
async def test_what_postgres_says_is_told_as_a_refusal(
    database: Database, mode: Mode, statement: str, status: int, code: str
) -> None:
    async def work(tx: ReadingTransaction, _principal: object, _body: object) -> object:
        await tx.connection.execute(statement)
        return {}

    if mode is Mode.READING and statement.startswith("insert"):
        status, code = 400, "DATABASE_VALIDATION_ERROR"
    house = SmallHouse(endpoint("POST", "/x", work, transaction=mode), database=database)
    answer = await house.call("POST", "/x")
    assert (answer.status, answer.json()["error"]) == (status, code)
    assert database.lease.lent_count == 0
