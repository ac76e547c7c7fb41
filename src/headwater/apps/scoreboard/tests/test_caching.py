"""The cache of a running scoreboard: true figures, warming that loads, a clear that clears no more than is meant."""

import shutil
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.kit.redis import RedisServer
from tests.kit.server import RunningServer, new_folder

pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A house with the scoreboard at its root, and a Redis."""
    redis, folder = RedisServer(), new_folder()
    environment = {"HEADWATER_REDIS_URL": redis.url, "HEADWATER_FLOW_LIMITS_FACTOR": "1"}
    running = RunningServer(folder, environment, "--root-app", "scoreboard")
    with redis.client() as plain:
        plain.set("another:app", b"kept")
        yield running
        assert plain.get("another:app") == b"kept", "a clear has flushed what is somebody else's"
    running.stop()
    redis.remove()
    shutil.rmtree(folder.parent, ignore_errors=True)


@pytest.fixture
def admin(server: RunningServer) -> Iterator[httpx.Client]:
    with server.client(server.admin_key) as client:
        yield client


def told(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["success"] is True
    return body["data"]


def stats(admin: httpx.Client) -> dict[str, Any]:
    return told(admin.get("/api/cache/stats"))


def family(figures: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in figures["families"] if each["family"] == name)


def test_defect_17_the_house_was_warm_when_it_began_and_warms_when_asked(
    server: RunningServer, admin: httpx.Client
) -> None:
    last = stats(admin)["lastWarming"]
    assert [part["name"] for part in last["parts"]] == ["top scores", "active sessions", "configuration", "limits"]
    assert all(part["reason"] is None for part in last["parts"])
    assert last["parts"][0]["items"] == 2, "the top of the default board, and the board"
    before = family(stats(admin), "scoreboard_top")["refreshed"]
    warmed = told(admin.post("/api/cache/warm"))
    assert (warmed["message"], warmed["failed"]) == ("Cache warmed", [])
    assert warmed["itemsCached"] >= 4 and 0 < warmed["duration"] < 10_000
    assert family(stats(admin), "scoreboard_top")["refreshed"] == before + 1
    server.sign_up("grace@example.com")
    told(admin.post("/api/cache/warm"))
    assert stats(admin)["lastWarming"]["parts"][1]["items"] == 1, "who is here just now"


def test_defect_16_every_figure_is_counted_or_measured(admin: httpx.Client) -> None:
    told(admin.delete("/api/cache/clear"))
    before = stats(admin)
    for _ in range(5):
        assert admin.get("/api/scoreboard").status_code == 200
    after = stats(admin)
    top, was = family(after, "scoreboard_top"), family(before, "scoreboard_top")
    assert (top["loads"] - was["loads"], top["memoryHits"] - was["memoryHits"]) == (1, 4)
    assert top["redisHits"] == was["redisHits"], "what memory answers is no hit of Redis"
    assert after["redis"]["status"] == "connected" and after["redis"]["memoryUsage"] > 100_000
    assert after["redis"]["keyspace"] == {"scoreboard_top": 1, "scoreboard_board": 1}
    assert after["redis"]["keyspaceComplete"] is True
    lookups = sum(each["lookups"] for each in after["families"])
    assert after["performance"]["lookups"] == lookups
    assert after["performance"]["hitRate"] == pytest.approx(after["performance"]["hits"] / lookups)
    assert after["performance"]["p99"] >= after["performance"]["p50"] > 0
    assert after["memory"]["ownBytes"] == sum(each["bytes"] for each in after["families"]) > 0
    assert after["memory"]["usage"] == pytest.approx(after["memory"]["bytes"] / after["memory"]["capacity"])
    assert (after["alerts"], after["reactions"]) == ([], [])


def test_defect_5_a_clear_leaves_everything_else_where_it_is(server: RunningServer, admin: httpx.Client) -> None:
    player = server.sign_up("ada@example.com")
    with server.client(player) as own:
        user_id = own.get("/api/auth/sessions/current").json()["user"]["id"]
    admin.get(f"/api/auth/profiles/{user_id}").raise_for_status()
    admin.get("/api/scoreboard").raise_for_status()
    spent = admin.get("/api/cache/stats")
    cleared = told(admin.delete("/api/cache/clear"))
    assert cleared == {"message": "Cache cleared", "keysDeleted": 2}
    assert told(admin.delete("/api/cache/clear"))["keysDeleted"] == 0
    assert stats(admin)["redis"]["keyspace"] == {}
    lookups = admin.get("/metrics").text
    assert 'headwater_cache_entries{family="profiles"} 2.0' in lookups, "grace, loaded ahead, and ada"
    again = admin.get("/api/cache/stats")
    left = "x-ratelimit-remaining"
    assert int(again.headers[left]) < int(spent.headers[left]), "a clear gives nobody his limit back"


@pytest.mark.parametrize(("method", "path"), [("GET", "stats"), ("POST", "warm"), ("DELETE", "clear")])
def test_defect_5_players_and_strangers_do_not_touch_the_cache(server: RunningServer, method: str, path: str) -> None:
    player = server.sign_up(f"{path}@example.com")
    for key, status in ((None, 401), (server.anon_key, 403), (player, 403), ("forged", 401)):
        with server.client(key) as client:
            refused = client.request(method, f"/api/cache/{path}")
        assert (refused.status_code, refused.json()["success"]) == (status, False), refused.text


def test_twenty_a_minute_and_no_more(admin: httpx.Client) -> None:
    statuses: list[int] = []
    refused = admin.get("/api/cache/stats")
    while refused.status_code == 200 and len(statuses) < 60:  # one more is allowed every three seconds meanwhile
        statuses.append(refused.status_code)
        refused = admin.get("/api/cache/stats")
    assert refused.status_code == 429 and refused.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert len(statuses) <= 40, "the limit is no limit"
    assert refused.headers["x-ratelimit-limit"] == "20"
