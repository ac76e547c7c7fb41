"""What is no longer needed is removed as it ages; what stood in the queue before it was ours is taken along."""

from datetime import timedelta
from importlib.resources import files

from headwater.kernel.bus import PostgresBus
from headwater.kernel.database import Connection, Login
from headwater.kernel.events import Dispatcher
from headwater.kernel.jobs import kernel_timers
from headwater.kernel.models import Effects
from tests.kernel.jobs.conftest import House, job

BEFORE = """
insert into system.pgqueuer (priority, status, entrypoint, payload, attempts, queue_manager_id) values
  (0, 'queued', 'mark', '{"id": "00000000-0000-4000-8000-000000000001", "attempts": 0, "arguments": {"text": "a"}}', 0,
    null),
  (0, 'picked', 'mark', '{"id": "00000000-0000-4000-8000-000000000002", "attempts": 2, "arguments": {"text": "b"}}', 1,
    '00000000-0000-4000-8000-00000000000a'),
  (0, 'failed', 'mark', '{"id": "00000000-0000-4000-8000-000000000003", "attempts": 4, "arguments": {"text": "c"}}', 1,
    null);
insert into system.timers (name, due) values ('tick', '2030-01-02 00:00Z');
insert into system.timers (name, due, job_id, attempts, arguments)
  values ('mark', '2030-01-03 00:00Z', '00000000-0000-4000-8000-000000000004', 1, '{"text": "d"}');
"""
AFTER = """
select array_agg(state || ' ' || (arguments ->> 'text') || ' ' || attempts order by id)
from system.jobs where name = 'mark'
"""


async def test_old_ids_and_failures_are_removed_but_not_the_last_id_of_a_job(house: House) -> None:
    async def carry_out(_effects: Effects) -> None: ...

    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    async def clean() -> None:
        bus = PostgresBus(house.connector, house.database, house.observer)
        dispatcher = Dispatcher(house.database, house.clock, house.observer, [], bus, carry_out)
        for bound in kernel_timers(dispatcher):
            await house.database.writing(bound.operation)

    await house.worker(job(), job(fail, name="other", attempts=1))
    await house.enqueue("a", "b")
    await house.until_marks("a", "b")
    house.clock.advance(1)
    await house.enqueue("c")
    await house.enqueue("d", name="other")
    await house.until_marks("a", "b", "c")
    await house.until_value(1, "select count(*) from system.jobs where state = 'failed'")
    house.clock.advance(timedelta(days=8).total_seconds())
    await clean()
    assert await house.value("select array_agg(job) from system.finished") == ["mark"]
    assert await house.value("select name from system.jobs where state = 'failed'") == "other"
    house.clock.advance(timedelta(days=23).total_seconds())
    await clean()
    assert await house.value("select count(*) from system.jobs") == 0


async def test_what_was_queued_before_is_taken_along(house: House) -> None:
    owner = await house.connector(Login.OWNER)
    try:
        await as_it_was(owner)
        await owner.execute(BEFORE)
        await owner.execute(migration("0003_create_jobs.sql"))
        assert await owner.fetchval(AFTER) == ["queued a 0", "queued b 3", "failed c 5", "waiting d 1"]
        assert await owner.fetchval("select array_agg(name) from system.timers where beat = due") == ["tick"]
    finally:
        await owner.close()
    await house.worker(job())
    await house.until_marks("a", "b")
    house.clock.advance(timedelta(days=3).total_seconds())
    await house.until_marks("a", "b", "d")


async def as_it_was(owner: Connection) -> None:
    """The tables as the first two migrations made them."""
    await owner.execute("drop table system.jobs, system.workers, system.timers, system.finished")
    for name in ("0001_create_pgqueuer.sql", "0002_create_timers.sql"):
        await owner.execute(migration(name))


def migration(name: str) -> str:
    """The text of a migration of the jobs."""
    return files("headwater.kernel.jobs").joinpath("migrations", name).read_text()
