"""Jobs run at least once, with exactly-once effects on rows."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from headwater.kernel.database import Login, Transactions, WritingTransaction
from headwater.kernel.errors import DatabaseUnavailable, TimedOut
from headwater.kernel.jobs import (
    Census,
    JobRun,
    JobSettings,
    Selection,
    UndeclaredJob,
    WorkerLost,
    WrongArguments,
    list_failed,
    queries,
)
from headwater.kernel.jobs.models import Picked
from headwater.kernel.models import AuditEntry, CacheKey, JobCall
from headwater.kernel.observe import HookFailed, JobFailed, JobFinished, Observation
from tests.kernel.jobs.conftest import PROMPT, House, job, mark
from tests.kernel.waiting import until

ROWS = "select count(*) from system.jobs"
WAITING = "select count(*) from system.jobs where state = 'waiting'"
RUNNING = "select count(*) from system.jobs where state = 'running'"
CUT_ALL = (
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = current_user and pid <> pg_backend_pid()"
)
FAILED = "select count(*) from system.jobs where state = 'failed'"


RELEASE = "update system.jobs set state = 'queued', worker = null"


async def pick(tx: WritingTransaction) -> list[Picked]:
    """Pick one job for a worker that dies before it does anything."""
    worker = uuid4()
    await queries.add_worker(tx, worker, "elsewhere:1")
    return await queries.pick_jobs(tx, {"mark": None}, worker, 1)


class Broken:
    """An operation that marks, then fails, as often as told."""

    def __init__(self, times: int = 10**6) -> None:
        self.left = times
        self.runs: list[JobRun] = []

    async def __call__(self, tx: WritingTransaction, run: JobRun) -> None:
        self.runs.append(run)
        await mark(tx, run)
        if self.left > 0:
            self.left -= 1
            raise ZeroDivisionError


async def test_a_job_runs_after_commit_and_leaves_the_queue(house: House, observations: list[Observation]) -> None:
    await house.worker(job())
    await house.enqueue("a", "b", "c")
    await house.until_marks("a", "b", "c")
    await house.until_value(0, ROWS)
    assert await house.value("select count(*) from system.finished") == 3
    await until(lambda: sum(isinstance(seen, JobFinished) for seen in observations) == 3)


async def test_a_call_is_rolled_back_with_its_transaction(house: House) -> None:
    async def work(tx: WritingTransaction) -> None:
        tx.enqueue(JobCall(job="mark", arguments=job().declaration.arguments("a")))
        tx.enqueue(JobCall(job="mark", arguments=job().declaration.arguments("b"), due=tx.now + timedelta(1)))
        await tx.execute("insert into public.marks (mark) values ('x')")
        await tx.execute("select 1 / 0")

    with pytest.raises(Exception, match="division by zero"):
        await house.database.writing(work)
    assert (await house.value(ROWS), await house.value(WAITING), await house.marks()) == (0, 0, [])


@pytest.mark.parametrize(
    ("call", "refused"),
    [
        (JobCall(job="unknown", arguments=msgspec.Struct()), UndeclaredJob),
        (JobCall(job="mark", arguments=msgspec.Struct()), WrongArguments),
    ],
)
async def test_a_call_that_no_worker_could_run_undoes_its_transaction(
    house: House, call: JobCall, refused: type[Exception]
) -> None:
    async def work(tx: WritingTransaction) -> None:
        await tx.execute("insert into public.marks (mark) values ('x')")
        tx.enqueue(call)

    with pytest.raises(refused):
        await house.database.writing(work)
    assert await house.marks() == []


async def test_a_hurried_job_does_not_wait_for_the_poll_on_any_node(house: House) -> None:
    patient = JobSettings(poll=60)
    here = await house.worker(settings=patient)
    await house.worker(job(), settings=patient)
    await asyncio.sleep(0.1)
    await house.enqueue("a")
    here.hurry()
    await house.until_marks("a")


async def test_more_jobs_than_slots_keep_coming_without_a_poll(house: House) -> None:
    texts = [str(number) for number in range(40)]
    await house.enqueue(*texts)
    worker = await house.worker(job(), settings=JobSettings(poll=60, slots=3))
    await house.until_marks(*texts)
    await until(lambda: worker.running == 0)


async def test_two_workers_run_each_job_once(house: House) -> None:
    texts = [str(number) for number in range(60)]
    await house.worker(job())
    await house.worker(job())
    for text in texts:
        await house.enqueue(text)
    await house.until_marks(*texts)
    await house.until_value(0, ROWS)


async def test_a_failed_job_is_tried_again_later_each_time(house: House, observations: list[Observation]) -> None:
    broken = Broken(times=2)
    await house.worker(job(broken))
    await house.enqueue("a")
    for attempt, pause in ((1, 10), (2, 20)):
        await house.until_value(attempt, "select attempts from system.jobs where state = 'waiting'")
        assert await house.value("select due from system.jobs") == house.clock.now() + timedelta(seconds=pause)
        house.clock.advance(pause - 1)
        await asyncio.sleep(0.15)
        assert len(broken.runs) == attempt
        house.clock.advance(1)
    await house.until_marks("a")
    assert [run.attempt for run in broken.runs] == [1, 2, 3]
    assert len({run.id for run in broken.runs}) == 1
    assert [(seen.attempt, seen.final) for seen in observations if isinstance(seen, JobFailed)] == [
        (1, False),
        (2, False),
    ]
    await house.until_value(0, ROWS)
    assert await house.value(WAITING) == 0


async def test_a_final_failure_is_kept_with_its_error(house: House, observations: list[Observation]) -> None:
    await house.worker(job(Broken(), attempts=2))
    await house.enqueue("a")
    await house.until_value(1, WAITING)
    house.clock.advance(10)
    await house.until_value(1, FAILED)
    assert await house.marks() == []
    await until(lambda: [seen.final for seen in observations if isinstance(seen, JobFailed)] == [False, True])
    (failed,) = await house.database.reading(lambda tx: list_failed(tx, Selection(), 10))
    assert (failed.job, failed.attempts, failed.failed_at) == ("mark", 2, house.clock.now())
    assert bytes(failed.arguments) == b'{"text":"a"}'
    assert failed.error == "ZeroDivisionError: "
    assert failed.traceback is not None and failed.traceback.rstrip().endswith("ZeroDivisionError")


async def test_a_worker_that_dies_after_commit_and_before_anybody_knew_repeats_nothing(house: House) -> None:
    await house.enqueue("a")

    async def die(tx: WritingTransaction) -> None:
        (picked,) = await pick(tx)
        assert await queries.add_finished(tx, picked.id, picked.job)
        await tx.execute("insert into public.marks (mark) values ('a')")

    await house.database.writing(die)
    assert await house.value(RUNNING) == 1
    await house.worker(job(), settings=JobSettings(poll=0.03, heartbeat=0.05))
    await house.until_value(0, ROWS)
    assert await house.marks() == ["a"]


async def test_a_job_outside_transactions_is_repeated_only_until_it_is_finished(house: House) -> None:
    runs: list[str] = []

    async def call_outside(transactions: Transactions, run: JobRun) -> None:
        runs.append(run.id)
        await transactions.writing(lambda tx: mark(tx, run))
        if len(runs) == 1:
            raise ZeroDivisionError

    await house.worker(job(call_outside, holds_connection=False))
    await house.enqueue("a")
    await house.until_value(1, WAITING)
    house.clock.advance(10)
    await house.until_value(0, ROWS)
    assert await house.marks() == ["a", "a"]
    assert len(set(runs)) == 1
    assert await house.value("select count(*) from system.finished") == 1


async def test_a_silent_workers_job_is_taken_over_and_a_living_ones_is_not(
    house: House, observations: list[Observation]
) -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    runs: list[JobRun] = []

    async def wait(transactions: Transactions, run: JobRun) -> None:
        runs.append(run)
        number = len(runs)
        await gates[number - 1].wait()
        if number == 1:
            raise ZeroDivisionError
        await transactions.writing(lambda tx: mark(tx, run))

    quick = JobSettings(poll=0.03, heartbeat=1.5)
    slow = job(wait, holds_connection=False)
    first = await house.worker(slow, settings=quick)
    await house.enqueue("a")
    await until(lambda: first.running == 1)
    second = await house.worker(slow, settings=quick)
    await asyncio.sleep(2.5)
    assert second.running == 0
    await first._pulse._rounds.stop()
    await until(lambda: second.running == 1)
    gates[0].set()
    await until(lambda: any(isinstance(seen, JobFailed) for seen in observations))
    assert (await house.value(WAITING), await house.value(RUNNING)) == (0, 1)  # the row is the second worker's now
    gates[1].set()
    await house.until_marks("a")
    await house.until_value(0, ROWS)
    assert len(runs) == 2
    assert [run.attempt for run in runs] == [1, 2]


async def test_a_job_that_always_takes_its_worker_along_ends_as_failed(
    house: House, observations: list[Observation]
) -> None:
    await house.enqueue("a")
    for _ in range(2):
        await house.database.writing(pick)
        await house.database.writing(lambda tx: tx.execute(RELEASE))
    await house.worker(job(attempts=2), settings=JobSettings(poll=0.03, heartbeat=0.05))
    await house.until_value(1, FAILED)
    await until(lambda: any(isinstance(seen, JobFailed) for seen in observations))
    (failed,) = [seen for seen in observations if isinstance(seen, JobFailed)]
    assert isinstance(failed.failure, WorkerLost)
    assert await house.marks() == []


async def test_a_job_that_takes_too_long_is_undone(house: House, observations: list[Observation]) -> None:
    async def dawdle(tx: WritingTransaction, run: JobRun) -> None:
        await mark(tx, run)
        await tx.execute("select pg_sleep(30)")

    await house.worker(job(dawdle, timeout=timedelta(seconds=0.1)))
    await house.enqueue("a")
    await house.until_value(1, WAITING)
    await until(lambda: any(isinstance(seen, JobFailed) for seen in observations))
    (failed,) = [seen for seen in observations if isinstance(seen, JobFailed)]
    assert isinstance(failed.failure, TimedOut)
    assert await house.marks() == []


async def test_a_stopping_worker_finishes_what_is_quick_and_puts_the_rest_back(house: House) -> None:
    begun: list[str] = []
    leaving = asyncio.Event()

    async def sleep(transactions: Transactions, run: JobRun) -> None:
        text = msgspec.structs.asdict(run.arguments)["text"]
        begun.append(text)
        await (leaving.wait() if text == "quick" else asyncio.sleep(60))
        await transactions.writing(lambda tx: mark(tx, run))

    worker = await house.worker(job(sleep, holds_connection=False), settings=JobSettings(poll=0.03, stop_patience=2))
    await house.enqueue("quick", "slow")
    await until(lambda: len(begun) == 2)
    await house.enqueue("later")
    stopping = asyncio.ensure_future(worker.stop())
    await asyncio.sleep(0)
    leaving.set()
    await stopping
    assert await house.marks() == ["quick"]
    assert await house.value("select count(*) from system.jobs where state = 'queued' and attempts = 0") >= 1
    await house.worker(job())
    await house.until_marks("quick", "slow", "later")


async def test_a_job_that_nobody_declares_stays_and_is_told_once(house: House, observations: list[Observation]) -> None:
    await house.enqueue("a", "b", name="other")
    await house.worker(job())
    await house.enqueue("c")
    await house.until_marks("c")
    census = Census(house.database, house.clock, house.observer, ["mark"], [], 60)
    await census._count()
    await census._count()
    told = [seen.failure for seen in observations if isinstance(seen, HookFailed)]
    assert [str(failure) for failure in told] == ["No component here declares a job 'other'"]
    assert await house.value(ROWS) == 2
    await house.worker(job(name="other"))
    await house.until_marks("a", "b", "c")


async def test_arguments_that_a_newer_version_cannot_read_end_as_failed(
    house: House, observations: list[Observation]
) -> None:
    await house.enqueue("a", "b")
    await house.database.writing(lambda tx: tx.execute("update system.jobs set arguments = '{}' where number = 1"))
    await house.worker(job(attempts=1))
    await house.until_marks("b")
    await house.until_value(1, FAILED)
    assert any(isinstance(seen, JobFailed) and seen.final for seen in observations)


async def test_what_a_job_leaves_behind_is_carried_out_after_its_commit(house: House) -> None:
    async def leave(tx: WritingTransaction, run: JobRun) -> None:
        await mark(tx, run)
        tx.forget(CacheKey("x"))
        tx.audit(AuditEntry(action="MARK", module="tests"))
        if run.arguments == job().declaration.arguments("a"):
            tx.enqueue(JobCall(job="mark", arguments=job().declaration.arguments("b")))

    await house.worker(job(leave))
    await house.enqueue("a")
    await house.until_marks("a", "b")
    await until(lambda: sum(effects.forgets == [CacheKey("x")] for effects in house.carried_out) == 2)
    assert await house.value("select count(*) from system.audit_logs") == 2


async def test_a_job_for_later_waits_for_the_clock(house: House) -> None:
    await house.worker(job())
    await house.enqueue("later", after=timedelta(days=3))
    await house.enqueue("now")
    await house.until_marks("now")
    house.clock.advance(3 * 24 * 3600 - 1)
    await asyncio.sleep(0.15)
    assert await house.marks() == ["now"]
    house.clock.advance(1)
    await house.until_marks("now", "later")


async def test_a_lost_database_only_delays(house: House) -> None:
    await house.worker(job(), settings=PROMPT)
    await house.enqueue("a")
    await house.until_marks("a")
    connection = await house.connector(Login.OWNER)
    await connection.execute(CUT_ALL)
    await connection.close()
    while True:
        try:
            await house.enqueue("b")
        except DatabaseUnavailable:
            continue
        break
    await house.until_marks("a", "b")
