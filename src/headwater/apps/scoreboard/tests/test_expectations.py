"""What users of leaderboards expect of one (contracts/scoreboard.md, the last table)."""

import asyncio
from datetime import datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

import pytest

from headwater.kernel.clock import moment

from ..models import ScoreboardSettings
from ..operations import Boards
from .game import Game, Player, listed
from .test_defects import code

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def adjust(game: Game, player: Player, points: int, board: str) -> dict[str, object]:
    path = f"/api/boards/{board}/players/{player.id}/adjustments"
    return await game.told(game.admin, "POST", path, {"points": points})


async def run_timers(game: Game) -> None:
    """What the timer does: it ticks every ten seconds of the clock, and may come late."""
    _, effects = await game.house.database.writing(Boards(ScoreboardSettings()).reset_due_boards)
    await game.house._aftermath.carry_out(effects)


async def crowd(game: Game, board: str, size: int) -> list[Player]:
    """Players with one point fewer each, the first of the board first."""
    players = [await game.register() for _ in range(size)]
    for place, player in enumerate(players):
        await adjust(game, player, 100 - place, board)
    return players


async def test_around_me_i_am_always_there_with_so_many_beside_me_as_there_are(game: Game) -> None:
    board = await game.open_board()
    players = await crowd(game, board, 7)

    async def around(place: int, above: int, below: int) -> list[int]:
        query = f"?board={board}&above={above}&below={below}"
        told = await game.told(players[place - 1], "GET", "/api/scoreboard/around-me" + query)
        assert told["totalUsers"] == 7
        for rank, name, score in listed(told):
            assert (name, score) == (players[rank - 1].name, 101 - rank)
        return [place["rank"] for place in told["scoreboard"]]

    assert await around(4, 2, 2) == [2, 3, 4, 5, 6]
    assert await around(4, 0, 0) == [4]
    assert await around(1, 2, 2) == [1, 2, 3]
    assert await around(7, 2, 2) == [5, 6, 7]
    assert await around(2, 5, 0) == [1, 2]
    assert await around(6, 0, 5) == [6, 7]
    assert await around(4, 50, 50) == [1, 2, 3, 4, 5, 6, 7]


async def test_pages_join_without_a_gap_and_without_anybody_twice(game: Game) -> None:
    board = await game.open_board()
    await crowd(game, board, 5)
    whole = await game.places(board, "&limit=100")
    assert [rank for rank, _, _ in whole] == [1, 2, 3, 4, 5]
    for size in (1, 2, 3, 4):
        pages = [await game.places(board, f"&offset={offset}&limit={size}") for offset in range(0, 6, size)]
        assert [*chain.from_iterable(pages)] == whole
    assert await game.places(board) == whole


async def test_nothing_more_does_not_reorder(game: Game, ada: Player, grace: Player) -> None:
    board = await game.open_board()
    for player in (ada, grace):
        game.clock.advance(1)
        await game.act(player, 10, board)
    before = await game.told(None, "GET", f"/api/scoreboard?board={board}")
    game.clock.advance(1)
    assert (await adjust(game, ada, 0, board))["rank"] == 1, "the first to reach it stays the first"
    assert await game.told(None, "GET", f"/api/scoreboard?board={board}") == before
    best = await game.open_board(operator="best")
    await game.act(ada, 10, best)
    game.clock.advance(1)
    await game.act(grace, 10, best)
    await game.act(ada, 3, best)
    assert await game.places(best) == [(1, ada.name, 10), (2, grace.name, 10)], "a worse try changes nothing"


@pytest.mark.parametrize("ascending", [False, True], ids=["the most", "the least"])
@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("increment", {False: (60, 55), True: (60, 55)}),
        ("best", {False: (30, 40), True: (10, 5)}),
        ("set", {False: (20, 10), True: (20, 10)}),
    ],
)
async def test_a_board_adds_up_keeps_the_best_or_takes_the_last(
    operator: str, ascending: bool, expected: dict[bool, tuple[int, int]], game: Game, ada: Player, grace: Player
) -> None:
    board = await game.open_board(operator=operator, ascending=ascending)
    for player, tries in ((ada, (10, 30, 20)), (grace, (5, 40, 10))):
        for points in tries:
            told = await game.act(player, points, board)
    scores = dict(zip((ada.name, grace.name), expected[ascending], strict=True))
    order = sorted(scores, key=lambda name: scores[name], reverse=not ascending)
    assert await game.places(board) == [(rank, name, scores[name]) for rank, name in enumerate(order, 1)]
    assert told["newScore"] == scores[grace.name]  # pyright: ignore[reportPossiblyUnboundVariable]


