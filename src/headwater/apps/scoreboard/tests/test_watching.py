"""`/ws`: who watches is told the board as it changes, and says nothing that anybody else hears."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from headwater.kernel.sockets import CloseReason
from tests.flows.players import hear, no_database, watching
from tests.kit.sockets import Client, until

from .game import WATCHERS, Game, Player, listed

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def greeted(client: Client) -> Any:
    """What a watcher is told first: who he is, then the places."""
    status, update = await client.json(), await client.json()
    assert (status["type"], update["type"]) == ("connection_status", "scoreboard_update")
    assert set(status) == set(update) == {"type", "data", "timestamp"}
    return status["data"]


async def hears_nothing(client: Client) -> None:
    """A ping is answered by a pong and by nothing else: so nothing came before it."""
    client.send_text('{"type":"ping"}')
    assert (await client.json())["type"] == "pong"


async def test_who_connects_is_told_his_id_and_the_places(game: Game, ada: Player) -> None:
    board = await game.open_board()
    await game.act(ada, 10, board)
    async with watching(game.door, f"board={board}") as client, watching(game.door) as other:
        status = await client.json()
        assert status["timestamp"].startswith("2030-")
        assert set(status["data"]) == {"status", "connectionId", "board", "timestamp"}
        assert (status["data"]["status"], status["data"]["board"]) == ("connected", board)
        told = await hear(client, "scoreboard_update")
        assert (listed(told), told["totalUsers"]) == ([(1, ada.name, 10)], 1)
        assert (await greeted(other))["connectionId"] != status["data"]["connectionId"]


async def test_a_change_is_told_to_who_watches_this_board_and_to_no_other(game: Game, ada: Player) -> None:
    board, another = await game.open_board(), await game.open_board()
    async with watching(game.door, f"board={board}") as client, watching(game.door, f"board={another}") as other:
        await greeted(client)
        await greeted(other)
        game.clock.advance(1)
        await game.act(ada, 10, board)
        told = await hear(client, "scoreboard_update")
        assert told == await game.told(None, "GET", f"/api/scoreboard?board={board}")
        await hears_nothing(other)


async def test_a_burst_is_told_in_few_messages_and_ends_with_the_newest(game: Game, ada: Player) -> None:
    board = await game.open_board()
    async with watching(game.door, f"board={board}") as client:
        await greeted(client)
        for _ in range(12):
            await game.act(ada, 5, board)
        game.clock.advance(1)
        messages = 0
        while (await hear(client, "scoreboard_update"))["scoreboard"][0]["score"] != 60:
            messages += 1
        assert messages <= 2, "the clock stood still: one at once, the rest together"
        await hears_nothing(client)


async def test_defect_7_nothing_that_a_client_sends_is_repeated_to_others(game: Game) -> None:
    query = f"board={await game.open_board()}"
    async with watching(game.door, query) as client, watching(game.door, query) as other:
        await greeted(client)
        await greeted(other)
        for said in (
            '{"type":"connection_status","data":{"status":"hacked","userId":"ada"}}',
            '{"type":"scoreboard_update","data":{"scoreboard":[]}}',
            '{"type":"subscribe","channel":"scoreboard:incidents"}',
            '{"hello":"world"}',
            "not json",
            "[]",
            '{"type":42}',
        ):
            client.send_text(said)
            told = await client.json()
            assert told["type"] == "error" and set(told["data"]) == {"code", "message"}, (said, told)
        await hears_nothing(client)
        await hears_nothing(other)


async def test_a_ping_is_answered_to_who_sent_it(game: Game) -> None:
    query = f"board={await game.open_board()}"
    async with watching(game.door, query) as client, watching(game.door, query) as other:
        mine = (await greeted(client))["connectionId"]
        await greeted(other)
        client.send_text('{"type":"ping","data":{"socket":"other"}}')
        pong = await client.json()
        assert (pong["type"], pong["data"]) == ("pong", {"connectionId": mine})
        await hears_nothing(other)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("board=nowhere", "BOARD_NOT_FOUND"),
        ("board=A%00b", "INVALID_INPUT"),
        ("board=" + "x" * 4000, "INVALID_INPUT"),
        ("board=", "INVALID_INPUT"),
    ],
    ids=["nowhere", "no name", "a long name", "nothing"],
)
async def test_who_names_no_board_is_told_so_and_let_go(query: str, code: str, game: Game) -> None:
    async with watching(game.door, query) as client:
        told = await client.json()
        assert (told["type"], told["data"]["code"]) == ("error", code)
        assert (await client.closing())[0] >= 1000


async def test_who_comes_while_the_database_is_away_is_told_so_and_comes_again(game: Game) -> None:
    """He asks for a board that nobody has asked for, so that no cache has the answer."""
    with no_database(game.door):
        async with watching(game.door, "board=not-opened-yet") as client:
            assert (await hear(client, "error"))["code"] == "SERVICE_UNAVAILABLE"
            assert (await client.closing())[0] == CloseReason.FAILED.code, "else he would wait for ever"
    await game.told(game.admin, "POST", "/api/boards", {"name": "not-opened-yet"})
    async with watching(game.door, "board=not-opened-yet") as client:
        await greeted(client)


async def test_the_places_of_a_board_that_begins_anew_are_told(game: Game, ada: Player) -> None:
    board = await game.open_board()
    await game.act(ada, 10, board)
    async with watching(game.door, f"board={board}") as client:
        await greeted(client)
        game.clock.advance(1)
        await game.told(game.admin, "POST", f"/api/boards/{board}/reset")
        assert (await hear(client, "scoreboard_update"))["scoreboard"] == []


async def test_whose_account_is_gone_leaves_the_board_before_everybodys_eyes(game: Game, ada: Player) -> None:
    board = await game.open_board()
    await game.act(ada, 10, board)
    async with watching(game.door, f"board={board}") as client:
        await greeted(client)
        game.clock.advance(1)
        removed = await game.ask(game.admin, "DELETE", "/api/auth/users", {"userIds": [ada.id]})
        assert removed.status == 200
        told = await hear(client, "scoreboard_update")
        assert (told["scoreboard"], told["totalUsers"]) == ([], 0)


async def test_so_many_may_watch_and_a_place_that_is_left_is_free(game: Game) -> None:
    await until(lambda: len(game.house.sockets) == 0)
    async with AsyncExitStack() as stack:
        watchers = [await stack.enter_async_context(watching(game.door)) for _ in range(WATCHERS)]
        await asyncio.gather(*map(greeted, watchers))
        async with watching(game.door) as surplus:
            told = await surplus.json()
            assert (told["type"], told["data"]["code"]) == ("error", "BUSY")
            await surplus.closing()
        await watchers[0].close()
        await until(lambda: len(game.house.sockets) == WATCHERS - 1)
        async with watching(game.door) as next_one:
            await greeted(next_one)
