"""Our migrations hold pgqueuer's tables as the pinned version wants them, and are cleaned as they age."""

from datetime import timedelta

from headwater.kernel.bus import PostgresBus
from headwater.kernel.database import Login
from headwater.kernel.events import Dispatcher
from headwater.kernel.jobs import kernel_timers, queue
from headwater.kernel.models import Effects
from tests.kernel.jobs.conftest import House, job


async def test_the_migration_is_what_the_pinned_version_installs(house: House) -> None:
    owner = await house.connector(Login.OWNER)
    plan = await queue.queue_over(owner).plan_upgrade()
    await owner.close()
    unexpected = [text for text in plan.statements if "fn_pgqueuer_changed" not in text]
    assert unexpected == []


async def test_names_in_the_environment_do_not_matter(house: House) -> None:
    assert queue._SETTINGS.model_fields_set == set(type(queue._SETTINGS).model_fields)


async def test_old_ids_and_logs_are_removed_but_not_those_of_kept_jobs(house: House) -> None:
    async def carry_out(_effects: Effects) -> None: ...

    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    await house.worker(job(), job(fail, name="other", attempts=1))
    await house.enqueue("a")
    await house.enqueue("b", name="other")
    await house.until_marks("a")
    await house.until_value(1, "select count(*) from system.pgqueuer")
    await house.database.writing(lambda tx: tx.execute("update system.pgqueuer_log set created = $1", tx.now))
    house.clock.advance(timedelta(days=8).total_seconds())
    bus = PostgresBus(house.connector, house.database, house.observer)
    dispatcher = Dispatcher(house.database, house.clock, house.observer, [], bus, carry_out)
    for bound in kernel_timers(dispatcher):
        await house.database.writing(bound.operation)
    assert await house.value("select count(*) from system.finished") == 0
    assert await house.value("select array_agg(distinct entrypoint) from system.pgqueuer_log") == ["other"]