@pytest.mark.parametrize("zone", ["Europe/Vienna", "Asia/Kathmandu"])
async def test_a_day_ends_at_its_zones_midnight(zone: str, game: Game, ada: Player) -> None:
    """Days on which clocks are put forward or back are in `test_rules`."""
    board = await game.open_board(resets="daily", zone=zone)
    ends = datetime.fromisoformat((await game.told(None, "GET", f"/api/boards/{board}"))["nextReset"])
    local = ends.astimezone(ZoneInfo(zone))
    assert (local.hour, local.minute, local.second) == (0, 0, 0)
    await game.act(ada, 10, board)
    game.clock.advance((ends - game.clock.now()).total_seconds() - 1)
    await run_timers(game)
    assert await game.places(board) == [(1, ada.name, 10)]
    game.clock.advance(1)
    ada = await game.sign_in(ada)
    await run_timers(game)
    assert await game.places(board) == []
    assert (await game.told(ada, "GET", f"/api/scoreboard/user/{ada.id}?board={board}"))["score"] == 0
    again = await game.told(None, "GET", f"/api/boards/{board}")
    assert (again["season"], again["seasonBegan"]) == (2, moment(ends))


async def test_points_count_in_the_season_they_are_made_in_however_late_the_timer(game: Game, ada: Player) -> None:
    board = await game.open_board(resets="weekly")
    await game.act(ada, 10, board)
    game.clock.advance(20 * 24 * 3600)
    ada = await game.sign_in(ada)
    told = await game.act(ada, 3, board)
    assert (told["newScore"], told["rank"]) == (3, 1), "the week is over, whether anybody has noticed or not"
    await run_timers(game)
    terms = await game.told(None, "GET", f"/api/boards/{board}")
    assert terms["season"] == 2, "two quiet weeks are no seasons"
    assert datetime.fromisoformat(terms["nextReset"]) - game.clock.now() <= timedelta(days=7)
    assert datetime.fromisoformat(terms["nextReset"]).weekday() == 0
    archive = await game.told(None, "GET", f"/api/boards/{board}/seasons/1")
    assert listed(archive) == [(1, ada.name, 10)]
    seasons = await game.told(None, "GET", f"/api/boards/{board}/seasons")
    assert [(each["season"], each["players"], each["current"]) for each in seasons] == [(2, 1, True), (1, 1, False)]


async def test_a_tournament_begins_ends_and_takes_so_many(game: Game, ada: Player, grace: Player) -> None:
    now = game.clock.now()
    starts, ends = now + timedelta(hours=1), now + timedelta(hours=2)
    board = await game.open_board(startsAt=moment(starts), endsAt=moment(ends), entryLimit=1)
    early = await game.ask(ada, "POST", "/api/scoreboard/generate-action", {"scoreIncrement": 1, "board": board})
    assert code(early) == (409, "BOARD_CLOSED") and "begins" in early.json["error"]["message"]
    game.clock.advance(3600)
    await game.act(ada, 5, board)
    full = await game.update(grace, await game.action(grace, 5, board))
    assert code(full) == (409, "BOARD_FULL")
    await game.act(ada, 5, board)
    ready = await game.action(ada, 5, board)
    game.clock.advance((ends - game.clock.now()).total_seconds())
    late = await game.update(ada, ready)
    assert code(late)[1] in {"BOARD_CLOSED", "ACTION_EXPIRED"}
    assert await game.places(board) == [(1, ada.name, 10)], "its places stay"


async def test_of_two_newcomers_at_once_the_last_entry_takes_one(game: Game) -> None:
    board = await game.open_board(entryLimit=3)
    players = [await game.register() for _ in range(6)]
    actions = [await game.action(player, 10, board) for player in players]
    answers = await asyncio.gather(*map(game.update, players, actions))
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 409, 409, 409]
    assert {code(answer) for answer in answers if answer.status == 409} == {(409, "BOARD_FULL")}
    assert len(await game.places(board)) == 3


