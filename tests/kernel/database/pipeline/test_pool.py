"""Which reads share connections, how many those are, and that nobody's claims reach another's statement."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Database, DatabaseSettings, Lease, Login
from headwater.kernel.observe import Observation, Observer
from headwater.kernel.principal import Kind, Principal
from tests.kernel.waiting import until

USER = Principal(kind=Kind.USER, role="authenticated", key="user:1", claims_json='{"sub":"1"}')
ANON = Principal(kind=Kind.ANON, role="anon", key="anon", claims_json='{"role":"anon"}')
CLAIMS = """
select answer.* from (select set_config('request.jwt.claims', $1, true) as claims offset 0) gate,
  lateral (
    select current_setting('request.jwt.claims'), current_user::text, $2::bigint where gate.claims is not null
  ) answer
"""
AFTERWARDS = "select current_setting('request.jwt.claims')"


@asynccontextmanager
async def opened(connector: Connect, observer: Observer, **settings: Any) -> AsyncGenerator[Database]:
    chosen = DatabaseSettings(**settings)
    lease = Lease(connector, chosen, observer)
    await lease.start()
    try:
        yield Database(lease, DrivenClock(), observer, chosen)
    finally:
        await lease.close()
    await until(lambda: lease.open_count == 0)


async def crowd(database: Database, count: int, sql: str = "select $1::bigint, pg_backend_pid()::bigint") -> set[int]:
    """Ask at once; the processes that answered."""
    rows = await asyncio.gather(*(database.read(USER, sql, number) for number in range(count)))
    assert [row[0] for row in rows if row is not None] == list(range(count))
    return {row[1] for row in rows if row is not None}


async def test_quick_reads_of_a_crowd_share_a_few_connections(
    connector: Connect, observer: Observer, observations: list[Observation]
) -> None:
    async with opened(connector, observer, pipelines=3) as database:
        async with asyncio.timeout(30):
            while len(await crowd(database, 40)) > 3:  # noqa: ASYNC110 - pipes open in the background
                await asyncio.sleep(0.05)
        assert database.lease.lent_count == 0


async def test_every_statement_sees_its_own_claims(
    connector: Connect, observer: Observer, seeded: random.Random
) -> None:
    async with opened(connector, observer) as database:

        async def ask(number: int) -> None:
            role = seeded.choice(("authenticated", "anon"))
            claims = f'{{"sub":"{number}"}}'
            who = Principal(kind=Kind.USER, role=role, key=str(number), claims_json=claims)
            await asyncio.sleep(seeded.random() / 50)
            if seeded.random() < 0.1:
                with pytest.raises(Exception, match="division by zero"):
                    await database.read(who, CLAIMS.replace("$2::bigint", "1 / $2::bigint"), claims, 0)
            if seeded.random() < 0.1:
                given_up = asyncio.ensure_future(database.read(who, CLAIMS, claims, number))
                await asyncio.sleep(0)
                given_up.cancel()
            assert await database.read(who, CLAIMS, claims, number) == (claims, role, number)
            assert await database.read(who, AFTERWARDS) in {("{}",), ("",)}

        for _ in range(10):
            await asyncio.gather(*(ask(number) for number in range(100)))


async def test_slow_reads_keep_their_own_connections(connector: Connect, observer: Observer) -> None:
    async with opened(connector, observer) as database:
        slow = "select $1::bigint, pg_backend_pid()::bigint, pg_sleep(0.4)::text"
        await crowd(database, 8, slow)
        for _ in range(2):
            assert len(await crowd(database, 8, slow)) == 8


async def test_what_turns_slow_has_a_pipe_to_itself_or_none(connector: Connect, observer: Observer) -> None:
    async with opened(connector, observer, pipelines=1) as database:
        sql = "select $1::bigint, pg_backend_pid()::bigint, pg_sleep($2::float8)::text"
        async with asyncio.timeout(30):
            while not database.pipelines.open_count:
                await database.read(USER, sql, 1, 0)
        shared = (await database.read(USER, sql, 1, 0) or (0, 0))[1]
        for _ in range(30):
            await database.read(USER, sql, 1, 0.02)
        slow = asyncio.ensure_future(database.read(USER, sql, 1, 0.3))
        await asyncio.sleep(0)
        assert database.pipelines.find(Login.AUTHENTICATED, sql, (2, 0.3)) is None
        assert database.pipelines.find(Login.AUTHENTICATED, "select 1", ()) is None
        second = await database.read(USER, sql, 2, 0)
        assert not slow.done()
        assert second is not None
        assert (await slow or (0, 0))[1] != second[1]
        assert await database.read(USER, "select pg_backend_pid()::bigint") == (shared,)


async def test_of_several_pipes_one_is_left_to_quick_reads(connector: Connect, observer: Observer) -> None:
    async with opened(connector, observer, pipelines=2) as database:
        async with asyncio.timeout(30):
            while database.pipelines.open_count < 2:
                await crowd(database, 40)
        slow = "select $1::bigint, pg_backend_pid()::bigint, pg_sleep(0.3)::text"
        await database.read(USER, slow, 1)
        running = [asyncio.ensure_future(database.read(USER, slow, number)) for number in range(3)]
        await asyncio.sleep(0)
        pipe = database.pipelines.find(Login.AUTHENTICATED, "select 1", ())
        assert pipe is not None
        assert not pipe.depth
        assert len({(row or (0, 0))[1] for row in await asyncio.gather(*running)}) == 3


async def test_pipes_take_at_most_half_of_the_budget(connector: Connect, observer: Observer) -> None:
    async with opened(connector, observer, pool_max=4) as database:
        for _ in range(6):
            await crowd(database, 30)
            await asyncio.gather(*(database.read(ANON, "select 1") for _ in range(30)))
        async with database.lease.held(Login.OWNER), database.lease.held(Login.ADMIN):
            assert len(await crowd(database, 30)) <= 2  # though ANON's idle pipes may have had both other places


async def test_no_pipes_where_none_are_wanted(connector: Connect, observer: Observer) -> None:
    async with opened(connector, observer, pipelines=0, pool_max=5) as database:
        for _ in range(4):
            assert len(await crowd(database, 30)) == 5


async def test_idle_pipes_are_closed(connector: Connect, observer: Observer) -> None:
    async with opened(connector, observer, pool_idle=0.2, pool_min=0) as database:
        for _ in range(4):
            await crowd(database, 30)
        await until(lambda: database.lease.open_count == 0)
        assert await crowd(database, 30)


async def test_unusual_arguments_and_columns_are_answered_all_the_same(connector: Connect, observer: Observer) -> None:
    async with opened(connector, observer) as database:
        for _ in range(5):
            assert await database.read(USER, "select $1::bytea", b"\x00\x01") == (b"\x00\x01",)
            assert await database.read(USER, "select point(1, 2)::point") == ((1.0, 2.0),)
            assert await database.read(USER, "select 1 where false") is None


async def test_a_lost_pipe_gives_its_place_back(connector: Connect, observer: Observer) -> None:
    async with opened(connector, observer, pool_max=2) as database:
        for _ in range(3):
            await crowd(database, 20)
        owner = await connector(Login.OWNER)
        for _ in range(5):
            await asyncio.gather(
                *(database.read(USER, "select pg_terminate_backend(pg_backend_pid())::text") for _ in range(3)),
                return_exceptions=True,
            )
            await until(lambda: database.lease.open_count <= 2)
            assert await crowd(database, 20)
        await owner.close()
