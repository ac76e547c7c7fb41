"""Scenarios of scores: made, and looked at."""

from datetime import timedelta
from typing import Any

import pytest

from headwater.kernel.clock import moment

from .scenario import ADA, ADMIN, STRANGER, TIME, Scenario, Scene, rows

pytestmark = pytest.mark.asyncio(loop_scope="session")
BOARD, TYPES = "GET /api/scoreboard", "GET /api/scoreboard/action-types"
ASK, UPDATE = "POST /api/scoreboard/generate-action", "POST /api/scoreboard/update"
AROUND, FRIENDS = "GET /api/scoreboard/around-me", "GET /api/scoreboard/friends"
ONE, HISTORY = "GET /api/scoreboard/user/{userId}", "GET /api/scoreboard/user/{userId}/history"
SEASON = "GET /api/boards/{board}/seasons/{season}"
ADJUST = "POST /api/boards/{board}/players/{userId}/adjustments"
HERE, OTHER = "?board={board}", "?board=nowhere"
NOBODY = {"userId": "00000000-0000-4000-8000-000000000000"}
EMPTY: dict[str, object] = {"scoreboard": [], "totalUsers": 0, "lastUpdated": None}
HERS = {"rank": 2, "userId": "{ada}", "username": "ada", "score": 10, "lastUpdated": TIME}
FIRST = {"rank": 1, "userId": "{grace}", "username": "grace", "score": 20, "lastUpdated": TIME}
BOTH = {"scoreboard": [FIRST, HERS], "totalUsers": 2, "lastUpdated": TIME}
DONE = {"userId": "{ada}", "newScore": 10, "rank": 1, "message": "Score updated successfully"}
SIGNED = {
    "actionId": str,
    "scoreIncrement": int,
    "timestamp": TIME,
    "actionHash": str,
    "board": "{board}",
    "expiresAt": TIME,
}
CHANGED, FORGOTTEN = ("ScoreChanged",), ("scoreboard_top:{board}:1", "scoreboard_score:{board}:1:{ada}")


async def both_played(scene: Scene) -> None:
    await scene.game.act(scene.ada, 10, scene.board)
    await scene.game.act(scene.grace, 20, scene.board)


async def action(scene: Scene) -> dict[str, Any]:
    return await scene.game.action(scene.ada, 10, scene.board)


async def spent(scene: Scene) -> dict[str, Any]:
    used = await action(scene)
    await scene.game.update(scene.ada, used)
    return used


async def of_grace(scene: Scene) -> dict[str, Any]:
    return await scene.game.action(scene.grace, 10, scene.board)


async def raised(scene: Scene) -> dict[str, Any]:
    return await action(scene) | {"scoreIncrement": 1000}


async def as_text(scene: Scene) -> dict[str, Any]:
    return await action(scene) | {"scoreIncrement": "10"}


async def as_float(scene: Scene) -> dict[str, Any]:
    return await action(scene) | {"scoreIncrement": 10.0}


async def too_old(scene: Scene) -> dict[str, Any]:
    old = await action(scene)
    scene.game.clock.advance(301)
    return old


async def without_hash(scene: Scene) -> dict[str, Any]:
    whole = await action(scene)
    return {name: value for name, value in whole.items() if name != "actionHash"}


async def with_more(scene: Scene) -> dict[str, Any]:
    return await action(scene) | {"unknown": [1, 2], "address": "8.8.8.8"}


async def on_a_closed_board(scene: Scene) -> dict[str, Any]:
    ready = await action(scene)
    end = moment(scene.game.clock.now() + timedelta(seconds=10))
    await scene.game.told(scene.game.admin, "PATCH", f"/api/boards/{scene.board}", {"endsAt": end})
    scene.game.clock.advance(11)
    return ready


async def on_a_removed_board(scene: Scene) -> dict[str, Any]:
    board = await scene.game.open_board()
    ready = await scene.game.action(scene.ada, 10, board)
    await scene.game.told(scene.game.admin, "DELETE", f"/api/boards/{board}")
    return ready


async def ten_points(scene: Scene) -> dict[str, Any]:
    await scene.game.act(scene.ada, 10, scene.board)
    return {"points": -4}


def asked(**more: object) -> dict[str, object]:
    return {"board": "{board}", **more}


