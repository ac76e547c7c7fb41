"""Scenarios of boards, of incidents, of the cache and of health: what admins see, and what everybody may."""

import pytest

from headwater.kernel.clock import moment

from .scenario import ADMIN, STRANGER, TIME, Scenario, Scene, rows

pytestmark = pytest.mark.asyncio(loop_scope="session")
LIST, OPEN, SHOW = "GET /api/boards", "POST /api/boards", "GET /api/boards/{board}"
CHANGE, REMOVE, RESET = "PATCH /api/boards/{board}", "DELETE /api/boards/{board}", "POST /api/boards/{board}/reset"
SEASONS, HOURS = "GET /api/boards/{board}/seasons", "GET /api/boards/{board}/hours"
INCIDENTS, INCIDENT = "GET /api/scoreboard/incidents", "GET /api/scoreboard/incidents/{id}"
REVIEW = "POST /api/scoreboard/incidents/{id}/review"
STATS, WARM, CLEAR = "GET /api/cache/stats", "POST /api/cache/warm", "DELETE /api/cache/clear"
NOWHERE = {"board": "nowhere"}
PLAIN = {
    "name": str,
    "title": str,
    "operator": "increment",
    "ascending": False,
    "resets": "none",
    "zone": "UTC",
    "ceiling": 1000,
    "season": 1,
    "seasonBegan": TIME,
    "nextReset": None,
    "startsAt": None,
    "endsAt": None,
    "entryLimit": None,
}
CUP = {
    "name": "cup",
    "title": "The Cup",
    "operator": "best",
    "ascending": True,
    "resets": "weekly",
    "zone": "Europe/Vienna",
    "ceiling": 5,
    "startsAt": "2040-01-01T00:00:00.000Z",
    "endsAt": "2040-02-01T00:00:00.000Z",
    "entryLimit": 2,
}
OPENED, FORGOTTEN = ("BoardOpened",), ("scoreboard_board:{board}",)
ADD_INCIDENT = """
insert into scoreboard.incidents (user_id, board, outcome, score, reasons, points, opened_at, latest_at)
values ($1::uuid, $2, 'counted', 0.9, '[]', 10, $3, $3) returning id::text
"""
FOUND: dict[str, object] = {
    "id": str,
    "userId": "{ada}",
    "username": "ada",
    "hidden": False,
    "board": "{board}",
    "outcome": "counted",
    "state": "open",
    "score": 0.9,
    "reasons": [],
    "attempts": 1,
    "points": 10,
    "openedAt": TIME,
    "latestAt": TIME,
    "reviewedAt": None,
    "reviewedBy": None,
    "note": None,
}


async def played(scene: Scene) -> None:
    await scene.game.act(scene.ada, 10, scene.board)


async def looked(scene: Scene) -> None:
    await scene.game.places(scene.board)


async def incident(scene: Scene) -> str:
    database = scene.game.house.database
    (found, _) = await database.writing(
        lambda tx: tx.value(ADD_INCIDENT, scene.ada.id, scene.board, scene.game.clock.now())
    )
    return found


def cup(**changed: object) -> dict[str, object]:
    return CUP | {"name": "cup-2"} | changed


