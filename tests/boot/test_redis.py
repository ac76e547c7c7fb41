"""A whole house with Redis, and through its absence."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.kit.redis import RedisServer
from tests.kit.server import COMMAND, RunningServer, new_folder

pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture
def server(own_redis: RedisServer) -> Iterator[RunningServer]:
    """A house with a Redis that is to be hurt."""
    folder = new_folder()
    running = RunningServer(folder, {"HEADWATER_REDIS_URL": own_redis.url})
    yield running
    running.stop()
    shutil.rmtree(folder.parent, ignore_errors=True)


def health(server: RunningServer) -> tuple[int, str, dict[str, str]]:
    with server.client() as client:
        answer = client.get("/health")
    told: dict[str, Any] = answer.json()
    return answer.status_code, told["status"], {part["name"]: part["status"] for part in told["parts"]}


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def lookups(client: httpx.Client, source: str) -> float:
    label = f'headwater_cache_lookups_total{{family="profiles",from="{source}"}} '
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(label)) for line in lines if line.startswith(label))


def test_a_house_goes_on_without_its_redis_and_says_so(server: RunningServer, own_redis: RedisServer) -> None:
    token = server.sign_up("ada@example.com")
    with server.client(token) as client:
        user_id = client.get("/api/auth/sessions/current").json()["user"]["id"]

        def name_it(name: str) -> None:
            client.patch("/api/auth/profiles/current", json={"profile": {"name": name}}).raise_for_status()

        def name() -> str:
            return client.get(f"/api/auth/profiles/{user_id}").json()["profile"]["name"]

        name_it("Ada")
        assert [name() for _ in range(5)] == ["Ada"] * 5
        assert (lookups(client, "load"), lookups(client, "memory")) == (1, 4)
        with own_redis.client() as plain:
            assert any(b"profiles:" + user_id.encode() in key for key in plain.keys("headwater:cache:*"))
        assert health(server)[:2] == (200, "ok")
        own_redis.kill()
        name_it("Countess")
        assert name() == "Countess"
        until(lambda: health(server)[1] == "degraded")
        assert health(server)[0] == 200 and health(server)[2]["redis"] == "failed"
        assert server.is_ready()
        own_redis.start()
        until(lambda: health(server)[1] == "ok")
        name_it("Ada King")
        assert name() == "Ada King"
    told = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    events = [line["event"] for line in told if line["event"].startswith("Redis")]
    assert events
    assert events == ["RedisLost", "RedisReturned"] * (len(events) // 2), "a slow machine may lose it more than once"


def test_a_url_that_cannot_be_read_refuses_the_start_and_is_not_repeated() -> None:
    folder = new_folder()
    ended = subprocess.run(
        [*COMMAND, "serve", "--data", str(folder), "--port", "0"],
        env={**os.environ, "HEADWATER_REDIS_URL": "http://:hunter2@127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    shutil.rmtree(folder.parent, ignore_errors=True)
    assert ended.returncode != 0
    assert "HEADWATER_REDIS_URL: it must begin with redis://" in ended.stderr
    assert "hunter2" not in ended.stderr + ended.stdout
