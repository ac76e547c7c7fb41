"""What others make of a score that changed: later, perhaps after a breakdown, and exactly once in the rows."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from headwater.platform.notifications import Inbox
from headwater.platform.realtime import Publishing
from tests.flows.client import connected

from .. import queries
from .game import Game, Player

pytestmark = pytest.mark.asyncio(loop_scope="session")
MESSAGES = """
select (payload->>'points')::int from realtime.messages where channel_name = $1 and event_name = 'score_changed'
order by sequence
"""


async def comes_true(look: Callable[[], Awaitable[object]], within: float = 10.0) -> None:
    """Return once it is so."""
    async with asyncio.timeout(within):
        while not await look():  # noqa: ASYNC110 - consumers ring no bell
            await asyncio.sleep(0.02)


async def hours(game: Game, board: str) -> tuple[int, int]:
    """Actions and points of the last day."""
    told = await game.told(None, "GET", f"/api/boards/{board}/hours")
    return sum(hour["actions"] for hour in told), sum(hour["points"] for hour in told)


async def messages(game: Game, board: str) -> list[int]:
    """The points of each change on the board's channel."""
    rows = await game.house.database.reading(lambda tx: tx.rows(MESSAGES, f"scoreboard:{board}"))
    return [row[0] for row in rows]


async def notices(game: Game, player: Player, board: str) -> list[str]:
    """What a player finds in the inbox about a board, the oldest first."""
    answer = await game.ask(player, "GET", "/api/notifications")
    assert answer.status == 200, answer.body
    about = [notice for notice in answer.json["notices"] if notice["details"]["board"] == board]
    return [notice["kind"].removeprefix("scoreboard.") for notice in reversed(about)]


async def test_every_change_is_counted_in_its_hour_and_logged_on_the_boards_channel(game: Game, ada: Player) -> None:
    board = await game.open_board()
    for points in (10, 20):
        await game.act(ada, points, board)
    game.clock.advance(timedelta(hours=2).total_seconds())
    await game.act(ada, 5, board)

    async def caught_up() -> bool:
        return await hours(game, board) == (3, 35) and len(await messages(game, board)) == 3

    await comes_true(caught_up)
    assert await messages(game, board) == [10, 20, 5]
    assert len(await game.told(None, "GET", f"/api/boards/{board}/hours")) == 2
    assert len(await game.told(None, "GET", f"/api/boards/{board}/hours?hours=1")) == 1


async def test_who_takes_the_lead_and_who_loses_it_hear_of_it(game: Game, ada: Player, grace: Player) -> None:
    board = await game.open_board()
    hers = await connected(game.door, ada.token)
    await game.act(ada, 10, board)
    _, told = await hers.hears_event("LeadChanged")
    assert (told["board"], told["user_id"], told["before"]) == (board, ada.id, None)

    await game.act(grace, 5, board)
    await game.act(grace, 10, board)
    _, told = await hers.hears_event("LeadChanged")
    assert (told["user_id"], told["username"], told["before"]) == (grace.id, grace.name, ada.id)
    assert await notices(game, ada, board) == ["lead_won", "lead_lost"]
    assert await notices(game, grace, board) == ["lead_won"]


async def test_a_hidden_player_leads_nobody_and_is_not_told_of(game: Game, ada: Player, grace: Player) -> None:
    board = await game.open_board()
    await game.told(game.admin, "PATCH", f"/api/players/{ada.id}", {"hidden": True})
    await game.act(ada, 50, board)
    await game.act(grace, 1, board)

    async def told() -> bool:
        return await notices(game, grace, board) == ["lead_won"] and await messages(game, board) != []

    await comes_true(told)
    assert await messages(game, board) == [1]
    assert await notices(game, ada, board) == []


@pytest.mark.parametrize(
    ("owner", "name"),
    [(queries, "add_to_hours"), (Publishing, "announce_all"), (Inbox, "add_notice")],
    ids=["hours", "channel", "notices"],
)
async def test_a_consumer_that_was_down_catches_up_and_counts_nothing_twice(
    owner: Any, name: str, game: Game, ada: Player, grace: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, works, failed = await game.open_board(), getattr(owner, name), asyncio.Event()

    async def breaks(*arguments: Any, **options: Any) -> Any:
        await works(*arguments, **options)
        failed.set()
        raise ConnectionError("after its work was done")

    monkeypatch.setattr(owner, name, breaks)
    for player, points in ((ada, 10), (grace, 20), (ada, 30)):
        await game.act(player, points, board)
    await asyncio.wait_for(failed.wait(), 10)
    monkeypatch.undo()

    async def caught_up() -> bool:
        game.clock.advance(1)  # whoever failed waits before the next attempt
        return (
            await hours(game, board) == (3, 60)
            and await messages(game, board) == [10, 20, 30]
            and (await notices(game, ada, board))[-1:] == ["lead_won"]
        )

    await comes_true(caught_up, 20)
    await game.act(grace, 1, board)

    async def goes_on() -> bool:
        return await hours(game, board) == (4, 61) and await messages(game, board) == [10, 20, 30, 1]

    await comes_true(goes_on)