TABLE = (
    Scenario("right", ADMIN, OPEN, CUP, 201, PLAIN | CUP | {"nextReset": TIME}, OPENED, ("scoreboard_board:cup",)),
    Scenario("again", ADMIN, OPEN, CUP, 409, "BOARD_EXISTS"),
    Scenario("no name", ADMIN, OPEN, {}, 400, "MISSING_FIELDS"),
    Scenario("a name with a line end", ADMIN, OPEN, {"name": "cup\n"}, 400, "INVALID_INPUT"),
    Scenario("a name with a colon", ADMIN, OPEN, {"name": "cup:2"}, 400, "INVALID_INPUT"),
    Scenario("the admins' name", ADMIN, OPEN, {"name": "incidents"}, 400, "INVALID_INPUT"),
    Scenario("a title with a nought", ADMIN, OPEN, cup(title="a\0b"), 400, "INVALID_INPUT"),
    Scenario("no operator", ADMIN, OPEN, cup(operator="decrement"), 400, "INVALID_INPUT"),
    Scenario("no rhythm", ADMIN, OPEN, cup(resets="hourly"), 400, "INVALID_INPUT"),
    Scenario("no zone", ADMIN, OPEN, cup(zone="Europe/Nowhere"), 400, "INVALID_INPUT"),
    Scenario("a zone that is a folder", ADMIN, OPEN, cup(zone="Europe"), 400, "INVALID_INPUT"),
    Scenario("an end before the start", ADMIN, OPEN, cup(endsAt="2039-01-01T00:00:00Z"), 400, "INVALID_INPUT"),
    Scenario("a start in no zone", ADMIN, OPEN, cup(startsAt="2040-01-01T00:00:00"), 400, "INVALID_INPUT"),
    Scenario("a start at no time", ADMIN, OPEN, cup(startsAt="0001-01-01T00:00:00+14:00"), 400, "INVALID_INPUT"),
    Scenario("for nobody", ADMIN, OPEN, cup(entryLimit=0), 400, "INVALID_INPUT"),
    Scenario("for very many", ADMIN, OPEN, cup(entryLimit=2**31), 400, "INVALID_INPUT"),
    Scenario(
        "right",
        ADMIN,
        REMOVE,
        None,
        200,
        None,
        ("BoardRemoved",),
        ("scoreboard_board:cup", "scoreboard_top:cup:1"),
        at={"board": "cup"},
    ),
    Scenario("the default", ADMIN, REMOVE, None, 403, "FORBIDDEN", at={"board": "default"}),
    Scenario("none", ADMIN, REMOVE, None, 404, "BOARD_NOT_FOUND", at=NOWHERE),
    Scenario("no name", ADMIN, REMOVE, None, 400, "INVALID_INPUT", at={"board": "NO"}),
    Scenario("right", STRANGER, LIST, None, 200, list),
    Scenario("right", STRANGER, SHOW, None, 200, PLAIN | {"name": "{board}", "title": "{board}"}),
    Scenario("none", STRANGER, SHOW, None, 404, "BOARD_NOT_FOUND", at=NOWHERE),
    Scenario("no name", STRANGER, SHOW, None, 400, "INVALID_INPUT", at={"board": "NO"}),
    Scenario(
        "right",
        ADMIN,
        CHANGE,
        {"title": "Ours", "ceiling": 7},
        200,
        PLAIN | {"title": "Ours", "ceiling": 7},
        OPENED,
        FORGOTTEN,
    ),
    Scenario(
        "an end",
        ADMIN,
        CHANGE,
        {"endsAt": "2050-01-01T00:00:00.000Z"},
        200,
        PLAIN | {"endsAt": "2050-01-01T00:00:00.000Z"},
        OPENED,
        FORGOTTEN,
    ),
    Scenario("nothing", ADMIN, CHANGE, {}, 200, PLAIN, OPENED, FORGOTTEN),
    Scenario("no moment", ADMIN, CHANGE, {"endsAt": "soon"}, 400, "INVALID_INPUT"),
    Scenario("no ceiling", ADMIN, CHANGE, {"ceiling": 0}, 400, "INVALID_INPUT"),
    Scenario("none", ADMIN, CHANGE, {"title": "x"}, 404, "BOARD_NOT_FOUND", at=NOWHERE),
    Scenario("right", ADMIN, RESET, played, 200, PLAIN | {"season": 2}, ("SeasonBegan",), FORGOTTEN),
    Scenario("none", ADMIN, RESET, None, 404, "BOARD_NOT_FOUND", at=NOWHERE),
    Scenario("no name", ADMIN, RESET, None, 400, "INVALID_INPUT", at={"board": "NO"}),
    Scenario(
        "right", STRANGER, SEASONS, played, 200, [{"season": 1, "players": 1, "current": True, "lastUpdated": TIME}]
    ),
    Scenario("none", STRANGER, SEASONS, None, 404, "BOARD_NOT_FOUND", at=NOWHERE),
    Scenario("no name", STRANGER, SEASONS, None, 400, "INVALID_INPUT", at={"board": "NO"}),
    Scenario("right", STRANGER, HOURS, None, 200, []),
    Scenario("none", STRANGER, HOURS, None, 404, "BOARD_NOT_FOUND", at=NOWHERE),
    Scenario("too far back", STRANGER, HOURS, None, 400, "INVALID_INPUT", asked="?hours=745"),
    Scenario("right", ADMIN, INCIDENTS, incident, 200, {"incidents": [FOUND], "next": None}, asked="?board={board}"),
    Scenario("no state", ADMIN, INCIDENTS, None, 400, "INVALID_INPUT", asked="?state=lost"),
    Scenario("no such page", ADMIN, INCIDENTS, None, 404, "INCIDENT_NOT_FOUND", asked="?before={ada}"),
    Scenario("right", ADMIN, INCIDENT, incident, 200, {"incident": FOUND, "actions": []}),
    Scenario(
        "none", ADMIN, INCIDENT, None, 404, "INCIDENT_NOT_FOUND", at={"id": "00000000-0000-4000-8000-000000000000"}
    ),
    Scenario("no id", ADMIN, INCIDENT, None, 400, "INVALID_INPUT", at={"id": "1"}),
    Scenario(
        "decided",
        ADMIN,
        REVIEW,
        {"decision": "confirm"},
        404,
        "INCIDENT_NOT_FOUND",
        at={"id": "00000000-0000-4000-8000-000000000000"},
    ),
    Scenario(
        "no decision", ADMIN, REVIEW, {}, 400, "MISSING_FIELDS", at={"id": "00000000-0000-4000-8000-000000000000"}
    ),
    Scenario("another decision", ADMIN, REVIEW, {"decision": "perhaps"}, 400, "INVALID_INPUT", at={"id": "1"}),
    Scenario(
        "right",
        ADMIN,
        WARM,
        None,
        200,
        {"message": "Cache warmed", "itemsCached": int, "duration": float, "failed": []},
    ),
    Scenario("right", ADMIN, CLEAR, None, 200, {"message": "Cache cleared", "keysDeleted": int}),
    Scenario(
        "right",
        ADMIN,
        STATS,
        None,
        200,
        {
            "redis": dict,
            "memory": dict,
            "performance": dict,
            "families": list,
            "alerts": [],
            "reactions": [],
            "lastWarming": dict,
        },
    ),
    Scenario(
        "right",
        STRANGER,
        "GET /health",
        looked,
        200,
        {
            "status": "healthy",
            "timestamp": TIME,
            "websocketConnections": 0,
            "parts": dict,
            "cache": {"redis": "not configured", "hitRate": float, "memoryUsage": int},
        },
    ),
)


