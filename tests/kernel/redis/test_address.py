"""What stands behind a URL: one server, sentinels, a cluster; and what is none."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from headwater.kernel.observe import Observer
from headwater.kernel.redis import InvalidRedisUrl, Redis, RedisSettings, RedisUnavailable
from tests.kernel.waiting import until
from tests.kit.redis import RedisServer, eventually

pytestmark = pytest.mark.needs("redis-server")


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


def knows_a_replica(sentinel: Any) -> bool:
    """Whether the sentinel has found a replica of `main` that may follow it."""
    found: list[dict[str, str]] = sentinel.sentinel_slaves("main")
    return any((each["flags"], each["master-link-status"]) == ("slave", "ok") for each in found)


def is_whole(member: Any) -> bool:
    """Whether this member of a cluster knows who holds each key."""
    return member.cluster("INFO")["cluster_state"] == "ok"


@pytest.fixture
def servers() -> Iterator[list[RedisServer]]:
    started: list[RedisServer] = []
    yield started
    for server in started:
        server.remove()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "redis+ring://127.0.0.1",
        "127.0.0.1:6379",
        "unix://",
        "redis+sentinel://127.0.0.1:26379",
        "redis+sentinel:///mymaster",
        "redis+cluster://",
        "redis://:hunter2@127.0.0.1:many",
        "redis+sentinel://:hunter2@127.0.0.1:26379/mymaster/zero",
    ],
)
async def test_what_names_no_redis_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InvalidRedisUrl) as refused:
        Redis(RedisSettings(), url, Observer())
    assert "hunter2" not in str(refused.value) and "127.0.0.1" not in str(refused.value)


async def test_a_host_and_a_port(servers: list[RedisServer]) -> None:
    port = free_port()
    servers.append(RedisServer("--port", str(port), password="sesame"))
    redis = Redis(RedisSettings(), f"redis://:sesame@127.0.0.1:{port}/2", Observer())
    await redis.start()
    assert await redis.call("SET", "k", "v") is True
    await redis.stop()


async def test_sentinels_lead_to_the_master_and_to_the_next_one(servers: list[RedisServer]) -> None:
    ports = [free_port() for _ in range(3)]
    master, replica, watch = ports
    servers.append(RedisServer("--port", str(master), "--repl-diskless-sync-delay", "0"))
    servers.append(RedisServer("--port", str(replica), "--replicaof", "127.0.0.1", str(master)))
    configuration = servers[0].folder / "sentinel.conf"
    configuration.write_text(
        f"port {watch}\nsentinel monitor main 127.0.0.1 {master} 1\nsentinel down-after-milliseconds main 500\n"
        "sentinel failover-timeout main 2000\n"
    )
    servers.append(RedisServer(configuration=configuration))
    redis = Redis(RedisSettings(answer_timeout=0.5), f"redis+sentinel://127.0.0.1:{watch}/main", Observer())
    heard: list[bytes] = []
    await redis.start()
    assert await redis.call("SET", "k", "v") is True
    await redis.subscribe("news", heard.append)
    before = redis.incarnation
    with servers[1].client() as copy, servers[2].client() as sentinel:
        await until(lambda: copy.dbsize() == 1 and knows_a_replica(sentinel))
    servers[0].kill()
    with pytest.raises(RedisUnavailable):
        await redis.call("GET", "k")
    await eventually(redis, available=True, seconds=20)
    assert await redis.call("GET", "k") == b"v"
    assert redis.incarnation != before
    await until(lambda: redis.listening, 8)
    await redis.publish("news", b"x")
    await until(lambda: heard == [b"x"])
    await redis.stop()


async def test_a_cluster_is_called_key_by_key(servers: list[RedisServer]) -> None:
    ports = [free_port() % 40_000 + 2_000 for _ in range(2)]
    servers += [RedisServer("--port", str(port), "--cluster-enabled", "yes") for port in ports]
    with servers[0].client() as one, servers[1].client() as other:
        one.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 8191)
        other.execute_command("CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
        other.execute_command("CLUSTER", "SET-CONFIG-EPOCH", 2)
        one.execute_command("CLUSTER", "MEET", "127.0.0.1", ports[1])
        await until(lambda: is_whole(one) and is_whole(other))
    redis = Redis(RedisSettings(), f"redis+cluster://127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}", Observer())
    await redis.start()
    await eventually(redis, available=True)
    names = [redis.key(str(number)) for number in range(50)]
    await asyncio.gather(*(redis.call("SET", name, name) for name in names))
    assert await asyncio.gather(*(redis.call("GET", name) for name in names)) == [name.encode() for name in names]
    count = redis.script("return redis.call('incr', KEYS[1])")
    assert await asyncio.gather(*(count.run([f"c{number}"]) for number in range(20))) == [1] * 20
    heard: list[bytes] = []
    await redis.subscribe(redis.key("news"), heard.append)
    await redis.publish(redis.key("news"), b"x")
    await until(lambda: heard == [b"x"])
    assert len(redis.incarnation) > 40
    servers[1].kill()
    answers = await asyncio.gather(*(redis.call("GET", name) for name in names), return_exceptions=True)
    assert any(isinstance(answer, RedisUnavailable) for answer in answers)
    assert not redis.available
    await redis.stop()
