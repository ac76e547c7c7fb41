"""The one Redis client: calls joined in pipelines, subscriptions on one connection, and what its absence means.

Redis holds only what can be rebuilt. Whoever uses it has a way to go on without it, and is told when it is back.
"""

from redis.exceptions import ResponseError

from headwater.kernel.redis.address import InvalidRedisUrl, open_client
from headwater.kernel.redis.errors import RedisUnavailable
from headwater.kernel.redis.models import RedisSettings
from headwater.kernel.redis.outgoing import Argument
from headwater.kernel.redis.redis import Redis
from headwater.kernel.redis.script import Script

__all__ = [
    "Argument",
    "InvalidRedisUrl",
    "Redis",
    "RedisSettings",
    "RedisUnavailable",
    "ResponseError",
    "Script",
    "open_client",
]
