"""Loading and comparing, while everything goes on."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

import pytest

from headwater.kernel.database import Database, ReadingTransaction, Transactions
from headwater.kernel.observe import MetricsListener, Observation
from headwater.kernel.principal import Principal

from ... import COMPONENT
from ...models.ranks import Comparison, RanksCompared
from ...ranks import Ranks
from .world import World

T = TypeVar("T")
RAISE = """
update scoreboard.scores set score = score + 1000, standing = standing - 1000, revision = nextval('scoreboard.revision')
where user_id = $1
"""
RAISE_ALONE = "update scoreboard.scores set score = score + 1000, standing = standing - 1000 where user_id = $1"
ADD = """
insert into scoreboard.scores (board, season, user_id, score, standing, reached_at, revision)
values ($1, 1, $2, 7, -7, '2030-01-01Z', nextval('scoreboard.revision'))
"""
DELETE_USER = "delete from auth.users where id = $1"


class HeldBack(Transactions):
    """Reads rows as always, but lets the test act after the first thousand, on whose snapshot all others are read."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.began = asyncio.Event()
        self.may_go_on = asyncio.Event()

    async def stream(
        self, work: Callable[[ReadingTransaction], AsyncGenerator[T]], principal: Principal | None = None
    ) -> AsyncGenerator[T]:
        """What `work` yields, in two parts."""
        first = not self.began.is_set()
        async for chunk in super().stream(work, principal):
            yield chunk
            if first:
                first = False
                self.began.set()
                await self.may_go_on.wait()


async def compare(ranks: Ranks, world: World) -> Comparison:
    """What a comparison of the board finds."""
    return await ranks.reconcile(Transactions(world.database), world.board)


async def must_be_all(ranks: Ranks, world: World) -> None:
    """The whole board is as the rows say, and is answered without them."""
    expected = await world.ranked()
    assert await ranks._held.page(world.board, world.season, 0, 5000) == expected
    for standing in expected[::500]:
        assert await ranks._held.rank(world.board, world.season, standing.user_id) == standing.rank


async def during(ranks: Ranks, world: World, act: Callable[[], Awaitable[Any]]) -> Comparison:
    """What a comparison finds in the middle of which `act` happens."""
    transactions = HeldBack(world.database)
    comparing = asyncio.create_task(ranks.reconcile(transactions, world.board))
    await transactions.began.wait()
    await act()
    transactions.may_go_on.set()
    return await comparing


@pytest.mark.parametrize("held", [False, True], ids=["loading", "comparing"])
async def test_a_change_while_the_rows_come_is_neither_lost_nor_undone(
    ranks: Ranks, full_world: World, held: bool
) -> None:
    world = full_world
    if held:
        assert (await compare(ranks, world)).loaded
    best, worst = [(await world.ranked())[at].user_id for at in (5, 2500)]
    other, newcomer, gone = world.players[:3]
    await world.run("delete from scoreboard.scores where user_id = $1", newcomer)
    if held:
        await compare(ranks, world)

    async def act() -> None:
        for change in (
            await world.add_points(best, -100),
            await world.add_points(worst, 100),
            await world.add_points(newcomer, 3),
            await world.hide_or_show(other),
            *await world.remove(gone),
        ):
            await ranks.apply(change)

    comparison = await during(ranks, world, act)

    assert comparison.complete
    assert comparison.loaded is not held
    assert comparison.differences == 0
    await must_be_all(ranks, world)


async def test_who_was_gone_and_is_back_before_all_rows_came_stays(ranks: Ranks, full_world: World) -> None:
    world = full_world
    await compare(ranks, world)
    back = world.players[0]
    await world.remove(back)  # nobody is told

    async def act() -> None:
        await ranks.apply(await world.add_points(back, 3))

    comparison = await during(ranks, world, act)

    assert comparison.surplus == 0
    await must_be_all(ranks, world)


async def test_a_season_that_begins_while_the_rows_come_begins_empty(ranks: Ranks, full_world: World) -> None:
    world = full_world

    async def act() -> None:
        await ranks.begin_season(world.board, await world.begin_season())
        await ranks.apply(await world.add_points(world.players[0], 5))

    comparison = await during(ranks, world, act)

    assert comparison.complete
    assert (comparison.season, comparison.entries) == (2, 1)
    await must_be_all(ranks, world)


async def test_a_board_that_is_removed_while_the_rows_come_is_not_held(ranks: Ranks, full_world: World) -> None:
    world = full_world

    async def act() -> None:
        await world.run("delete from scoreboard.boards where name = $1", world.board)
        await ranks.drop(world.board)

    assert not (await during(ranks, world, act)).complete
    assert await ranks.page(world.board, 1, 0, 10) == []


async def test_what_was_never_told_is_found_counted_and_mended(
    ranks: Ranks, full_world: World, observations: list[Observation]
) -> None:
    world = full_world
    late, wrong, gone, missing = world.players[:4]
    await world.run("delete from scoreboard.scores where user_id = $1", missing)
    await compare(ranks, world)

    await world.run(RAISE, late)
    await world.run(RAISE_ALONE, wrong)
    await world.run(DELETE_USER, gone)
    await world.run(ADD, world.board, missing)
    found = await compare(ranks, world)

    assert (found.missing, found.late, found.wrong, found.surplus) == (1, 1, 1, 1)
    await must_be_all(ranks, world)
    assert (await compare(ranks, world)).differences == 0
    told = [each for each in observations if isinstance(each, RanksCompared)]
    assert [each.differences for each in told] == [0, 4, 0]
    assert {each.entries for each in told} == {2999}


async def test_a_hidden_player_of_whom_nobody_told_is_found(ranks: Ranks, full_world: World) -> None:
    world = full_world
    await compare(ranks, world)
    await world.run("update scoreboard.players set hidden = true where user_id = $1", world.players[0])

    assert (await compare(ranks, world)).surplus == 1
    await must_be_all(ranks, world)

    await world.run("update scoreboard.players set hidden = false where user_id = $1", world.players[0])
    assert (await compare(ranks, world)).differences == 1
    await must_be_all(ranks, world)


async def test_comparisons_that_are_asked_for_run_behind_everything_else(
    opened: Callable[[], Awaitable[Ranks]], full_world: World, observations: list[Observation]
) -> None:
    ranks = await opened()
    for _ in range(5):
        ranks.compare_soon(full_world.board)
    ranks.compare_soon("no such board")
    async with asyncio.timeout(10):
        while not any(isinstance(each, RanksCompared) for each in observations):  # noqa: ASYNC110 - rings no bell
            await asyncio.sleep(0.01)

    await must_be_all(ranks, full_world)


def test_entries_and_differences_are_metrics() -> None:
    listener = MetricsListener()
    listener(RanksCompared("nobody has brought it yet", 1, 1))
    listener.bring(COMPONENT.observations)
    listener(RanksCompared("arena", 12, 3))
    listener(RanksCompared("arena", 13, 0))

    rendered = listener.render().decode()

    assert 'headwater_rank_entries{board="arena"} 13.0' in rendered
    assert 'headwater_rank_differences_total{board="arena"} 3.0' in rendered
