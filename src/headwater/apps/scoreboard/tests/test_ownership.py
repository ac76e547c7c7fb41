"""The admin's verbs leave the scoreboard's own schema to the scoreboard."""

from typing import Any

import pytest

from .game import Game

pytestmark = pytest.mark.asyncio(loop_scope="session")
OWN = {"schema": "scoreboard"}
CHANGES: list[tuple[str, str, Any]] = [
    ("POST", "/api/database/tables", OWN | {"tableName": "mine", "columns": [{"columnName": "a", "type": "string"}]}),
    ("PATCH", "/api/database/tables/boards/schema?schema=scoreboard", {"rlsEnabled": False}),
    ("DELETE", "/api/database/tables/boards?schema=scoreboard", None),
    ("DELETE", "/api/database/schemas/scoreboard?cascade=true", None),
    ("POST", "/api/database/policies", OWN | {"tableName": "boards", "policyName": "all", "using": "true"}),
    ("POST", "/api/database/advance/export?schema=scoreboard", {"format": "sql"}),
]


@pytest.mark.parametrize(("method", "target", "body"), CHANGES)
async def test_what_would_change_it_is_refused(game: Game, method: str, target: str, body: Any) -> None:
    answer = await game.ask(game.admin, method, target, body)
    assert (answer.status, answer.json["error"]) == (403, "DATABASE_FORBIDDEN"), answer.body
    assert "Schema scoreboard is managed by the server" in answer.json["message"]


async def test_it_is_listed_as_the_servers(game: Game) -> None:
    answer = await game.ask(game.admin, "GET", "/api/database/schemas")
    assert {schema["name"]: schema["isProtected"] for schema in answer.json["schemas"]}["scoreboard"] is True


async def test_the_advisor_is_silent_about_it(game: Game) -> None:
    answer = await game.ask(game.admin, "GET", "/api/database/advisor?schema=scoreboard")
    assert answer.json["findings"] == []
