"""Priority is a head start of an hour a point: strict as long as nobody waits that long, and nobody waits for ever."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from headwater.kernel.database import WritingTransaction
from headwater.kernel.jobs import queries
from headwater.kernel.jobs.queries.queue import PICK_JOBS
from tests.kernel.jobs.conftest import House, Letter, job

HOUR = 3600.0
WORKER = UUID("00000000-0000-4000-8000-000000000001")
CROWD = """
insert into system.jobs (id, name, arguments, priority, state, due, enqueued_at)
select gen_random_uuid(), 'mark', '{"text": "-"}', n % 7, 'queued', $1::timestamptz + n * interval '1 second', $1
from generate_series(1, 20000) n
"""


async def test_within_an_hour_the_order_is_by_priority(house: House) -> None:
    await house.enqueue("old")
    house.clock.advance(HOUR - 1)
    await house.enqueue("high", priority=1)
    await house.enqueue("low", priority=-1)
    await house.worker(job(at_once=1))
    await house.until_marks("old", "high", "low")
    assert await house.marks() == ["high", "old", "low"]


@pytest.mark.parametrize("points", [1, 2, 30])
async def test_who_waits_an_hour_a_point_longer_overtakes(house: House, points: int) -> None:
    await house.enqueue("patient", priority=3 - points)
    house.clock.advance(points * HOUR + 1)
    await house.enqueue("high", priority=3)
    await house.worker(job(at_once=1))
    await house.until_marks("patient", "high")
    assert await house.marks() == ["patient", "high"]


async def test_a_stream_of_higher_ones_starves_nobody(house: House) -> None:
    await house.enqueue("low")
    picked: list[str] = []
    await house.database.writing(lambda tx: queries.add_worker(tx, WORKER, "here"))
    for hour in range(20):
        await house.enqueue(f"high {hour}", f"high {hour} too", priority=5)
        picked += await take(house)
        house.clock.advance(HOUR)
        if "low" in picked:
            break
    assert picked.index("low") == 10


async def take(house: House) -> list[str]:
    """What one pick of one job takes; it is gone then."""

    async def work(tx: WritingTransaction) -> list[str]:
        picked = await queries.pick_jobs(tx, {"mark": None}, WORKER, 1)
        for each in picked:
            await queries.remove_job(tx, each.id)
        return [msgspec.json.decode(each.arguments, type=Letter).text for each in picked]

    taken, _ = await house.database.writing(work)
    return taken


async def test_time_before_it_was_due_is_no_waiting(house: House) -> None:
    await house.enqueue("called long ago", after=timedelta(days=30))
    house.clock.advance(timedelta(days=30).total_seconds() - 60)
    await house.enqueue("waits", priority=0)
    house.clock.advance(61)
    await house.database.writing(lambda tx: tx.execute("update system.jobs set state = 'queued'"))
    await house.worker(job(at_once=1))
    await house.until_marks("waits", "called long ago")
    assert await house.marks() == ["waits", "called long ago"]


async def test_the_index_holds_the_order(house: House) -> None:
    now = house.clock.now()
    await house.database.writing(lambda tx: tx.execute(CROWD, now))
    await house.database.writing(lambda tx: tx.execute("analyze system.jobs"))

    async def explain(tx: WritingTransaction) -> str:
        await tx.execute(f"prepare pick as {PICK_JOBS}")
        return await tx.value(f"explain (format json) execute pick ('{{mark}}', '{{null}}', '{WORKER}', 5)")

    plan, _ = await house.database.writing(explain)
    scans = [node for node in nodes(json.loads(plan)[0]["Plan"]) if node.get("Index Name") == "jobs_queued"]
    assert [scan["Node Type"] for scan in scans] == ["Index Scan"]
    assert "name" in scans[0]["Index Cond"]
    (locked,) = [node for node in nodes(json.loads(plan)[0]["Plan"]) if node["Node Type"] == "LockRows"]
    assert [node["Node Type"] for node in nodes(locked)] == ["LockRows", "Index Scan"], "nothing is sorted"


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """A plan's nodes, from the top down."""
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]
