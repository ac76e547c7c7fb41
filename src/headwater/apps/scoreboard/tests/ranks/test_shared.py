"""Ranks in Redis: shared, built once, and answered by the rows while Redis is away."""

import asyncio
from pathlib import Path

import pytest

from headwater.kernel.database import Transactions
from headwater.kernel.observe import Observer
from tests.kit.redis import RedisServer, eventually

from ...ranks import Ranks
from ...ranks.held import NotHeld
from ...ranks.shared import SharedRanks
from .test_comparing import compare, during, must_be_all
from .world import Opened, World, must_agree

pytestmark = pytest.mark.needs("redis-server")


async def _held(ranks: Ranks, world: World) -> bool:
    try:
        await ranks._held.count(world.board, world.season)
    except NotHeld:
        return False
    return True


async def _until_held(ranks: Ranks, world: World) -> None:
    async with asyncio.timeout(10):
        while not await _held(ranks, world):  # noqa: ASYNC110 - rings no bell
            await asyncio.sleep(0.02)


async def test_two_nodes_see_what_one_was_told(
    opened: Opened, redis_server: RedisServer, redis_prefix: str, observer: Observer, world: World
) -> None:
    one, other = [await opened(redis_server.open(observer, prefix=redis_prefix)) for _ in range(2)]
    await one.load(Transactions(world.database))
    for points, player in enumerate(world.players):
        change = await world.add_points(player, points % 4)
        await one.apply(change)
        await other.apply(change)

    await must_agree(other, world)
    assert await _held(other, world)


async def test_two_nodes_build_it_once(
    opened: Opened, redis_server: RedisServer, redis_prefix: str, observer: Observer, full_world: World
) -> None:
    one, other = [await opened(redis_server.open(observer, prefix=redis_prefix)) for _ in range(2)]

    async def act() -> None:
        assert not (await compare(other, full_world)).complete
        assert not await _held(other, full_world)
        assert len(await other.page(full_world.board, 1, 0, 5000)) == 3000  # by the rows

    assert (await during(one, full_world, act)).complete
    await must_be_all(other, full_world)


async def test_who_loses_the_lease_ends_and_declares_nothing_ready(
    opened: Opened, redis_server: RedisServer, redis_prefix: str, observer: Observer, full_world: World
) -> None:
    redis = redis_server.open(observer, prefix=redis_prefix)
    ranks = await opened(redis)
    shared = ranks._held
    assert isinstance(shared, SharedRanks)

    async def act() -> None:
        await redis.call("SET", shared._keys(full_world.board, 1)[3], "another's")

    comparison = await during(ranks, full_world, act)

    assert not comparison.complete
    assert not await _held(ranks, full_world)
    assert len(await ranks.page(full_world.board, 1, 0, 5000)) == 3000


async def test_without_redis_the_rows_answer_and_what_was_missed_is_made_up_for(
    opened: Opened, own_redis: RedisServer, observer: Observer, world: World
) -> None:
    redis = own_redis.open(observer)
    ranks = await opened(redis)
    await ranks.load(Transactions(world.database))
    for player in world.players[:6]:
        await ranks.apply(await world.add_points(player, 2))
    own_redis.pause()

    for player in world.players[3:9]:
        await ranks.apply(await world.add_points(player, 3))
    await ranks.apply(await world.hide_or_show(world.players[0]))
    await must_agree(ranks, world)
    assert not await _held(ranks, world)

    own_redis.resume()
    await eventually(redis, available=True)
    await _until_held(ranks, world)
    await must_agree(ranks, world)
    assert await _held(ranks, world)


async def test_a_redis_that_comes_back_empty_is_filled_again(
    opened: Opened, own_redis: RedisServer, observer: Observer, world: World
) -> None:
    redis = own_redis.open(observer)
    ranks = await opened(redis)
    await ranks.load(Transactions(world.database))
    await ranks.apply(await world.add_points(world.players[0], 2))
    own_redis.kill()
    await ranks.apply(await world.add_points(world.players[1], 3))
    await must_agree(ranks, world)

    own_redis.start()
    await eventually(redis, available=True)
    await _until_held(ranks, world)

    await must_agree(ranks, world)
    assert await _held(ranks, world)


async def test_an_old_snapshot_is_not_believed(
    opened: Opened, own_redis: RedisServer, observer: Observer, world: World
) -> None:
    redis = own_redis.open(observer)
    ranks = await opened(redis)
    await ranks.load(Transactions(world.database))
    await ranks.apply(await world.add_points(world.players[0], 2))
    client = own_redis.client()
    client.save()
    await ranks.apply(await world.add_points(world.players[0], -5))
    await ranks.apply(await world.add_points(world.players[1], 1))
    client.close()
    own_redis.kill()
    assert Path(own_redis.folder, "dump.rdb").exists()
    own_redis.start()
    await eventually(redis, available=True)

    await must_agree(ranks, world)
    await _until_held(ranks, world)
    await must_agree(ranks, world)


async def test_too_much_that_was_missed_is_built_again(
    opened: Opened, own_redis: RedisServer, observer: Observer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headwater.apps.scoreboard.ranks.shared._MOST_OWED", 3)
    redis = own_redis.open(observer)
    ranks = await opened(redis)
    await ranks.load(Transactions(world.database))
    own_redis.pause()
    for player in world.players:
        await ranks.apply(await world.add_points(player, 3))
    await must_agree(ranks, world)

    own_redis.resume()
    await eventually(redis, available=True)
    await _until_held(ranks, world)
    await must_agree(ranks, world)


async def test_keys_that_nobody_compares_any_longer_expire(
    opened: Opened, own_redis: RedisServer, observer: Observer, world: World
) -> None:
    ranks = await opened(own_redis.open(observer))
    await ranks.load(Transactions(world.database))
    await ranks.apply(await world.add_points(world.players[0], 2))
    await ranks.apply(await world.add_points(world.players[1], 2))
    await ranks.begin_season(world.board, await world.begin_season())
    await ranks.apply(await world.add_points(world.players[1], 2))

    with own_redis.client() as client:
        lifetimes = {name.decode().partition("{arena}:")[2]: client.ttl(name) for name in client.keys("*{arena}*")}
    assert set(lifetimes) == {"state", "1:order", "1:users", "2:order", "2:users"}
    state = lifetimes.pop("state")
    assert all(0 < state < seconds for seconds in lifetimes.values())


async def test_a_removed_player_is_gone_on_both_nodes_whatever_is_still_told_of_him(
    opened: Opened, redis_server: RedisServer, redis_prefix: str, observer: Observer, world: World
) -> None:
    one, other = [await opened(redis_server.open(observer, prefix=redis_prefix)) for _ in range(2)]
    await one.load(Transactions(world.database))
    gone, stays = world.players[:2]
    changes = [await world.add_points(player, 5) for player in (gone, stays)]
    for change in changes:
        await one.apply(change)
    late = await world.add_points(gone, 7)
    await world.run("delete from auth.users where id = $1", gone)

    seasons = await other.remove_player(gone)
    for node in (one, other):
        await node.apply(late)
        assert await _held(node, world)
        assert await node.rank(world.board, world.season, gone) is None
        assert (await node.count(world.board, world.season), await node.rank(world.board, world.season, stays)) == (
            1,
            1,
        )
    assert [(live.board, live.season) for live in seasons if live.board == world.board] == [(world.board, 1)]
    await must_agree(one, world)
