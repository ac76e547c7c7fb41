"""Scenarios of who comes in."""

import pytest

from .game import PASSWORD
from .scenario import ADA, ADMIN, STRANGER, Scenario, Scene, rows

pytestmark = pytest.mark.asyncio(loop_scope="session")
REGISTER, LOGIN = "POST /api/auth/register", "POST /api/auth/login"
ME, PLAYER = "GET /api/auth/me", "PATCH /api/players/{userId}"
NEW = {"username": "Émile_2.0-x", "email": "Emile@Example.com", "password": PASSWORD}
HIM = {"id": str, "username": "Émile_2.0-x", "email": "emile@example.com"}
TOP_AND_SCORE = ("scoreboard_top:{board}:1", "scoreboard_score:{board}:1:{ada}")


async def points_of_ada(scene: Scene) -> dict[str, object]:
    await scene.game.act(scene.ada, 10, scene.board)
    return {"hidden": True}


async def ada_hidden(scene: Scene) -> dict[str, object]:
    await scene.game.told(scene.game.admin, "PATCH", f"/api/players/{scene.ada.id}", await points_of_ada(scene))
    return {"hidden": False}


async def her_login(scene: Scene) -> dict[str, object]:
    return {"email": scene.ada.email.upper(), "password": PASSWORD}


async def a_wrong_password(scene: Scene) -> dict[str, object]:
    return {"email": scene.ada.email, "password": "wrong horse"}


async def her_name(scene: Scene) -> dict[str, object]:
    return {**NEW, "username": scene.ada.name.upper(), "email": "other@example.com"}


async def her_address(scene: Scene) -> dict[str, object]:
    return {**NEW, "username": "other-name", "email": scene.ada.email.upper()}


TABLE = (
    Scenario("right", STRANGER, REGISTER, NEW, 201, {"token": str, "user": HIM}, ("UserCreated",)),
    Scenario("her name", STRANGER, REGISTER, her_name, 409, "REGISTRATION_FAILED"),
    Scenario("her address", STRANGER, REGISTER, her_address, 409, "REGISTRATION_FAILED"),
    Scenario("a given name", STRANGER, REGISTER, NEW | {"username": "Player-0123456789ab"}, 409, "REGISTRATION_FAILED"),
    Scenario("no password", STRANGER, REGISTER, {"username": "abc", "email": "a@b.org"}, 400, "MISSING_FIELDS"),
    Scenario("nothing", STRANGER, REGISTER, {}, 400, "MISSING_FIELDS"),
    Scenario(
        "a weak password", STRANGER, REGISTER, NEW | {"username": "b1x", "password": "12345"}, 400, "WEAK_PASSWORD"
    ),
    Scenario("a long password", STRANGER, REGISTER, NEW | {"password": "x" * 1025}, 400, "INVALID_INPUT"),
    Scenario("a short name", STRANGER, REGISTER, NEW | {"username": "ab"}, 400, "INVALID_USERNAME"),
    Scenario("a long name", STRANGER, REGISTER, NEW | {"username": "a" * 51}, 400, "INVALID_USERNAME"),
    Scenario("a name with a line end", STRANGER, REGISTER, NEW | {"username": "abc\n"}, 400, "INVALID_USERNAME"),
    Scenario("a number for a name", STRANGER, REGISTER, NEW | {"username": 12345}, 400, "INVALID_USERNAME"),
    Scenario("no address", STRANGER, REGISTER, NEW | {"username": "b2x", "email": "nowhere"}, 400, "INVALID_EMAIL"),
    Scenario("no JSON", STRANGER, REGISTER, b"username=x", 400, "INVALID_INPUT"),
    Scenario("no object", STRANGER, REGISTER, [], 400, "INVALID_INPUT"),
    Scenario("a huge body", STRANGER, REGISTER, b"[" * 3_000_000, 413, "PAYLOAD_TOO_LARGE"),
    Scenario(
        "right", STRANGER, LOGIN, her_login, 200, {"token": str, "user": {"id": "{ada}", "username": str, "email": str}}
    ),
    Scenario("a wrong password", STRANGER, LOGIN, a_wrong_password, 401, "LOGIN_FAILED"),
    Scenario("nobody's", STRANGER, LOGIN, {"email": "x@example.com", "password": PASSWORD}, 401, "LOGIN_FAILED"),
    Scenario("no email", STRANGER, LOGIN, {"password": PASSWORD}, 400, "MISSING_FIELDS"),
    Scenario("a number", STRANGER, LOGIN, {"email": 3, "password": PASSWORD}, 400, "INVALID_EMAIL"),
    Scenario("right", ADA, ME, None, 200, {"id": "{ada}", "username": "{her_name}", "email": str}),
    Scenario(
        "right",
        ADMIN,
        PLAYER,
        points_of_ada,
        200,
        {"userId": "{ada}", "hidden": True},
        ("ScoreChanged",),
        TOP_AND_SCORE,
    ),
    Scenario(
        "shown", ADMIN, PLAYER, ada_hidden, 200, {"userId": "{ada}", "hidden": False}, ("ScoreChanged",), TOP_AND_SCORE
    ),
    Scenario("as it is", ADMIN, PLAYER, {"hidden": False}, 200, {"userId": "{ada}", "hidden": False}),
    Scenario(
        "nobody",
        ADMIN,
        PLAYER,
        {"hidden": True},
        404,
        "USER_NOT_FOUND",
        at={"userId": "00000000-0000-4000-8000-000000000000"},
    ),
    Scenario("no id", ADMIN, PLAYER, {"hidden": True}, 400, "INVALID_INPUT", at={"userId": "ada"}),
    Scenario("no flag", ADMIN, PLAYER, {}, 400, "MISSING_FIELDS"),
    Scenario("a text for a flag", ADMIN, PLAYER, {"hidden": "yes"}, 400, "INVALID_INPUT"),
)


@rows(TABLE)
async def test_accounts(row: Scenario, scene: Scene) -> None:
    await row.play(scene)
