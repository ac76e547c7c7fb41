"""Who hears of what looks wrong, and what is remembered of refusals: in a whole house, by its doors and sockets."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from headwater.apps.scoreboard.events import IncidentOpened, IncidentReviewed
from headwater.kernel.database import WritingTransaction
from tests.flows.client import Client, connected
from tests.flows.players import watching
from tests.kit.sockets import Client as Watcher

from ..game import Game, Player, open_game
from ..test_consumers import comes_true

pytestmark = pytest.mark.asyncio(loop_scope="module")
CHANNEL = "scoreboard:incidents"
FORGERIES = "select coalesce(max(forgeries), 0) from scoreboard.behaviours where subject = $1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def game() -> AsyncIterator[Game]:
    """A house that looks at every action."""
    async with open_game({"HEADWATER_FRAUD_MODE": "block"}) as opened:
        yield opened


async def forge(game: Game, player: Player) -> None:
    """Post an action that was signed for fewer points."""
    forged = await game.action(player) | {"scoreIncrement": 999}
    answered = await game.update(player, forged)
    assert (answered.status, answered.json["error"]["code"]) == (400, "INVALID_ACTION_HASH")


async def be_held(game: Game, player: Player) -> None:
    """Forge until an action is held."""
    for _ in range(4):
        await forge(game, player)
    answered = await game.update(player, await game.action(player))
    assert (answered.status, answered.json["error"]["code"]) == (403, "ACTION_HELD")


async def forgeries(game: Game, player: Player) -> float:
    """What is remembered against a player."""
    return await game.house.database.reading(lambda tx: tx.value(FORGERIES, f"user:{player.id}"))


async def first(watcher: Watcher, kind: str) -> Any:
    """The first message of this type, or of incidents."""
    while True:
        told = await watcher.json()
        if told["type"] == kind or "incident" in told["type"]:
            return told


async def subscribed(client: Client) -> dict[str, Any]:
    """What a client is answered that wants to hear the admins' channel."""
    await client.say(f'21["realtime:subscribe",{{"channel":"{CHANNEL}"}}]')
    return (await client.hears("31"))[0]


async def test_admins_hear_of_an_incident_by_room_and_by_channel_and_players_do_not(game: Game) -> None:
    player = await game.register()
    admin, mine = await connected(game.door, game.admin), await connected(game.door, player.token)
    assert (await subscribed(admin))["ok"] is True
    assert (await subscribed(mine))["ok"] is False
    await be_held(game, player)

    _, told = await admin.hears_event("scoreboard:incident_opened")
    expected = {"user_id": player.id, "board": "default", "reasons": ["forgery"], "held": True}
    assert {name: told[name] for name in expected} == expected
    _, logged, *_ = await admin.hears_event("incident_opened")
    assert {name: logged[name] for name in expected} == expected
    assert (logged["incident_id"], logged["meta"]["channel"]) == (told["incident_id"], f"realtime:{CHANNEL}")
    kept = await game.door.ask_as(game.admin, "GET", f"/api/realtime/messages?channelName={CHANNEL}")
    assert [message["payload"]["incident_id"] for message in kept.json] == [told["incident_id"]]

    target = f"/api/scoreboard/incidents/{told['incident_id']}/review"
    await game.told(game.admin, "POST", target, {"decision": "confirm"})
    _, decided = await admin.hears_event("scoreboard:incident_reviewed")
    assert (decided["user_id"], decided["released"]) == (player.id, False)
    await subscribed(mine)
    assert not [packet for packet in mine.heard if "incident" in packet], "a player heard what is the admins'"


async def test_an_admin_s_socket_hears_of_it_at_an_app_s_own_path_too(game: Game) -> None:
    player = await game.register()
    async with (
        watching(game.door, f"token={game.admin}") as admin,
        watching(game.door, f"token={player.token}") as mine,
    ):
        await be_held(game, player)
        told = await first(admin, "scoreboard:incident_opened")
        assert told["user_id"] == player.id
        mine.send_text('{"type": "ping"}')
        assert "incident" not in str(await first(mine, "pong")), "a player heard what is the admins'"


