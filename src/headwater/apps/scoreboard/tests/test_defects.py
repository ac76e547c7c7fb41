"""The defects of the original (contracts/scoreboard.md), each by its number; 5, 16 and 17 are in `test_caching`."""

import asyncio
import hashlib
from typing import Any

import msgspec
import pytest

from ..operations import Standings
from .game import PASSWORD, Game, Player
from .scenario import declared
from .test_every_endpoint import path_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
UPDATE = "/api/scoreboard/update"
STANDINGS = """
select user_id::text, rank() over (order by standing, reached_at, user_id) from scoreboard.scores where board = $1
"""


def code(answer: Any) -> tuple[int, str]:
    return answer.status, answer.json["error"]["code"]


async def test_defect_1_nobody_but_the_server_signs_an_action_and_only_for_one_user(
    game: Game, ada: Player, grace: Player
) -> None:
    action = await game.action(ada, 10)
    text = f"{action['actionId']}-1000-{action['timestamp']}"
    forged = action | {"scoreIncrement": 1000, "actionHash": hashlib.sha256(text.encode()).hexdigest()}
    assert code(await game.update(ada, forged)) == (400, "INVALID_ACTION_HASH")
    assert code(await game.update(grace, action)) == (400, "INVALID_ACTION_HASH")
    assert (await game.update(ada, action)).json["data"]["newScore"] == 10
    free = await game.ask(ada, "POST", "/api/scoreboard/generate-action", {"scoreIncrement": 10**6})
    assert code(free) == (400, "INVALID_SCORE_INCREMENT"), "no increment of the client's own beyond the ceiling"


async def test_defect_2_an_action_is_good_for_five_minutes(game: Game, ada: Player) -> None:
    first, second = await game.action(ada), await game.action(ada)
    for garbage in ("", "yesterday", "9" * 100, "2030-13-45T99:99:99Z"):
        refused = await game.update(ada, first | {"timestamp": garbage})
        assert refused.status == 400, refused.body
    game.clock.advance(300)
    assert (await game.update(ada, first)).status == 200
    game.clock.advance(0.001)
    assert code(await game.update(ada, second)) == (400, "ACTION_EXPIRED")


async def test_defect_3_each_player_has_ten_updates_a_minute_of_his_own(game: Game, ada: Player, grace: Player) -> None:
    ready = [await game.action(ada, 1) for _ in range(11)]
    hers = await game.action(grace, 1)
    game.relieve()
    answers = [await game.ask(ada, "POST", UPDATE, action) for action in ready]
    assert [answer.status for answer in answers] == [200] * 10 + [429]
    assert (await game.ask(grace, "POST", UPDATE, hers)).status == 200


async def test_defect_4_a_crowd_does_not_slip_past_the_limit_and_no_header_makes_another_of_anybody(
    game: Game, ada: Player
) -> None:
    ready = [await game.action(ada, 1) for _ in range(20)]
    game.relieve()
    answers = await asyncio.gather(*(game.ask(ada, "POST", UPDATE, action) for action in ready))
    assert sorted(answer.status for answer in answers) == [200] * 10 + [429] * 10
    waits = [answer.json["retryAfter"] for answer in answers if answer.status == 429]
    assert max(waits) <= 60, "asking again does not prolong it"
    game.relieve()
    statuses: list[int] = []
    for n in range(31):
        forwarded = {"x-forwarded-for": f"10.0.0.{n}"}
        statuses.append((await game.ask(None, "POST", "/api/auth/login", {}, forwarded)).status)
    assert statuses == [400] * 30 + [429]


async def test_defect_6_a_token_ends_after_a_day_when_it_is_revoked_and_with_its_user(game: Game) -> None:
    async def is_good(player: Player) -> bool:
        answer = await game.ask(player, "GET", "/api/auth/me")
        assert answer.status == 200 or code(answer) == (401, "INVALID_TOKEN"), answer.body
        return answer.status == 200

    ada = await game.register()
    game.clock.advance(24 * 3600 - 60)
    assert await is_good(ada)
    game.clock.advance(120)
    assert not await is_good(ada)
    ada = await game.sign_in(ada)
    assert await is_good(ada)
    again = await game.sign_in(ada)
    ended = await game.ask(again, "DELETE", "/api/auth/sessions")
    assert ended.status == 200, ended.body
    assert not await is_good(ada)
    ada = again
    assert await is_good(ada)
    removed = await game.ask(game.admin, "DELETE", "/api/auth/users", {"userIds": [ada.id]})
    assert removed.status == 200, removed.body
    assert not await is_good(ada)


async def test_defect_8_nobody_is_ranked_below_himself_and_ties_stand_in_the_order_they_were_reached(
    game: Game,
) -> None:
    board = await game.open_board()
    players = [await game.register() for _ in range(5)]
    for points in (30, 10, 20):
        for player in players:
            game.clock.advance(0.5)
            told = await game.act(player, points, board)
            rows = await game.house.database.reading(lambda tx: tx.rows(STANDINGS, board))
            assert told["rank"] == dict(map(tuple, rows))[player.id]
            one = await game.told(player, "GET", f"/api/scoreboard/user/{player.id}?board={board}")
            assert (one["score"], one["rank"]) == (told["newScore"], told["rank"])
    assert await game.places(board) == [(rank, player.name, 60) for rank, player in enumerate(players, 1)]