TABLE = (
    Scenario("right", STRANGER, BOARD, both_played, 200, BOTH, asked=HERE),
    Scenario(
        "the second place",
        STRANGER,
        BOARD,
        both_played,
        200,
        BOTH | {"scoreboard": [HERS]},
        asked=HERE + "&offset=1&limit=1",
    ),
    Scenario("nobody yet", STRANGER, BOARD, None, 200, EMPTY, asked=HERE),
    Scenario("beyond the end", STRANGER, BOARD, None, 200, EMPTY, asked=HERE + "&offset=2147483647"),
    Scenario("no board", STRANGER, BOARD, None, 404, "BOARD_NOT_FOUND", asked=OTHER),
    Scenario("no name", STRANGER, BOARD, None, 400, "INVALID_INPUT", asked="?board=A%00"),
    Scenario("a line end", STRANGER, BOARD, None, 400, "INVALID_INPUT", asked="?board=default%0A"),
    Scenario("too many", STRANGER, BOARD, None, 400, "INVALID_INPUT", asked=HERE + "&limit=101"),
    Scenario("none", STRANGER, BOARD, None, 400, "INVALID_INPUT", asked=HERE + "&limit=0"),
    Scenario("a word", STRANGER, BOARD, None, 400, "INVALID_INPUT", asked=HERE + "&limit=ten"),
    Scenario("far beyond", STRANGER, BOARD, None, 400, "INVALID_INPUT", asked=HERE + "&offset=2147483648"),
    Scenario("before the first", STRANGER, BOARD, None, 400, "INVALID_INPUT", asked=HERE + "&offset=-1"),
    Scenario(
        "right",
        STRANGER,
        TYPES,
        None,
        200,
        [
            {"actionType": "complete_task", "points": 10},
            {"actionType": "win_match", "points": 50},
            {"actionType": "daily_visit", "points": 5},
        ],
    ),
    Scenario("right", ADA, ASK, asked(scoreIncrement=1000), 200, SIGNED | {"scoreIncrement": 1000}),
    Scenario(
        "a type",
        ADA,
        ASK,
        asked(actionType="win_match"),
        200,
        SIGNED | {"scoreIncrement": 50, "actionType": "win_match"},
    ),
    Scenario(
        "both", ADA, ASK, asked(actionType="win_match", scoreIncrement=50), 200, SIGNED | {"actionType": "win_match"}
    ),
    Scenario(
        "other points", ADA, ASK, asked(actionType="win_match", scoreIncrement=51), 400, "INVALID_SCORE_INCREMENT"
    ),
    Scenario("no such type", ADA, ASK, asked(actionType="cheat"), 400, "INVALID_ACTION_TYPE"),
    Scenario("neither", ADA, ASK, asked(), 400, "INVALID_SCORE_INCREMENT"),
    Scenario("too many points", ADA, ASK, asked(scoreIncrement=1001), 400, "INVALID_SCORE_INCREMENT"),
    Scenario("no points", ADA, ASK, asked(scoreIncrement=0), 400, "INVALID_SCORE_INCREMENT"),
    Scenario("fewer points", ADA, ASK, asked(scoreIncrement=-1), 400, "INVALID_SCORE_INCREMENT"),
    Scenario("points in a text", ADA, ASK, asked(scoreIncrement="10"), 400, "INVALID_SCORE_INCREMENT"),
    Scenario("half a point", ADA, ASK, asked(scoreIncrement=0.5), 400, "INVALID_SCORE_INCREMENT"),
    Scenario("no board", ADA, ASK, {"board": "nowhere", "scoreIncrement": 1}, 404, "BOARD_NOT_FOUND"),
    Scenario("right", ADA, UPDATE, action, 200, DONE, CHANGED, FORGOTTEN),
    Scenario("with more fields", ADA, UPDATE, with_more, 200, DONE, CHANGED, FORGOTTEN),
    Scenario("again", ADA, UPDATE, spent, 400, "DUPLICATE_ACTION"),
    Scenario("grace's", ADA, UPDATE, of_grace, 400, "INVALID_ACTION_HASH"),
    Scenario("raised", ADA, UPDATE, raised, 400, "INVALID_ACTION_HASH"),
    Scenario("too old", ADA, UPDATE, too_old, 400, "ACTION_EXPIRED"),
    Scenario("points in a text", ADA, UPDATE, as_text, 400, "INVALID_SCORE_INCREMENT"),
    Scenario("points in a float", ADA, UPDATE, as_float, 400, "INVALID_SCORE_INCREMENT"),
    Scenario("without a hash", ADA, UPDATE, without_hash, 400, "MISSING_FIELDS"),
    Scenario("nothing", ADA, UPDATE, {}, 400, "MISSING_FIELDS"),
    Scenario("no JSON", ADA, UPDATE, b"{", 400, "INVALID_INPUT"),
    Scenario("too late", ADA, UPDATE, on_a_closed_board, 409, "BOARD_CLOSED"),
    Scenario("a board that is gone", ADA, UPDATE, on_a_removed_board, 404, "BOARD_NOT_FOUND"),
    Scenario("right", ADA, AROUND, both_played, 200, BOTH, asked=HERE),
    Scenario(
        "herself alone", ADA, AROUND, both_played, 200, BOTH | {"scoreboard": [HERS]}, asked=HERE + "&above=0&below=0"
    ),
    Scenario("no place yet", ADA, AROUND, None, 200, EMPTY, asked=HERE),
    Scenario("too many", ADA, AROUND, None, 400, "INVALID_INPUT", asked=HERE + "&above=51"),
    Scenario("no board", ADA, AROUND, None, 404, "BOARD_NOT_FOUND", asked=OTHER),
    Scenario("right", ADA, FRIENDS, both_played, 200, BOTH, asked=HERE + "&users={grace},{ada},{grace}"),
    Scenario("no friends", ADA, FRIENDS, both_played, 200, BOTH | {"scoreboard": [HERS]}, asked=HERE),
    Scenario("no ids", ADA, FRIENDS, None, 400, "INVALID_INPUT", asked=HERE + "&users=grace"),
    Scenario(
        "too many",
        ADA,
        FRIENDS,
        None,
        400,
        "INVALID_INPUT",
        asked=HERE + "&users=" + ",".join(f"00000000-0000-4000-8000-{n:012}" for n in range(101)),
    ),
    Scenario("no board", ADA, FRIENDS, None, 404, "BOARD_NOT_FOUND", asked=OTHER),
    Scenario(
        "right",
        ADA,
        ONE,
        both_played,
        200,
        {"userId": "{ada}", "username": "ada", "score": 10, "rank": 2, "totalUsers": 2},
        asked=HERE,
    ),
    Scenario(
        "nothing yet",
        ADA,
        ONE,
        None,
        200,
        {"userId": "{ada}", "username": "ada", "score": 0, "rank": None, "totalUsers": 0},
        asked=HERE,
    ),
    Scenario("nobody", ADA, ONE, None, 404, "USER_NOT_FOUND", at=NOBODY),
    Scenario("no id", ADA, ONE, None, 400, "INVALID_INPUT", at={"userId": "1"}),
    Scenario("no board", ADA, ONE, None, 404, "BOARD_NOT_FOUND", asked=OTHER),
    Scenario(
        "right",
        ADA,
        HISTORY,
        both_played,
        200,
        {
            "userId": "{ada}",
            "board": "{board}",
            "actions": [
                {"actionId": str, "actionType": None, "points": 10, "score": 10, "season": 1, "at": TIME},
            ],
        },
        asked=HERE,
    ),
    Scenario("nobody", ADA, HISTORY, None, 404, "USER_NOT_FOUND", at=NOBODY),
    Scenario("no board", ADA, HISTORY, None, 404, "BOARD_NOT_FOUND", asked=OTHER),
    Scenario("before nothing", ADA, HISTORY, None, 400, "INVALID_INPUT", asked="?before=nothing"),
    Scenario("no action's id", ADA, HISTORY, None, 400, "INVALID_INPUT", asked="?before=a%00b"),
    Scenario("right", STRANGER, SEASON, both_played, 200, BOTH),
    Scenario("a season to come", STRANGER, SEASON, None, 200, EMPTY, at={"season": "2147483647"}),
    Scenario("no season", STRANGER, SEASON, None, 400, "INVALID_INPUT", at={"season": "0"}),
    Scenario("no number", STRANGER, SEASON, None, 400, "INVALID_INPUT", at={"season": "2147483648"}),
    Scenario("no board", STRANGER, SEASON, None, 404, "BOARD_NOT_FOUND", at={"board": "nowhere"}),
    Scenario("right", ADMIN, ADJUST, ten_points, 200, DONE | {"newScore": 6}, CHANGED, FORGOTTEN),
    Scenario("nobody", ADMIN, ADJUST, {"points": 1}, 404, "USER_NOT_FOUND", at=NOBODY),
    Scenario("no board", ADMIN, ADJUST, {"points": 1}, 404, "BOARD_NOT_FOUND", at={"board": "nowhere"}),
    Scenario("too many", ADMIN, ADJUST, {"points": 2**53}, 400, "INVALID_INPUT"),
    Scenario("no points", ADMIN, ADJUST, {}, 400, "MISSING_FIELDS"),
)


@rows(TABLE)
async def test_scores(row: Scenario, scene: Scene) -> None:
    await row.play(scene)
