"""From the URL to a client of redis-py, whatever stands there: one server, sentinels, a cluster."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis as Client
from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import ConnectionPool, SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from headwater.kernel.redis.models import RedisSettings

Greet = Callable[[Any], Awaitable[None]]
_SENTINEL_PORT = 26379
_PORT = 6379


class InvalidRedisUrl(ValueError):
    """A URL that names no Redis; the sentence repeats nothing of it, because a password may be in it."""


def open_client(settings: RedisSettings, url: str, greet: Greet) -> Any:
    """A client of what `url` names; it connects when it is first used, and `greet` is called on each new connection.

    It never tries twice: that is for whoever knows what is tried. In a cluster `greet` is not called. Raises
    `InvalidRedisUrl`.
    """
    parts = urlsplit(url)
    scheme, _, form = parts.scheme.partition("+")
    arguments: dict[str, Any] = {
        "socket_timeout": settings.answer_timeout,
        "protocol": 2,  # the third brings nothing here, and Redis 5 does not speak it
        "retry": Retry(NoBackoff(), 0),
    }
    try:
        if form == "" and scheme in {"redis", "rediss", "unix"}:
            return _single(settings, url, {**arguments, "redis_connect_func": greet})
        if form == "sentinel" and scheme in {"redis", "rediss"}:
            return _sentinel(settings, url, {**arguments, "redis_connect_func": greet})
        if form == "cluster" and scheme in {"redis", "rediss"}:
            return _cluster(settings, url, arguments)
    except ValueError as failure:
        raise InvalidRedisUrl("one of its parts cannot be read") from failure
    raise InvalidRedisUrl("it must begin with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://")


async def close_client(client: Any) -> None:
    """Close every connection of a client, those to sentinels too."""
    await client.aclose()
    if manager := getattr(getattr(client, "connection_pool", None), "sentinel_manager", None):
        await manager.aclose()


def _single(settings: RedisSettings, url: str, arguments: dict[str, Any]) -> Any:
    stated: dict[str, Any] = {**parse_url(url)}
    if urlsplit(url).scheme == "unix":
        if "path" not in stated:
            raise InvalidRedisUrl("unix:// must be followed by the path of a socket")
    else:
        arguments["socket_connect_timeout"] = settings.connect_timeout
    return Client.from_pool(ConnectionPool(**{**arguments, **stated}))


def _sentinel(settings: RedisSettings, url: str, arguments: dict[str, Any]) -> Any:
    hosts, stated, rest = _several(url, _SENTINEL_PORT)
    service, _, number = rest.partition("/")
    if not service:
        raise InvalidRedisUrl("redis+sentinel:// must end with the name of the service: …:26379/mymaster")
    arguments["socket_connect_timeout"] = settings.connect_timeout
    theirs: dict[str, Any] = {**arguments, "password": settings.sentinel_password}
    del theirs["redis_connect_func"]
    sentinels: Any = Sentinel(hosts, sentinel_kwargs=theirs)
    return sentinels.master_for(service, **{**arguments, **stated, "db": int(number or 0)})


def _cluster(settings: RedisSettings, url: str, arguments: dict[str, Any]) -> Any:
    hosts, stated, _ = _several(url, _PORT)
    nodes = [ClusterNode(host, port) for host, port in hosts]
    arguments["socket_connect_timeout"] = settings.connect_timeout
    return RedisCluster(startup_nodes=nodes, **{**arguments, **stated})


def _several(url: str, port: int) -> tuple[list[tuple[str, int]], dict[str, Any], str]:
    """The hosts of a URL with several, what else it states in redis-py's words, and its path."""
    parts = urlsplit(url)
    credentials, at, listed = parts.netloc.rpartition("@")
    hosts: list[tuple[str, int]] = []
    for each in listed.split(","):
        named = urlsplit(f"//{each}")
        if named.hostname is None:
            raise InvalidRedisUrl("it names no host")
        hosts.append((named.hostname, named.port or port))
    plain = parts.scheme.partition("+")[0]
    query = f"?{parts.query}" if parts.query else ""
    stated: dict[str, Any] = {**parse_url(f"{plain}://{credentials}{at}{query}")}
    if stated.pop("connection_class", None) is SSLConnection:
        stated["ssl"] = True
    return hosts, stated, parts.path.strip("/")