async def test_defect_9_a_slow_refill_does_not_bring_back_the_old_places(
    game: Game, ada: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = await game.open_board()
    await game.act(ada, 10, board)
    loaded, go_on = asyncio.Event(), asyncio.Event()
    load_top = Standings.load_top

    async def slow(self: Standings, transactions: Any, of: Any) -> bytes:
        found = await load_top(self, transactions, of)
        loaded.set()
        await go_on.wait()
        return found

    await game.told(game.admin, "DELETE", "/api/cache/clear")
    monkeypatch.setattr(Standings, "load_top", slow)
    reading = asyncio.ensure_future(game.places(board))
    await loaded.wait()
    monkeypatch.undo()
    await game.act(ada, 5, board)
    assert await game.places(board) == [(1, ada.name, 15)], "who asks after the answer finds what it said"
    go_on.set()
    await reading
    assert await game.places(board) == [(1, ada.name, 15)]


async def test_defect_10_an_action_posted_twice_at_once_counts_once_and_the_other_hears_why(
    game: Game, ada: Player
) -> None:
    action = await game.action(ada, 7)
    game.relieve()
    answers = await asyncio.gather(*(game.ask(ada, "POST", UPDATE, action) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 4
    assert {code(answer) for answer in answers if answer.status == 400} == {(400, "DUPLICATE_ACTION")}
    assert (await game.told(ada, "GET", f"/api/scoreboard/user/{ada.id}"))["score"] == 7


async def test_defect_11_points_are_a_whole_number_and_nothing_that_looks_like_one(game: Game, ada: Player) -> None:
    for points in ("50", 50.0, 1e3, True, None, [50], {"n": 50}):
        for path, body in (
            ("/api/scoreboard/generate-action", {}),
            (UPDATE, {"actionId": "a", "timestamp": "b", "actionHash": "c"}),
        ):
            answer = await game.ask(ada, "POST", path, body | {"scoreIncrement": points})
            assert code(answer) == (400, "INVALID_SCORE_INCREMENT"), (points, answer.body)


async def test_defect_12_what_is_answered_is_what_the_reference_says(game: Game, ada: Player) -> None:
    """Every row of every table holds its answer against the declared result too; here the one that was empty."""
    told = await game.act(ada, 10)
    result: Any = declared()[f"POST {UPDATE}"].result
    assert set(told) == {field.encode_name for field in msgspec.structs.fields(result)}


@pytest.mark.parametrize("name", [name for name, endpoint in declared().items() if endpoint.body is not None])
async def test_defect_13_a_wrong_shape_is_never_the_servers_fault(name: str, game: Game, ada: Player) -> None:
    endpoint = declared()[name]
    who = {"user": ada.token, "anyone": None}.get(endpoint.access.value, game.admin)
    deep, nested = b"[" * 5000, b'{"username":{}}'
    for body in (b"", b"\xff", b"null", b"1", b'"x"', b"[]", b'{"a":', b'{"\\u0000":1}', deep, nested):
        game.relieve()
        answer = await game.ask(who, endpoint.method, path_of(endpoint), body)
        assert answer.status < 500, (body, answer.body)
        assert answer.json["success"] is (answer.status < 300), answer.body
    lacking = await game.ask(ada, "POST", UPDATE, {"actionId": "a"})
    assert code(lacking) == (400, "MISSING_FIELDS")


async def test_defect_14_a_password_counts_to_its_last_letter(game: Game) -> None:
    beginning = "x" * 72
    body = {"username": "long.password", "email": "long@example.com", "password": beginning + "one"}
    await game.told(None, "POST", "/api/auth/register", body)
    other = await game.ask(None, "POST", "/api/auth/login", body | {"password": beginning + "two"})
    assert code(other) == (401, "LOGIN_FAILED")
    await game.told(None, "POST", "/api/auth/login", body)


@pytest.mark.parametrize(
    "name", ["<script>", "<b>x</b>", 'a"onload=', "a&lt;b", "a b c", "a'b'c", "a/b/c", "a\u202ebc", "abc\n", "../../x"]
)
async def test_defect_15_no_name_is_markup(name: str, game: Game) -> None:
    body = {"username": name, "email": "markup@example.com", "password": PASSWORD}
    assert code(await game.ask(None, "POST", "/api/auth/register", body)) == (400, "INVALID_USERNAME")


async def test_defect_18_one_address_is_one_account_however_it_is_written(game: Game) -> None:
    body = {"username": "case.one", "email": "Case@Example.com", "password": PASSWORD}
    told = await game.told(None, "POST", "/api/auth/register", body)
    assert told["user"]["email"] == "case@example.com"
    again = await game.ask(
        None, "POST", "/api/auth/register", body | {"username": "case.two", "email": "cASE@eXample.COM"}
    )
    assert code(again) == (409, "REGISTRATION_FAILED")
    signed_in = await game.told(None, "POST", "/api/auth/login", body | {"email": "CASE@EXAMPLE.COM"})
    assert signed_in["user"] == told["user"]