async def test_a_hidden_player_is_on_no_board_and_keeps_his_score(game: Game, ada: Player, grace: Player) -> None:
    board = await game.open_board()
    await game.act(ada, 20, board)
    await game.act(grace, 10, board)
    path = f"/api/players/{ada.id}"
    await game.told(game.admin, "PATCH", path, {"hidden": True})
    assert await game.places(board) == [(1, grace.name, 10)]
    assert (await game.told(None, "GET", f"/api/scoreboard?board={board}"))["totalUsers"] == 1
    own = await game.told(ada, "GET", f"/api/scoreboard/user/{ada.id}?board={board}")
    assert (own["score"], own["rank"]) == (20, None)
    told = await game.act(ada, 5, board)
    assert (told["newScore"], told["rank"]) == (25, None)
    assert listed(await game.told(ada, "GET", f"/api/scoreboard/around-me?board={board}")) == []
    await game.told(game.admin, "PATCH", path, {"hidden": False})
    assert await game.places(board) == [(1, ada.name, 25), (2, grace.name, 10)]


async def test_friends_stand_in_their_order_with_their_ranks_among_all(game: Game) -> None:
    board = await game.open_board()
    players = await crowd(game, board, 5)
    idle = await game.register()
    users = f"{players[4].id},{players[0].id},{idle.id}"
    told = await game.told(players[2], "GET", f"/api/scoreboard/friends?board={board}&users={users}")
    assert [place["rank"] for place in told["scoreboard"]] == [1, 3, 5]


async def test_a_history_is_read_page_by_page(game: Game, ada: Player) -> None:
    board = await game.open_board(operator="best")
    for points in (5, 9, 7, 3):
        await game.act(ada, points, board)
        game.clock.advance(1)
    path = f"/api/scoreboard/user/{ada.id}/history?board={board}"
    first = (await game.told(ada, "GET", path + "&limit=3"))["actions"]
    rest = (await game.told(ada, "GET", path + f"&limit=3&before={first[-1]['actionId']}"))["actions"]
    assert [(entry["points"], entry["score"]) for entry in first + rest] == [(3, 9), (7, 9), (9, 9), (5, 5)]
    grace = await game.register()
    foreign = await game.ask(ada, "GET", path.replace(ada.id, grace.id) + f"&before={first[0]['actionId']}")
    assert code(foreign) == (400, "INVALID_INPUT"), "a page does not begin in another player's history"


async def test_a_board_that_is_opened_again_under_its_name_is_empty(game: Game, ada: Player) -> None:
    board = await game.open_board()
    await game.act(ada, 10, board)
    await game.told(ada, "GET", f"/api/scoreboard/user/{ada.id}?board={board}")
    assert await game.places(board) == [(1, ada.name, 10)]
    await game.told(game.admin, "DELETE", f"/api/boards/{board}")
    assert code(await game.ask(None, "GET", f"/api/scoreboard?board={board}")) == (404, "BOARD_NOT_FOUND")
    await game.told(game.admin, "POST", "/api/boards", {"name": board})
    assert await game.places(board) == []
    own = await game.told(ada, "GET", f"/api/scoreboard/user/{ada.id}?board={board}")
    assert (own["score"], own["rank"], own["totalUsers"]) == (0, None, 0)
    assert (await game.act(ada, 1, board))["rank"] == 1


async def test_whoever_removes_his_account_leaves_every_board(game: Game, ada: Player, grace: Player) -> None:
    board = await game.open_board()
    for player, points in ((ada, 20), (grace, 10)):
        await game.act(player, points, board)
        await game.told(grace, "GET", f"/api/scoreboard/user/{player.id}?board={board}")
    assert (await game.places(board))[0] == (1, ada.name, 20)
    removed = await game.ask(game.admin, "DELETE", "/api/auth/users", {"userIds": [ada.id]})
    assert removed.status == 200, removed.body
    told = await game.told(None, "GET", f"/api/scoreboard?board={board}")
    assert (listed(told), told["totalUsers"]) == ([(1, grace.name, 10)], 1)
    assert code(await game.ask(grace, "GET", f"/api/scoreboard/user/{ada.id}?board={board}")) == (404, "USER_NOT_FOUND")
    assert (await game.told(grace, "GET", f"/api/scoreboard/user/{grace.id}?board={board}"))["rank"] == 1
    assert listed(await game.told(grace, "GET", f"/api/scoreboard/around-me?board={board}")) == [(1, grace.name, 10)]
    assert await game.places(board, "&limit=5") == [(1, grace.name, 10)]
