"""What a component asks for by the types of its fields."""

from dataclasses import dataclass

import pytest

from headwater.boot.errors import MissingPart
from headwater.boot.parts import Parts
from headwater.boot.settings import Settings
from headwater.kernel.observe import Observer
from headwater.kernel.redis import Redis, RedisSettings


@dataclass(frozen=True)
class Verbs:
    """Does with Redis or without it."""

    settings: RedisSettings
    redis: Redis | None


@dataclass(frozen=True)
class Demanding:
    """Cannot do without it."""

    redis: Redis


async def test_what_a_house_may_have_is_handed_in_where_it_has_it() -> None:
    parts = Parts(Settings({}))
    redis = Redis(RedisSettings(), "redis://127.0.0.1", Observer())
    parts.add(redis)

    assert parts.find(Verbs).redis is redis
    assert parts.find(Demanding).redis is redis
    await redis.stop()


def test_what_a_house_may_have_is_none_where_it_has_none() -> None:
    parts = Parts(Settings({}))

    assert parts.find(Verbs).redis is None
    with pytest.raises(MissingPart):
        parts.find(Demanding)
