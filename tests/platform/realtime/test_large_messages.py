"""Large messages: none of them may cut its listeners off, and who comes back is not read more than he takes in."""

import asyncpg
import pytest

from headwater.kernel.database import Connect, Login
from headwater.platform.realtime import queries
from tests.kernel.waiting import until
from tests.platform.realtime.conftest import Desk

PUBLISH = "select realtime.publish('news', 'said', jsonb_build_object('n', $1::int, 'text', repeat('x', $2)))"
LONGEST = 262_144


async def test_sql_publishes_nothing_that_would_cut_every_listener_off(connector: Connect, desk: Desk) -> None:
    ear, _ = await desk.connect()
    await desk.subscribe(ear, "news")
    owner = await connector(Login.OWNER)
    await owner.fetchval(PUBLISH, 1, LONGEST - 100)
    with pytest.raises(asyncpg.CheckViolationError, match="payload_is_not_too_long"):
        await owner.fetchval(PUBLISH, 2, LONGEST)
    await owner.close()
    await until(lambda: ear.heard("said"))
    assert [each["n"] for each in ear.heard("said")] == [1] and ear.connected


async def test_who_comes_back_is_read_as_much_as_fits_a_page_and_then_the_rest(desk: Desk) -> None:
    first, _ = await desk.connect()
    epoch = (await desk.subscribe(first, "news")).epoch
    for n in range(1, 21):
        await desk.say(PUBLISH, n, 100_000 if n % 2 else 10)
    await until(lambda: len(first.heard("said")) == 20)

    place = await desk.say("select place from realtime.log")
    for after, most_bytes, numbers in ((0, 1, [1]), (0, 100_500, [1, 2]), (1, 300_000, [2, 3, 4, 5, 6]), (20, 9, [])):
        page = await desk.database.single(
            lambda tx, after=after, most=most_bytes: queries.read_log(tx, ["news"], after, place, 500, most)
        )
        assert [message.offset for message in page.messages] == numbers
        assert page.reached == (numbers[-1] if numbers else place)
    page = await desk.database.single(lambda tx: queries.read_log(tx, ["news"], 0, place, 3, 10**9))
    assert (len(page.messages), page.reached) == (3, 3)
    nothing = await desk.database.single(lambda tx: queries.read_log(tx, ["nowhere"], 0, place, 3, 10**9))
    assert (nothing.messages, nothing.reached, nothing.pruned) == ([], place, 0)

    back, _ = await desk.connect()
    await desk.subscribe(back, "news", (0, epoch))
    await until(lambda: len(back.heard("said")) == 20)
    assert [each["n"] for each in back.heard("said")] == list(range(1, 21))
