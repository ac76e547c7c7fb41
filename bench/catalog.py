"""Reading a large schema: how long until a change is known, and how long the loop stands still meanwhile."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from time import perf_counter, thread_time
from typing import NamedTuple

from bench.kit.house import empty_database
from bench.kit.report import Promise, conclude
from bench.kit.scratch import scratch
from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connection

TABLES = 2_000
VIEWS = 200
ROUNDS = 5


class Took(NamedTuple):
    """Seconds that a renewal took, and the longest in which the loop did nothing else.

    `stall` is processor time: what the clock says besides is time in which the machine did something else.
    """

    seconds: float
    stall: float


async def _create_tables(admin: Connection) -> None:
    """Tables of ten columns that refer to one another, and views over them."""
    for first in range(0, TABLES, 100):
        await admin.execute(
            "".join(
                f"create table many_{n} (id integer generated always as identity primary key, a text not null, b text,"
                " c integer unique, d jsonb, e timestamptz default now(), f varchar(20), g uuid default"
                f" gen_random_uuid(), h text[], p integer references many_{n - bool(n)});"
                for n in range(first, first + 100)
            )
        )
    for n in range(VIEWS):
        await admin.execute(
            f"create view seen_{n} as select m.id, m.a, m.b, m.p, o.c, o.d, (select max(x.id) from many_{n} x) as last"
            f" from many_{n} m join many_{n + 1} o on o.id = m.p"
        )


async def timed(work: Callable[[], Awaitable[object]]) -> Took:
    """Carry out `work` while another task asks for the loop as often as it can."""
    stalls = [0.0]

    async def watch() -> None:
        last = thread_time()
        while True:
            await asyncio.sleep(0)
            now = thread_time()
            stalls.append(now - last)
            last = now

    watching = asyncio.get_running_loop().create_task(watch())
    await asyncio.sleep(0.05)
    stalls.clear()
    begun = perf_counter()
    await work()
    seconds = perf_counter() - begun
    watching.cancel()
    return Took(seconds, max(stalls))


async def measure(folder: Path) -> dict[str, list[Took]]:
    """Each kind of renewal, `ROUNDS` times."""
    took: dict[str, list[Took]] = {name: [] for name in ("everything", "one table changed", "one view changed", "none")}
    async with empty_database(folder) as (database, admin):
        await _create_tables(admin)
        for turn in range(ROUNDS):
            catalog = Catalog(database)
            took["everything"].append(await timed(catalog.refresh))
            await admin.execute(f"alter table many_7 add column more_{turn} text")
            took["one table changed"].append(await timed(catalog.refresh_if_changed))
            await admin.execute(f"create or replace view extra as select id as id_{turn} from many_9; drop view extra")
            await admin.execute(f"create view extra_{turn} as select id, a from many_9")
            took["one view changed"].append(await timed(catalog.refresh_if_changed))
            took["none"].append(await timed(catalog.refresh_if_changed))
    return took


def main() -> int:
    """1 when a renewal takes too long or holds the loop."""
    with scratch() as folder:
        took = asyncio.run(measure(folder / "data"))
    for name, rounds in took.items():
        print(f"{name:<20}", *(f"{each.seconds:.3f} s (stall {each.stall * 1000:.1f} ms)" for each in rounds))
    stall = max(median(each.stall for each in rounds) for rounds in took.values())
    return conclude(
        f"the catalog of {TABLES} tables and {VIEWS} views",
        [
            Promise("all of it", median(t.seconds for t in took["everything"]), 2.0, "s", goal=1.0, at_most=True),
            Promise(
                "after one table changed", median(t.seconds for t in took["one table changed"]), 0.5, "s", at_most=True
            ),
            Promise(
                "after one view changed", median(t.seconds for t in took["one view changed"]), 0.5, "s", at_most=True
            ),
            Promise("the loop stands still, at the longest", stall * 1000, 25.0, "ms", goal=10.0, at_most=True),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
