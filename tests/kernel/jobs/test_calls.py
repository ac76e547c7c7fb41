"""Calls are queued by priority and age, joined by unique keys, and bounded by lanes."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from headwater.kernel.database import Connection, Login, Transactions, WritingTransaction
from headwater.kernel.jobs import Job, JobRecorder, JobRun, JobSettings, WrongDeclaration
from headwater.kernel.models import JobCall
from tests.kernel.jobs.conftest import PROMPT, House, Letter, job, mark

ONE_SLOT = JobSettings(poll=60, slots=1)
ROWS = "select count(*) from system.jobs"
TEXTS = "select array_agg(arguments ->> 'text' order by number) from system.jobs"


@pytest.fixture
async def keyed(house: House) -> House:
    """The house, with a job `unique` whose key is its text; calls of `mark` are not kept any more."""
    house.database._recorders = house.database._recorders[:1]
    unique = job(name="unique", unique="{text}", priority=1).declaration
    house.database.add_recorder(JobRecorder({"unique": unique}))
    return house


async def test_higher_priority_first_then_age(house: House) -> None:
    await house.enqueue("a", "b")
    await house.enqueue("c", priority=5)
    await house.enqueue("d", priority=-1)
    await house.enqueue("e", name="other", priority=5)
    await house.worker(job(), job(name="other"), settings=ONE_SLOT)
    await house.until_marks("a", "b", "c", "d", "e")
    assert await house.marks() == ["c", "e", "a", "b", "d"]


async def test_a_job_for_later_has_its_place_by_priority_and_since_when_it_is_due(house: House) -> None:
    await house.enqueue("later", after=timedelta(minutes=59))
    await house.enqueue("a", "b")
    await house.enqueue("later and first", after=timedelta(minutes=59), priority=1)
    house.clock.advance(3600)
    stopped = await house.worker(job(name="other"), settings=PROMPT)
    await house.until_value(4, ROWS + " where state = 'queued'")
    await stopped.stop()
    await house.worker(job(), settings=ONE_SLOT)
    await house.until_marks("later", "a", "b", "later and first")
    assert await house.marks() == ["later and first", "a", "b", "later"]


async def test_a_call_whose_key_waits_joins_it(keyed: House) -> None:
    await keyed.enqueue("a", "a", "b", name="unique", after=timedelta(days=2))
    await keyed.enqueue("a", name="unique", after=timedelta(days=1), priority=7)
    assert await keyed.value(TEXTS) == ["a", "b"]
    joined = "select (state, priority, due - enqueued_at)::text from system.jobs where unique_key = 'a'"
    assert await keyed.value(joined) == '(waiting,7,"1 day")'
    await keyed.enqueue("a", name="unique", priority=0)
    assert await keyed.value(joined) == "(queued,7,00:00:00)"
    await keyed.worker(job(name="unique"))
    await keyed.until_marks("a")
    keyed.clock.advance(2 * 24 * 3600)
    await keyed.until_marks("a", "b")


async def test_a_call_whose_key_runs_joins_it_and_one_after_its_end_is_new(keyed: House) -> None:
    going_on, begun = asyncio.Event(), asyncio.Event()

    async def wait(transactions: Transactions, run: JobRun) -> None:
        begun.set()
        await going_on.wait()
        await transactions.writing(lambda tx: mark(tx, run))

    await keyed.worker(job(wait, name="unique", holds_connection=False))
    await keyed.enqueue("a", name="unique")
    await begun.wait()
    await keyed.enqueue("a", name="unique")
    assert await keyed.value(ROWS) == 1
    going_on.set()
    await keyed.until_value(0, ROWS)
    await keyed.enqueue("a", name="unique")
    await keyed.until_marks("a", "a")


async def test_a_key_is_free_again_once_its_job_failed_for_good(keyed: House) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    worker = await keyed.worker(job(fail, name="unique", attempts=2))
    await keyed.enqueue("a", name="unique")
    await keyed.until_value(1, ROWS + " where state = 'waiting' and attempts = 1")
    await keyed.enqueue("a", name="unique")
    assert await keyed.value(ROWS + " where due > enqueued_at") == 1  # a call does not cut the pause short
    keyed.clock.advance(10)
    await keyed.until_value(1, ROWS + " where state = 'failed'")
    await worker.stop()
    await keyed.enqueue("a", name="unique")
    assert await keyed.value(ROWS) == 2


async def test_the_call_may_state_another_key(keyed: House) -> None:
    await keyed.enqueue("a", "b", name="unique", unique_key="both")
    await keyed.enqueue("a", name="unique")
    assert await keyed.value(TEXTS) == ["a", "a"]


async def test_a_joined_job_begins_after_the_commit_of_who_joined_it(keyed: House) -> None:
    await keyed.enqueue("a", name="unique")
    owner = await keyed.connector(Login.OWNER)
    transaction = owner.transaction()
    await transaction.start()
    try:
        await join(owner, keyed)
        await keyed.worker(job(name="unique"))
        await keyed.enqueue("b", name="unique")
        await keyed.until_marks("b")
        await asyncio.sleep(0.2)
        assert await keyed.marks() == ["b"]
        await transaction.commit()
        await keyed.until_marks("a", "b")
    finally:
        await owner.close()


async def join(owner: Connection, house: House) -> None:
    """Call `unique` with "a" in the transaction that is open on a connection."""
    tx = WritingTransaction(owner, house.clock.now(), origin=None)  # pyright: ignore[reportArgumentType]
    tx.enqueue(JobCall(job="unique", arguments=Letter("a")))
    await JobRecorder({"unique": job(name="unique", unique="{text}").declaration}).record(tx)


async def test_two_transactions_with_the_same_keys_do_not_get_in_each_others_way(keyed: House) -> None:
    keys = [str(number) for number in range(20)]
    await asyncio.gather(*(keyed.enqueue(*(keys if turn % 2 else reversed(keys)), name="unique") for turn in range(20)))
    assert await keyed.value("select count(*) = 20 and count(distinct unique_key) = 20 from system.jobs") is True


async def test_a_lane_bounds_how_many_run_on_all_nodes(house: House) -> None:
    running, most, texts = 0, 0, [str(number) for number in range(12)]

    async def count(transactions: Transactions, run: JobRun) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        await transactions.writing(lambda tx: mark(tx, run))

    narrow = job(count, holds_connection=False, at_once=2)
    for _ in range(3):
        await house.worker(narrow, job(name="other"))
    await house.enqueue(*texts)
    await house.enqueue("not held up", name="other")
    await house.until_marks(*texts, "not held up")
    assert most == 2


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"unique": "{nothing}"}, "must name fields of Letter"),
        ({"unique": "constant"}, "must name fields of Letter"),
        ({"at_once": 0}, "count from 1"),
        ({"attempts": 0}, "count from 1"),
    ],
)
def test_a_job_that_cannot_be_is_refused_where_it_is_declared(declared: dict[str, Any], told: str) -> None:
    with pytest.raises(WrongDeclaration, match=told):
        job(**declared)


def test_a_key_is_made_by_a_template_or_a_function() -> None:
    def key(arguments: msgspec.Struct) -> str:
        assert isinstance(arguments, Letter)
        return arguments.text.lower()

    def declared(**unique: Any) -> Job:
        return job(**unique).declaration

    assert declared(unique="letter {text}").unique_key(Letter("A")) == "letter A"
    assert declared(unique=key).unique_key(Letter("A")) == "a"
    assert declared().unique_key(Letter("A")) is None
