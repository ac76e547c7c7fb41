"""Who lets the ranks be loaded, compared and healed."""

import asyncio

from headwater.kernel.database import Transactions
from headwater.kernel.observe import Observation, Observer

from ...events import BoardOpened
from ...events.ranks import ComparisonAsked
from ...models.ranks import RanksCompared
from ...operations.ranking import Ranking
from ...ranks import Ranks
from .test_comparing import RAISE, must_be_all
from .world import World


async def _told(observations: list[Observation], count: int) -> RanksCompared:
    """The newest of so many comparisons of the board."""
    async with asyncio.timeout(10):
        while True:
            told = [each for each in observations if isinstance(each, RanksCompared) and each.board == "crowd"]
            if len(told) >= count:
                return told[-1]
            await asyncio.sleep(0.01)


async def test_ranks_are_there_before_the_first_question_and_healed_after_a_gap(
    full_world: World, observer: Observer, observations: list[Observation]
) -> None:
    ranking = Ranking(Ranks(full_world.database, observer, None))
    await ranking.warm(Transactions(full_world.database))
    await must_be_all(ranking.ranks, full_world)

    await full_world.run(RAISE, full_world.players[0])
    await ranking.ranks.load(Transactions(full_world.database))
    await must_be_all(ranking.ranks, full_world)

    assert (await _told(observations, 2)).differences == 1
    await ranking.close()


async def test_the_timer_asks_every_node_and_each_compares_behind_its_back(
    full_world: World, observer: Observer, observations: list[Observation]
) -> None:
    ranking = Ranking(Ranks(full_world.database, observer, None))
    await ranking.warm(Transactions(full_world.database))

    _, effects = await full_world.database.writing(ranking.compare_ranks)
    assert ComparisonAsked(board=full_world.board) in effects.events
    await full_world.run(RAISE, full_world.players[0])
    await ranking.follow_comparison(ComparisonAsked(board=full_world.board))

    assert (await _told(observations, 2)).differences == 1
    await ranking.close()


async def test_a_board_that_was_opened_is_held(
    full_world: World, observer: Observer, observations: list[Observation]
) -> None:
    ranking = Ranking(Ranks(full_world.database, observer, None))
    ranking.ranks.start()
    await ranking.follow_opening(BoardOpened(board=full_world.board))

    await _told(observations, 1)
    await must_be_all(ranking.ranks, full_world)
    await ranking.close()
