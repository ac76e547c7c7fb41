"""The drawing "Security Validation Flow"; docs/flows/update-validation.md."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from headwater.apps.scoreboard.actions import Signer
from headwater.apps.scoreboard.delivery import Broadcaster
from headwater.apps.scoreboard.models import AskedAction
from headwater.apps.scoreboard.operations import Scoring
from headwater.platform.identity import Identity
from tests.flows.players import UPDATE, Player, enter, part_of
from tests.flows.trace import Trace
from tests.kit.door import Answer, Door

pytestmark = pytest.mark.asyncio(loop_scope="session")
TOKEN, LIMIT = "call: Identity.authenticate", "stage: limit"
HASH, TIME, WORK = "call: Signer.must_be_ours", "call: Signer.must_be_in_time", "sql: *insert into scoreboard.scores*"
TOLD = "call: Broadcaster.mark"
ATTEMPTS = 10
"""Updates that a player may send in a minute."""


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn at each question."""
    trace.watch(Identity, "authenticate")
    trace.watch(Signer, "must_be_ours")
    trace.watch(Signer, "must_be_in_time")
    trace.watch(Broadcaster, "mark")
    return trace


def old_action(player: Player) -> dict[str, Any]:
    """An action that was signed for him six minutes ago."""
    scoring = part_of(player.door, "/api/scoreboard/update", Scoring, "POST")
    asked = AskedAction(score_increment=50)
    signed = scoring.signer.sign(UUID(player.id), asked, 50, scoring.clock.now() - timedelta(minutes=6))
    return msgspec.to_builtins(signed)


def told(answered: Answer) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return answered.status, answered.json["error"]["code"]


def forged(action: dict[str, Any]) -> dict[str, Any]:
    """An action with more points than were signed."""
    return {**action, "scoreIncrement": action["scoreIncrement"] + 1}


@pytest.mark.parametrize(("credential", "code"), [(None, "MISSING_TOKEN"), ("no-token", "INVALID_TOKEN")])
async def test_first_the_token_401(door: Door, trace: Trace, credential: str | None, code: str) -> None:
    headers = {"authorization": f"Bearer {credential}"} if credential else {}
    with trace.following():
        refused = await door.ask("POST", UPDATE, b"not even JSON", headers)
    assert told(refused) == (401, code)
    assert trace.stages == ["limit", "authenticate", "respond"]
    trace.must_not_pass("stage: validate", HASH, TIME, WORK)


async def test_then_how_often_429_whatever_the_action_is(door: Door, trace: Trace) -> None:
    player = await enter(door, "hurries")
    for _ in range(ATTEMPTS):
        assert told(await player.ask("POST", UPDATE, {}))[0] == 400
    with trace.following():
        refused = await player.ask("POST", UPDATE, forged(old_action(player)))
    assert told(refused) == (429, "RATE_LIMIT_EXCEEDED")
    assert int(refused.headers["retry-after"]) == refused.json["retryAfter"] >= 1
    trace.must_pass(LIMIT, TOKEN, LIMIT, "stage: respond")
    trace.must_not_pass("stage: validate", HASH, TIME, WORK)


async def test_then_the_hash_400_before_the_time(door: Door, trace: Trace) -> None:
    player = await enter(door, "forges")
    with trace.following():
        refused = await player.ask("POST", UPDATE, forged(old_action(player)))
    assert told(refused) == (400, "INVALID_ACTION_HASH")
    trace.must_pass(TOKEN, LIMIT, "stage: validate", HASH, "stage: respond")
    trace.must_not_pass(TIME, WORK, TOLD)


async def test_then_the_time_400(door: Door, trace: Trace) -> None:
    player = await enter(door, "is-late")
    with trace.following():
        refused = await player.ask("POST", UPDATE, old_action(player))
    assert told(refused) == (400, "ACTION_EXPIRED")
    trace.must_pass(TOKEN, LIMIT, HASH, TIME, "stage: respond")
    trace.must_not_pass(WORK, TOLD)


async def test_what_passes_every_question_is_written_and_told(door: Door, trace: Trace) -> None:
    player = await enter(door, "is-honest")
    action = await player.action()
    with trace.following():
        counted = await player.ask("POST", UPDATE, action)
    assert counted.status == 200
    trace.must_pass(TOKEN, LIMIT, HASH, TIME, WORK, "sql: commit", TOLD, "stage: respond")
    assert told(await player.ask("POST", UPDATE, action)) == (400, "DUPLICATE_ACTION")


async def test_an_action_of_somebody_else_is_foreign(door: Door) -> None:
    one, other = await enter(door, "signed-it"), await enter(door, "stole-it")
    assert told(await other.ask("POST", UPDATE, await one.action())) == (400, "INVALID_ACTION_HASH")