@rows(TABLE)
async def test_boards(row: Scenario, scene: Scene) -> None:
    await row.play(scene)


async def test_an_incident_is_reviewed_once(scene: Scene) -> None:
    game, found = scene.game, await incident(scene)
    path = f"/api/scoreboard/incidents/{found}/review"
    game.heard.nothing()
    told = await game.told(game.admin, "POST", path, {"decision": "confirm", "note": "looked at it"})
    assert (told["state"], told["note"], told["reviewedAt"]) == ("confirmed", "looked at it", moment(game.clock.now()))
    assert game.heard.events == ["IncidentReviewed"]
    again = await game.ask(game.admin, "POST", path, {"decision": "release"})
    assert (again.status, again.json["error"]["code"]) == (409, "INCIDENT_REVIEWED")


async def test_the_end_of_a_tournament_comes_after_its_start(scene: Scene) -> None:
    board = await scene.game.open_board(startsAt="2050-01-01T00:00:00Z")
    path = f"/api/boards/{board}"
    refused = await scene.game.ask(scene.game.admin, "PATCH", path, {"endsAt": "2050-01-01T00:00:00Z"})
    assert (refused.status, refused.json["error"]["message"]) == (400, "endsAt: must be after startsAt")
    later = "2051-01-01T00:00:00.000Z"
    for change, ends in (({"endsAt": later}, later), ({"title": "Ours"}, later), ({"endsAt": None}, None)):
        assert (await scene.game.told(scene.game.admin, "PATCH", path, change))["endsAt"] == ends, change
    await scene.game.told(scene.game.admin, "DELETE", path)
