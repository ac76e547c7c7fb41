"""What was decided where the original left it open (contracts/scoreboard.md, "Decisions")."""

import asyncio
from typing import Any

import pytest

from .game import Game, Player
from .test_defects import UPDATE, code

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_update_is_refused_in_one_order(game: Game, ada: Player) -> None:
    """Token, limit, shape, signature, window, single use: whatever is wrong further on does not show."""
    used, old = await game.action(ada), await game.action(ada)
    assert (await game.update(ada, used)).status == 200
    game.relieve()
    game.clock.advance(301)
    assert code(await game.ask(None, "POST", UPDATE, {})) == (401, "MISSING_TOKEN")
    for answer in (
        await game.ask(ada, "POST", UPDATE, {}),
        await game.ask(ada, "POST", UPDATE, used | {"actionHash": "0"}),
        await game.ask(ada, "POST", UPDATE, used),
    ):
        assert answer.status == 400
    told = [
        code(await game.ask(ada, "POST", UPDATE, body))
        for body in ({}, used | {"actionHash": "0"}, used | {"scoreIncrement": 11}, used, old)
    ]
    assert told == [
        (400, "MISSING_FIELDS"),
        (400, "INVALID_ACTION_HASH"),
        (400, "INVALID_ACTION_HASH"),
        (400, "ACTION_EXPIRED"),
        (400, "ACTION_EXPIRED"),
    ]
    for _ in range(2):
        await game.ask(ada, "POST", UPDATE, {})
    assert code(await game.ask(ada, "POST", UPDATE, {})) == (429, "RATE_LIMIT_EXCEEDED")
    assert code(await game.ask("forged", "POST", UPDATE, {})) == (401, "INVALID_TOKEN")


async def test_points_of_a_known_type_are_the_servers(game: Game, ada: Player) -> None:
    asked = {"actionType": "win_match"}
    action = await game.told(ada, "POST", "/api/scoreboard/generate-action", asked)
    assert (action["scoreIncrement"], action["actionType"]) == (50, "win_match")
    assert code(await game.update(ada, action | {"actionType": "daily_visit"})) == (400, "INVALID_ACTION_HASH")
    bare = {name: value for name, value in action.items() if name != "actionType"}
    assert code(await game.update(ada, bare)) == (400, "INVALID_ACTION_HASH")
    assert (await game.update(ada, action)).json["data"]["newScore"] == 50


async def test_the_four_fields_of_the_original_are_enough_on_the_default_board(game: Game, ada: Player) -> None:
    action = await game.action(ada)
    four = {name: action[name] for name in ("actionId", "scoreIncrement", "timestamp", "actionHash")}
    assert len(action["actionId"]) == 16 and int(action["actionId"], 16)
    assert (await game.update(ada, four)).status == 200


async def test_a_refused_action_is_not_used_up(game: Game, ada: Player) -> None:
    """Score, log row and consumed action are one transaction: what fails leaves none of them."""
    board = await game.open_board(entryLimit=1)
    grace = await game.register()
    await game.act(ada, 1, board)
    action = await game.action(grace, 10, board)
    assert code(await game.update(grace, action)) == (409, "BOARD_FULL")
    count = "select count(*) from scoreboard.actions where id = $1"
    assert await game.house.database.reading(lambda tx: tx.value(count, action["actionId"])) == 0
    await game.told(game.admin, "POST", f"/api/boards/{board}/reset")
    assert (await game.update(grace, action)).json["data"]["rank"] == 1


async def test_a_repeated_update_under_its_key_is_answered_again_and_counts_once(game: Game, ada: Player) -> None:
    board = await game.open_board()
    first, second = await game.action(ada, 10, board), await game.action(ada, 5, board)
    told = (await game.update(ada, first, "key-1")).json
    assert told["data"]["newScore"] == 10
    await game.update(ada, second, "key-2")
    assert (await game.update(ada, first, "key-1")).json == told
    assert (await game.update(ada, first | {"idempotencyKey": "key-1"})).json == told, "the body may say it too"
    assert code(await game.update(ada, first)) == (400, "DUPLICATE_ACTION"), "without its key it is a duplicate"
    other = await game.action(ada, 5, board)
    assert code(await game.update(ada, other, "key-1")) == (409, "IDEMPOTENCY_KEY_REUSED")
    grace = await game.register()
    assert (await game.update(grace, await game.action(grace, 1, board), "key-1")).status == 200, "hers is another"
    await game.told(game.admin, "POST", f"/api/boards/{board}/reset")
    again = await game.update(ada, first, "key-1")
    assert (again.status, again.json["data"]["newScore"], again.json["data"]["rank"]) == (200, 10, None)


async def test_a_repeated_adjustment_under_its_key_is_answered_again_and_counts_once(game: Game, ada: Player) -> None:
    board, grace = await game.open_board(), await game.register()

    async def adjust(player: Player, points: int, key: str) -> Any:
        path = f"/api/boards/{board}/players/{player.id}/adjustments"
        game.heard.nothing()
        return await game.ask(game.admin, "POST", path, {"points": points}, {"idempotency-key": key})

    first, again = await adjust(ada, -5, "key-1"), await adjust(ada, -5, "key-1")
    assert first.status == again.status == 200
    assert first.json == again.json
    assert (first.json["data"]["newScore"], game.heard.events) == (-5, [])
    for other in (await adjust(ada, -6, "key-1"), await adjust(grace, -5, "key-1")):
        assert code(other) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert (await adjust(ada, -5, "key-2")).json["data"]["newScore"] == -10
    twins = await asyncio.gather(*(adjust(ada, 1, "key-3") for _ in range(4)))
    assert {twin.json["data"]["newScore"] for twin in twins} == {-9}
    assert code(await adjust(ada, 1, "x" * 256)) == (400, "INVALID_INPUT")


@pytest.mark.parametrize("key", ["", " " * 300, "x" * 256, "tab\t", "line\n", "ü"])
async def test_a_key_that_is_none_is_refused(key: str, game: Game, ada: Player) -> None:
    refused = await game.update(ada, await game.action(ada), key)
    assert code(refused) == (400, "INVALID_INPUT") and "Idempotency-Key" in refused.json["error"]["message"]


async def test_someone_from_another_door_is_a_player_from_his_first_step(game: Game) -> None:
    token = await game.door.sign_up("another.door@example.com")
    me = await game.told(token, "GET", "/api/auth/me")
    assert me["username"] == f"player-{me['id'].replace('-', '')[:12]}"
    action = await game.told(token, "POST", "/api/scoreboard/generate-action", {"scoreIncrement": 1})
    assert (await game.update(token, action)).json["data"]["newScore"] == 1


async def test_an_admin_decides_on_the_cache_and_on_boards_and_it_is_audited(game: Game, ada: Player) -> None:
    game.clock.advance(1)
    board = await game.open_board()
    await game.told(game.admin, "POST", f"/api/boards/{board}/players/{ada.id}/adjustments", {"points": 7})
    await game.told(game.admin, "PATCH", f"/api/players/{ada.id}", {"hidden": True})
    await game.told(game.admin, "DELETE", f"/api/boards/{board}")
    entries = """
    select array_agg(action) from (select action from system.audit_logs where module = 'scoreboard'
      order by created_at desc, id desc limit 4) latest
    """
    found = await game.house.database.reading(lambda tx: tx.value(entries))
    assert set(found) == {"BOARD_OPENED", "SCORE_ADJUSTED", "PLAYER_HIDDEN", "BOARD_REMOVED"}
