"""Whatever happens in whatever order, ranks are what Postgres' rank() says."""

from collections.abc import Callable
from random import Random

from headwater.kernel.database import Transactions

from ...models.ranks import Change
from ...ranks import Ranks
from .world import World, must_agree, tell


async def test_everything_that_happens_is_ranked_as_sql_does(
    ranks: Ranks, either_order: World, seeded: Random, scaled: Callable[[int], int]
) -> None:
    world = either_order
    await ranks.reconcile(Transactions(world.database), world.board)
    for _ in range(scaled(100)):
        told: list[Change | int] = []
        for _ in range(20):
            told += await world.step()
        told += seeded.sample(told, len(told) // 3)
        seeded.shuffle(told)  # twice, late, in any order
        for one in told:
            await tell(ranks, world.board, one)
        await must_agree(ranks, world)
    comparison = await ranks.reconcile(Transactions(world.database), world.board)
    assert comparison.complete
    assert comparison.differences == 0


async def test_archives_are_counted_in_sql(ranks: Ranks, either_order: World) -> None:
    world = either_order
    await ranks.reconcile(Transactions(world.database), world.board)
    for points, player in enumerate(world.players):
        await ranks.apply(await world.add_points(player, points % 5))
    await ranks.apply(await world.hide_or_show(world.players[3]))
    await ranks.begin_season(world.board, await world.begin_season())

    await must_agree(ranks, world, 1)
    await must_agree(ranks, world, 2)


async def test_points_that_bring_nothing_reorder_nothing(ranks: Ranks, world: World) -> None:
    await ranks.reconcile(Transactions(world.database), world.board)
    for player in world.players[:5]:
        await ranks.apply(await world.add_points(player, 7))
    before = await ranks.page(world.board, 1, 0, 10)

    for player in world.players[:5]:
        await ranks.apply(await world.add_points(player, 0))

    assert await ranks.page(world.board, 1, 0, 10) == before


async def test_a_board_that_is_not_held_is_answered_by_the_rows(ranks: Ranks, world: World) -> None:
    for player in world.players:
        await ranks.apply(await world.add_points(player, 1))

    await must_agree(ranks, world)


async def test_a_board_that_is_gone_leaves_nothing_behind(ranks: Ranks, world: World) -> None:
    await ranks.reconcile(Transactions(world.database), world.board)
    change = await world.add_points(world.players[0], 5)
    await ranks.apply(change)
    await world.run("delete from scoreboard.boards where name = $1", world.board)
    await ranks.drop(world.board)
    await ranks.apply(change)

    assert await ranks.page(world.board, 1, 0, 10) == []
    assert not (await ranks.reconcile(Transactions(world.database), world.board)).complete
