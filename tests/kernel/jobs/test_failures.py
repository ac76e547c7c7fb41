"""Jobs that failed for good are kept, listed, retried and discarded; everything is counted."""

from uuid import uuid4

from headwater.kernel.database import WritingTransaction
from headwater.kernel.jobs import (
    Census,
    FailedJob,
    JobRun,
    Selection,
    discard_failed,
    list_failed,
    retry_failed,
    survey,
)
from headwater.kernel.observe import JobsCounted, MetricsListener, Observation
from tests.kernel.jobs.conftest import House, Letter, job, mark, timer
from tests.kernel.jobs.test_timers import MINUTE, tick

FAILED = "select count(*) from system.jobs where state = 'failed'"


class Moody:
    """An operation that fails as long as its mood is bad."""

    def __init__(self) -> None:
        self.bad = True
        self.runs: list[JobRun] = []

    async def __call__(self, tx: WritingTransaction, run: JobRun) -> None:
        self.runs.append(run)
        if self.bad:
            raise ValueError(f"no {run.arguments}")
        await mark(tx, run)


async def kept(house: House, selection: Selection | None = None) -> list[FailedJob]:
    """The failures that are listed."""
    return await house.database.reading(lambda tx: list_failed(tx, selection or Selection(), 10))


async def test_a_failed_job_is_listed_and_retried_under_its_id(house: House) -> None:
    moody = Moody()
    await house.worker(job(moody, attempts=1), job(moody, name="other", attempts=1))
    await house.enqueue("a")
    await house.until_value(1, FAILED)
    house.clock.advance(5)
    await house.enqueue("b", name="other", priority=3, unique_key="k")
    await house.until_value(2, FAILED)
    latest, first = await kept(house)
    assert (latest.job, latest.priority, latest.unique_key, latest.failed_at) == ("other", 3, "k", house.clock.now())
    assert first.error == "ValueError: no Letter(text='a')"
    assert [each.id for each in await kept(house, Selection(job="mark"))] == [first.id]
    moody.bad = False
    retried, _ = await house.database.writing(lambda tx: retry_failed(tx, Selection(id=first.id)))
    assert (retried.queued, retried.joined) == (1, 0)
    await house.until_marks("a")
    assert [(run.id, run.attempt) for run in moody.runs if run.arguments == Letter("a")] == [(str(first.id), 1)] * 2
    assert [each.id for each in await kept(house)] == [latest.id]
    retried, _ = await house.database.writing(lambda tx: retry_failed(tx, Selection()))
    await house.until_marks("a", "b")
    assert await kept(house) == []


async def test_a_retry_joins_the_job_that_has_its_key_by_now(house: House) -> None:
    worker = await house.worker(job(Moody(), attempts=1))
    await house.enqueue("a", unique_key="k")
    await house.until_value(1, FAILED)
    await house.enqueue("b", unique_key="k")
    await house.until_value(2, FAILED)
    await worker.stop()
    await house.enqueue("c", unique_key="k")
    retried, _ = await house.database.writing(lambda tx: retry_failed(tx, Selection()))
    assert (retried.queued, retried.joined) == (0, 2)
    await house.worker(job())
    await house.until_marks("c")


async def test_two_failures_of_one_key_become_one_job(house: House) -> None:
    worker = await house.worker(job(Moody(), attempts=1))
    for text in ("a", "b"):
        await house.enqueue(text, unique_key="k")
        await house.until_value(1 if text == "a" else 2, FAILED)
    await worker.stop()
    retried, _ = await house.database.writing(lambda tx: retry_failed(tx, Selection(job="mark")))
    assert (retried.queued, retried.joined) == (1, 1)
    await house.worker(job())
    await house.until_marks("a")


async def test_failures_are_discarded_by_id_by_name_or_all(house: House) -> None:
    await house.worker(job(Moody(), attempts=1), job(Moody(), name="other", attempts=1))
    await house.enqueue("a", "b", "c")
    await house.enqueue("d", name="other")
    await house.until_value(4, FAILED)

    async def discard(selection: Selection) -> int:
        return (await house.database.writing(lambda tx: discard_failed(tx, selection)))[0]

    assert await discard(Selection(id=(await kept(house))[0].id)) == 1
    assert await discard(Selection(id=uuid4())) == 0
    assert await discard(Selection(job="unknown")) == 0
    assert await discard(Selection(job="mark")) + await discard(Selection()) == 3


async def test_the_census_becomes_gauges(house: House, observations: list[Observation]) -> None:
    await house.worker(job(Moody(), attempts=1))
    await house.enqueue("a")
    await house.until_value(1, FAILED)
    stopped = await house.worker(timers=[timer(tick, MINUTE)])
    await stopped.stop()
    await house.enqueue("b", name="other")
    house.clock.advance(90)
    census = Census(house.database, house.clock, house.observer, ["mark", "other", "idle"], ["tick"], 60)
    await census._count()
    (counted,) = [seen for seen in observations if isinstance(seen, JobsCounted)]
    metrics = MetricsListener()
    metrics(counted)
    told = metrics.render().decode()
    for line in (
        'headwater_jobs{job="mark",state="failed"} 1.0',
        'headwater_jobs{job="other",state="queued"} 1.0',
        'headwater_jobs{job="idle",state="queued"} 0.0',
        'headwater_job_oldest_seconds{job="other"} 90.0',
        'headwater_timer_lag_seconds{timer="tick"} 30.0',
    ):
        assert line in told, told
    assert counted.jobs != ()


async def test_a_survey_tells_of_every_job_timer_and_worker(house: House) -> None:
    start = house.clock.now()
    await house.worker(job(), timers=[timer(tick, MINUTE)])
    await house.enqueue("a")
    await house.until_marks("a")
    await house.enqueue("b", after=MINUTE * 60)
    await house.enqueue("c", name="other")
    told = await house.database.reading(lambda tx: survey(tx, ["idle", "mark"]))
    idle, marks, other = told.jobs
    assert (idle.name, idle.state, idle.last_run, idle.next_run) == ("idle", "idle", None, None)
    assert (marks.state, marks.waiting, marks.last_run, marks.next_run) == ("waiting", 1, start, start + MINUTE * 60)
    assert (other.name, other.state, other.declared, other.oldest) == ("other", "queued", False, start)
    (ticking,) = told.timers
    assert (ticking.rhythm, ticking.state, ticking.next_run) == ("every 0:01:00", "scheduled", start + MINUTE)
    (worker,) = told.workers
    assert worker.running == 0 and ":" in worker.place
