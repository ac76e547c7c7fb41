"""What holds of every endpoint: it has its scenarios, and it refuses strangers and whoever asks too often."""

from uuid import uuid4

import pytest

from headwater.kernel.component import Access, Endpoint

from . import test_accounts, test_boards, test_scores
from .game import Game, Player
from .scenario import ADA, declared

pytestmark = pytest.mark.asyncio(loop_scope="session")
ROWS = (*test_accounts.TABLE, *test_scores.TABLE, *test_boards.TABLE)
TESTED_BESIDE = {"POST /api/scoreboard/incidents/{id}/review": {"right"}}
"""Rows that stand as tests of their own, because what they do cannot be done twice."""
CLOSED = {name: endpoint for name, endpoint in declared().items() if endpoint.access is not Access.ANYONE}
LIMITED = {name: endpoint for name, endpoint in declared().items() if endpoint.limits}


def path_of(endpoint: Endpoint) -> str:
    return endpoint.path.format(userId=uuid4(), board="default", season=1, id=uuid4())


async def test_every_endpoint_has_its_scenarios() -> None:
    for name, endpoint in declared().items():
        statuses = {row.status for row in ROWS if row.endpoint == name}
        names = {row.name for row in ROWS if row.endpoint == name} | TESTED_BESIDE.get(name, set())
        assert "right" in names, f"{name} has no scenario in which all is right"
        assert endpoint.body is None or 400 in statuses, f"{name} has no scenario with a wrong shape"
    assert {row.endpoint for row in ROWS} <= set(declared())


@pytest.mark.parametrize("name", CLOSED)
async def test_who_shows_nothing_or_something_bad_is_refused(name: str, game: Game, ada: Player) -> None:
    endpoint = CLOSED[name]
    path, method = path_of(endpoint), endpoint.method
    for who, status, code in (
        (None, 401, "MISSING_TOKEN"),
        ("forged", 401, "INVALID_TOKEN"),
        (ada.token[:-4] + "AAAA", 401, "INVALID_TOKEN"),
    ):
        refused = await game.ask(who, method, path, {})
        assert (refused.status, refused.json["error"]["code"]) == (status, code), (who, refused.body)
    if endpoint.access is Access.USER:
        others = ((game.door.keys.anon_key, 401, "INVALID_TOKEN"), (game.admin, 401, "INVALID_TOKEN"))
    else:
        others = ((game.door.keys.anon_key, 403, "AUTH_UNAUTHORIZED"), (ada.token, 403, "AUTH_UNAUTHORIZED"))
    for who, status, code in others:
        refused = await game.ask(who, method, path, {})
        assert (refused.status, refused.json["error"]["code"]) == (status, code), (who, refused.body)
    assert game.heard.events == ["UserCreated"], "ada's, and nothing else"


@pytest.mark.parametrize("name", LIMITED)
async def test_who_asks_too_often_waits(name: str, game: Game, ada: Player, grace: Player) -> None:
    endpoint = LIMITED[name]
    (limit,) = endpoint.limits
    who = {Access.ANYONE: None, Access.USER: ada.token}.get(endpoint.access, game.admin)
    path, method = path_of(endpoint), endpoint.method
    game.relieve()
    for left in reversed(range(limit.count)):
        answer = await game.ask(who, method, path, {})
        assert answer.status in {200, 400}, answer.body
        assert (answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]) == (
            f"{limit.count}",
            f"{left}",
        )
        assert answer.headers["x-ratelimit-reset"].startswith("2030-")
    refused = await game.ask(who, method, path, {})
    assert (refused.status, refused.json["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED"), refused.body
    assert refused.json["retryAfter"] == int(refused.headers["retry-after"]) >= 1
    assert refused.headers["x-ratelimit-remaining"] == "0"
    if endpoint.access is Access.ANYONE:
        elsewhere = await game.ask(who, method, path, {}, address="9.9.9.9")
    else:
        elsewhere = await game.ask(grace.token if who != game.admin else None, method, path, {})
    assert elsewhere.status != 429, "each has a limit of his own"


@pytest.mark.parametrize("place", ["", "/apps/scoreboard"])
async def test_what_is_nowhere_is_refused_in_the_apps_envelope(place: str, game: Game) -> None:
    for method, path, status, code in (
        ("GET", "/api/scoreboard/nothing", 404, "NOT_FOUND"),
        ("PUT", "/api/scoreboard", 405, "METHOD_NOT_ALLOWED"),
    ):
        refused = await game.ask(None, method, place + path)
        assert (refused.status, refused.json["success"], refused.json["error"]["code"]) == (status, False, code)


async def test_the_tables_play_nobody_but_who_is_known() -> None:
    assert {row.who for row in ROWS} <= {ADA, "nobody", "the admin"}
