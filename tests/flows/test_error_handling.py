"""The drawing "Error Handling Flow"; docs/flows/error-handling.md."""

from typing import Any

import pytest

from headwater.apps.scoreboard import queries
from tests.flows.players import APP, GENERATE, UPDATE, enter, no_database
from tests.flows.trace import Trace
from tests.kit.door import Answer, Door

pytestmark = pytest.mark.asyncio(loop_scope="session")
ACTIONS = 30
"""Actions that a player may ask for in a minute."""


def told(answered: Answer) -> tuple[int, str]:
    """The status and the code of a refusal, which is in the app's own words."""
    assert answered.json["success"] is False
    assert set(answered.json["error"]) == {"code", "message"}
    return answered.status, answered.json["error"]["code"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "INVALID_INPUT"),
        ({"actionId": "a"}, "MISSING_FIELDS"),
        ({"scoreIncrement": "50"}, "INVALID_SCORE_INCREMENT"),
    ],
)
async def test_a_request_that_cannot_be_read_is_400(door: Door, trace: Trace, body: Any, code: str) -> None:
    player = await enter(door, f"misspeaks-{len(str(body))}")
    with trace.following():
        refused = await player.ask("POST", UPDATE, body)
    assert told(refused) == (400, code)
    assert trace.stages == ["limit", "authenticate", "limit", "validate", "respond"]
    trace.must_not_pass("take: *")


async def test_nobody_is_401(door: Door, trace: Trace) -> None:
    with trace.following():
        refused = await door.ask("POST", UPDATE, {})
    assert told(refused) == (401, "MISSING_TOKEN")
    assert trace.stages == ["limit", "authenticate", "respond"]


async def test_too_many_are_429_and_say_when_to_come_back(door: Door, trace: Trace) -> None:
    player = await enter(door, "asks-too-much")
    for _ in range(ACTIONS):
        await player.ask("POST", GENERATE, {})
    with trace.following():
        refused = await player.ask("POST", GENERATE, {})
    assert told(refused) == (429, "RATE_LIMIT_EXCEEDED")
    assert int(refused.headers["retry-after"]) >= 1
    assert trace.stages == ["limit", "authenticate", "limit", "respond"]


async def test_a_database_that_is_away_is_503_and_the_work_is_done_when_it_is_back(door: Door, trace: Trace) -> None:
    player = await enter(door, "waits")
    action = await player.action()
    with no_database(door), trace.following():
        refused = await player.ask("POST", UPDATE, action)
    assert told(refused) == (503, "SERVICE_UNAVAILABLE")
    assert refused.headers["retry-after"] == "1"
    assert trace.stages == ["limit", "authenticate", "limit", "validate", "transact", "respond"]
    assert (await player.ask("POST", UPDATE, action)).status == 200


async def test_what_is_wrong_is_400_even_while_the_database_is_away(door: Door) -> None:
    player = await enter(door, "forges-in-the-dark")
    action = await player.action()
    with no_database(door):
        forged = await player.ask("POST", UPDATE, action | {"scoreIncrement": 1000})
        unread = await player.ask("POST", UPDATE, b"{")
        nobody = await door.ask("POST", UPDATE, action)
    assert told(forged) == (400, "INVALID_ACTION_HASH")
    assert told(unread) == (400, "INVALID_INPUT")
    assert told(nobody) == (401, "MISSING_TOKEN")
    assert (await player.ask("POST", UPDATE, action)).status == 200


async def test_what_nobody_foresaw_is_500_without_internals_and_nothing_is_written(
    door: Door, trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = await enter(door, "meets-a-fault")
    action = await player.action()

    async def break_down(*_: object) -> None:
        raise ZeroDivisionError("a secret of the house")

    with monkeypatch.context() as broken, trace.following():
        broken.setattr(queries, "add_points", break_down)
        refused = await player.ask("POST", UPDATE, action)
    assert told(refused) == (500, "INTERNAL_SERVER_ERROR")
    assert b"secret" not in refused.body
    trace.must_pass("sql: begin*", "sql: *insert into scoreboard.actions*", "sql: rollback", "stage: respond")
    assert (await player.ask("POST", UPDATE, action)).json["data"]["newScore"] == 50


async def test_what_succeeds_is_told_so(door: Door) -> None:
    answered = await door.ask("GET", f"{APP}/api/scoreboard")
    assert (answered.status, answered.json["success"]) == (200, True)