async def notices(game: Game, player: Player) -> list[tuple[str, str]]:
    """What the fraud rules' decisions left in a player's inbox, the oldest first: kind and sentence."""
    answered = await game.ask(player, "GET", "/api/notifications")
    found = [notice for notice in answered.json["notices"] if notice["kind"].startswith("scoreboard.action_")]
    return [(notice["kind"].removeprefix("scoreboard.action_"), notice["body"]) for notice in reversed(found)]


async def must_be_told(game: Game, player: Player, *expected: tuple[str, str]) -> None:
    """Wait until a player has been told this and nothing else."""

    async def told() -> bool:
        found = await notices(game, player)
        return len(found) == len(expected) and all(
            kind == wanted and sentence.startswith(beginning)
            for (kind, sentence), (wanted, beginning) in zip(found, expected, strict=True)
        )

    await comes_true(told)


async def open_incident_of(game: Game, player: Player) -> str:
    """The incident that waits for a decision about a player."""
    found = await game.told(game.admin, "GET", f"/api/scoreboard/incidents?state=open&userId={player.id}")
    [incident] = found["incidents"]
    return incident["id"]


async def test_a_player_hears_that_an_action_is_held_and_what_was_decided(game: Game) -> None:
    player, another = await game.register(), await game.register()
    held = ("held", "It does not count until")
    for who, decision, told in (
        (player, "release", ("released", "One action with 10 points was looked at and released.")),
        (another, "confirm", ("refused", "2 actions were looked at and not accepted.")),
    ):
        await be_held(game, who)
        if who is another:
            again = await game.update(who, await game.action(who))
            assert again.json["error"]["code"] == "ACTION_HELD", "another of the same incident is not told again"
        await must_be_told(game, who, held)
        target = f"/api/scoreboard/incidents/{await open_incident_of(game, who)}/review"
        await game.told(game.admin, "POST", target, {"decision": decision})
        await must_be_told(game, who, held, told)


async def test_a_player_does_not_hear_of_what_was_counted_all_the_same(game: Game) -> None:
    suspect, player = await game.register(), await game.register()
    opened = IncidentOpened(
        incident_id=uuid4(), user_id=UUID(suspect.id), board="default", score=0.6, reasons=("rate",), held=False
    )
    decided = IncidentReviewed(
        incident_id=opened.incident_id, user_id=opened.user_id, board="default", released=True, actions=0, points=0
    )

    async def tell(tx: WritingTransaction) -> None:
        tx.emit(opened)
        tx.emit(decided)

    await game.house.database.writing(tell)
    await be_held(game, player)
    await must_be_told(game, player, ("held", "It does not count until"))
    assert await notices(game, suspect) == [], "told before the other, if at all"


async def test_what_is_foreign_expired_and_spent_is_remembered_by_its_weight(game: Game) -> None:
    player = await game.register()
    late = await game.action(player)
    game.clock.advance(301)
    answered = await game.update(player, late)
    assert (answered.status, answered.json["error"]["code"]) == (400, "ACTION_EXPIRED")
    assert await forgeries(game, player) == pytest.approx(0.02)

    await forge(game, player)
    assert await forgeries(game, player) == pytest.approx(1.02)
    spent = await game.action(player)
    assert (await game.update(player, spent)).status == 200
    assert (await game.update(player, spent)).json["error"]["code"] == "DUPLICATE_ACTION"
    assert await forgeries(game, player) == pytest.approx(1.12)


async def test_no_board_shares_the_admins_channel(game: Game) -> None:
    answered = await game.ask(game.admin, "POST", "/api/boards", {"name": "incidents"})
    assert (answered.status, answered.json["error"]["code"]) == (400, "INVALID_INPUT")
    assert answered.json["error"]["message"] == "name: incidents is kept for the admins' channel scoreboard:incidents"
