"""Two servers that share a Redis: what they count together, and what they do while it is away."""

import time
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.faults.storm import eventually
from tests.kit.nodes import Nodes, outside_postgres, two_nodes
from tests.kit.redis import RedisServer
from tests.kit.server import RunningServer

pytestmark = pytest.mark.needs("redis-server")
PER_MINUTE = 600
COUNTED_AHEAD = PER_MINUTE // 100
"""Requests that a node may have counted in Redis and not yet had (docs/decisions/0049)."""
APP = "/apps/scoreboard"
SEEN_WITHIN = 10.0


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """The Redis they share."""
    server = RedisServer()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def nodes(redis: RedisServer) -> Iterator[Nodes]:
    """Two servers on one PostgreSQL and one Redis."""
    environment = {
        "HEADWATER_REDIS_URL": redis.url,
        "HEADWATER_FLOW_REQUESTS_PER_MINUTE": str(PER_MINUTE),
        "HEADWATER_FLOW_LIMITS_FACTOR": "1",
    }
    with outside_postgres() as own, two_nodes(own, environment=environment) as both:
        yield both


def health(node: RunningServer) -> dict[str, object]:
    """What a node says of itself."""
    return httpx.get(node.url + "/health").json()


def seen_by_other(nodes: Nodes) -> float:
    """Seconds until a table made on one node is served by the other."""
    one, other = nodes
    table = f"seen_{uuid4().hex[:8]}"
    one.sql(f"create table {table} (id int primary key)")
    began = time.monotonic()
    with other.client(other.admin_key) as client:
        while client.get(f"/api/database/records/{table}").status_code != 200:
            assert time.monotonic() - began < SEEN_WITHIN
    return time.monotonic() - began


def test_what_one_tells_the_other_hears_with_redis_and_without(nodes: Nodes, redis: RedisServer) -> None:
    assert seen_by_other(nodes) < SEEN_WITHIN
    redis.kill()
    eventually(lambda: all(health(node)["status"] == "degraded" for node in nodes))
    assert seen_by_other(nodes) < SEEN_WITHIN
    token = nodes[0].sign_up(f"{uuid4().hex[:8]}@example.com")
    with nodes[0].client(token) as client:
        client.post("/api/auth/logout").raise_for_status()
    with nodes[1].client(token) as client:
        assert client.get("/api/auth/sessions/current").status_code == 401
    redis.start()
    eventually(lambda: all(health(node)["status"] == "ok" for node in nodes), 20)
    assert seen_by_other(nodes) < SEEN_WITHIN


def test_they_count_requests_together_and_each_for_itself_without_redis(nodes: Nodes, redis: RedisServer) -> None:
    def counted() -> float:
        """When the limit of this address will be full again, as Redis has it."""
        with redis.client() as client:
            return float(client.get("headwater:limit:{127.0.0.1}:address"))

    moments: list[float] = []
    for node in (*nodes, *nodes):
        for _ in range(COUNTED_AHEAD + 1):
            answer = httpx.get(node.url + "/ready")
            assert int(answer.headers["ratelimit-limit"]) == PER_MINUTE
        moments.append(counted())
    assert moments == sorted(set(moments)), "the requests of either move it on"
    redis.kill()
    for node in nodes:  # once what it has counted ahead is over
        eventually(lambda node=node: httpx.get(node.url + "/ready").headers["ratelimit-remaining"] == "599", pause=0.5)
    redis.start()
    eventually(lambda: all(health(node)["status"] == "ok" for node in nodes), 20)


def test_a_players_ten_updates_a_minute_are_ten_on_both_together(nodes: Nodes) -> None:
    token = nodes[0].sign_up(f"{uuid4().hex[:8]}@example.com")
    with nodes[0].client(token) as here, nodes[1].client(token) as there:
        clients = (here, there) * 6
        statuses = [client.post(f"{APP}/api/scoreboard/update", json={}).status_code for client in clients]
    assert statuses == [400] * 10 + [429] * 2


def test_a_clear_on_one_is_a_clear_on_both_and_of_nothing_else(nodes: Nodes, redis: RedisServer) -> None:
    one, other = nodes
    with one.client(one.sign_up(f"{uuid4().hex[:8]}@example.com")) as player:
        user_id = player.get("/api/auth/sessions/current").json()["user"]["id"]
    with one.client(one.admin_key) as here, other.client(other.admin_key) as there, redis.client() as behind:
        for client in (here, there):
            client.get(f"/api/auth/profiles/{user_id}").raise_for_status()
            client.get(f"{APP}/api/scoreboard").raise_for_status()
            assert _remembered(client) > 0
        behind.set("somebody:elses", "1")
        before = set(behind.keys())
        ours = {key for key in before if b"scoreboard_" in key}
        told = here.delete(f"{APP}/api/cache/clear").raise_for_status().json()["data"]
        assert told["keysDeleted"] == len(ours) > 0
        assert before - set(behind.keys()) == ours
        assert any(b":limit:" in key for key in before - ours), "limits are kept"
        assert any(b"profiles" in key for key in before - ours), "another part's family is kept"
        assert [_remembered(client) for client in (here, there)] == [0, 0]


def _remembered(client: httpx.Client) -> int:
    """How many values of the app a node has in its own memory."""
    told = client.get(f"{APP}/api/cache/stats").raise_for_status().json()["data"]
    return sum(int(family["entries"]) for family in told["families"])
