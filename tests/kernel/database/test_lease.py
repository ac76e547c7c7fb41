"""Connections, lent and taken back: never too many, never a dirty one, nobody forgotten."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from headwater.kernel.database import Connect, Connection, DatabaseSettings, Lease, Login
from headwater.kernel.errors import Busy, DatabaseUnavailable
from headwater.kernel.observe import (
    ConnectionClosed,
    ConnectionOpened,
    DatabaseLost,
    DatabaseReturned,
    Observation,
    Observer,
)
from tests.kernel.waiting import until

SLEEPING = """
select count(*) from pg_stat_activity
where query ~ 'sleep.30' and state = 'active' and datname = current_database() and pid <> pg_backend_pid()
"""
KILL = "select pg_terminate_backend(pid) from unnest($1::int[]) pid where pid <> pg_backend_pid()"
ANON, USER, OWNER = Login.ANON, Login.AUTHENTICATED, Login.OWNER


class Openings:
    """Opens real connections, keeps them, and fails or waits on demand."""

    def __init__(self, connector: Connect) -> None:
        self._connector = connector
        self.made: list[Connection] = []
        self.begun = 0
        self.most = 0
        self.failure: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def __call__(self, login: Login) -> Connection:
        self.begun += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        connection = await self._connector(login)
        self.made.append(connection)
        self.most = max(self.most, self.open)
        return connection

    @property
    def open(self) -> int:
        return sum(not connection.is_closed() for connection in self.made)


@pytest.fixture
def openings(connector: Connect) -> Openings:
    return Openings(connector)


@pytest.fixture
def lending(openings: Openings, observer: Observer) -> Callable[..., contextlib.AbstractAsyncContextManager[Lease]]:
    @asynccontextmanager
    async def lending(**settings: float) -> AsyncGenerator[Lease]:
        lease = Lease(openings, DatabaseSettings(**{"pool_max": 2, "pool_wait": 5.0} | settings), observer)  # pyright: ignore[reportArgumentType]
        await lease.start()
        try:
            yield lease
        finally:
            await lease.close()
        await until(lambda: openings.open == 0)

    return lending


Lending = Callable[..., contextlib.AbstractAsyncContextManager[Lease]]


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_one_given_back_last_is_lent_first(lending: Lending, openings: Openings) -> None:
    async with lending() as lease:
        one, other = await lease.take(OWNER), await lease.take(OWNER)
        lease.give_back(OWNER, one)
        lease.give_back(OWNER, other)
        assert await lease.take(OWNER) is other
        assert (openings.begun, lease.open_count, lease.lent_count) == (2, 2, 1)
        lease.give_back(OWNER, other)


async def test_every_login_gets_its_own(lending: Lending) -> None:
    async with lending(pool_max=4) as lease:
        for login in Login:
            async with lease.held(login) as connection:
                assert await connection.fetchval("select session_user::text") == login
        async with lease.held(ANON) as connection:
            assert await connection.fetchval("select session_user::text") == ANON


async def test_waiters_of_one_login_are_served_in_their_order(lending: Lending) -> None:
    order: list[int] = []
    async with lending(pool_max=1) as lease:

        async def use(n: int) -> None:
            async with lease.held(OWNER):
                order.append(n)
                await asyncio.sleep(0)

        async with lease.held(OWNER):
            tasks = [asyncio.create_task(use(n)) for n in range(10)]
            await settled()
            assert order == []
        await asyncio.gather(*tasks)
    assert order == list(range(10))


async def test_the_longest_waiter_is_passed_over_ten_times_and_not_more(lending: Lending, openings: Openings) -> None:
    order: list[str] = []
    async with lending(pool_max=1) as lease:

        async def use(login: Login, name: str) -> None:
            async with lease.held(login):
                order.append(name)

        async with lease.held(USER):
            tasks = [asyncio.create_task(use(ANON, "anon"))]
            await settled()
            tasks += [asyncio.create_task(use(USER, "user")) for _ in range(15)]
            await settled()
        await asyncio.gather(*tasks)
    assert order == ["user"] * 10 + ["anon"] + ["user"] * 5
    assert openings.most == 1


async def test_an_idle_connection_of_another_login_makes_room_the_idlest_first(
    lending: Lending, openings: Openings
) -> None:
    async with lending(pool_max=2) as lease:
        for login in (ANON, USER):
            async with lease.held(login):
                pass
        async with lease.held(OWNER):
            assert lease.open_count == 2
            async with lease.held(USER):
                assert openings.begun == 3
        assert openings.most == 2


async def test_idle_connections_are_closed_down_to_the_least(
    lending: Lending, openings: Openings, observations: list[Observation]
) -> None:
    async with lending(pool_max=5, pool_min=2, pool_idle=0.05) as lease:
        held = [await lease.take(OWNER) for _ in range(5)]
        for connection in held:
            lease.give_back(OWNER, connection)
        await until(lambda: openings.open == 2)
        await asyncio.sleep(0.12)
        assert (openings.open, lease.open_count) == (2, 2)
    counted = [sum(isinstance(seen, kind) for seen in observations) for kind in (ConnectionOpened, ConnectionClosed)]
    assert counted == [5, 5]


@pytest.mark.parametrize(
    "failure",
    [OSError("no route"), TimeoutError(), asyncpg.CannotConnectNowError("x"), asyncpg.InvalidPasswordError("x")],
)
async def test_who_cannot_connect_is_told_503_and_its_place_is_free(
    lending: Lending, openings: Openings, observations: list[Observation], failure: Exception
) -> None:
    async with lending(pool_max=1) as lease:
        openings.failure = failure
        for _ in range(3):
            with pytest.raises(DatabaseUnavailable):
                await lease.take(OWNER)
        assert lease.open_count == 0
        assert len([seen for seen in observations if isinstance(seen, DatabaseLost)]) == 1
        openings.failure = None
        async with lease.held(OWNER):
            assert len([seen for seen in observations if isinstance(seen, DatabaseReturned)]) == 1


async def test_a_failed_opening_gives_its_place_to_who_waits(lending: Lending, openings: Openings) -> None:
    async with lending(pool_max=1) as lease:
        openings.gate, openings.failure = asyncio.Event(), OSError("no route")
        first = asyncio.create_task(lease.take(OWNER))
        await settled()
        waiting = asyncio.create_task(lease.take(ANON))
        await settled()
        openings.gate.set()
        for task in (first, waiting):
            with pytest.raises(DatabaseUnavailable):
                await task
        assert (openings.begun, lease.open_count) == (2, 0)


async def test_an_opening_that_takes_too_long_is_given_up(lending: Lending, openings: Openings) -> None:
    async with lending(pool_max=1, connect_timeout=0.03) as lease:
        openings.gate = asyncio.Event()
        with pytest.raises(DatabaseUnavailable):
            await lease.take(OWNER)
        assert lease.open_count == 0


async def test_who_waits_too_long_is_told_so_and_leaves_no_trace(lending: Lending) -> None:
    async with lending(pool_max=1, pool_wait=0.03) as lease:
        async with lease.held(OWNER):
            for login in (OWNER, ANON):
                with pytest.raises(Busy):
                    await lease.take(login)
        async with lease.held(ANON):
            assert lease.open_count == 1


async def test_a_cancelled_waiter_gives_on_what_was_handed_to_him(lending: Lending) -> None:
    async with lending(pool_max=1, pool_wait=1) as lease:
        held = await lease.take(OWNER)
        first, second = (asyncio.create_task(lease.take(OWNER)) for _ in range(2))
        await settled()
        lease.give_back(OWNER, held)
        first.cancel()
        assert await second is held
        with pytest.raises(asyncio.CancelledError):
            await first
        lease.give_back(OWNER, held)
        other = asyncio.create_task(lease.take(ANON))
        await settled()
        other.cancel()
        with pytest.raises(asyncio.CancelledError):
            await other
        async with lease.held(OWNER):
            assert lease.open_count == 1


@pytest.mark.parametrize("dirty", [True, False])
async def test_a_dirty_or_transacting_connection_is_not_lent_again(lending: Lending, dirty: bool) -> None:
    async with lending(pool_max=1) as lease:
        held = await lease.take(OWNER)
        if not dirty:
            await held.execute("begin")
        lease.give_back(OWNER, held, dirty=dirty)
        async with lease.held(OWNER) as other:
            assert other is not held and not other.is_in_transaction()
        assert held.is_closed()


async def test_who_is_cancelled_in_a_statement_leaves_a_closed_connection(lending: Lending) -> None:
    async with lending(pool_max=1) as lease:
        held: list[Connection] = []

        async def work() -> None:
            async with lease.held(OWNER) as connection:
                held.append(connection)
                await connection.execute("select pg_sleep(30)")

        task = asyncio.create_task(work())
        await until(lambda: held)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with lease.held(OWNER) as connection:
            running = await connection.fetchval(SLEEPING)
        assert (running, held[0].is_closed()) == (0, True)


async def test_connections_killed_while_idle_are_replaced(lending: Lending, openings: Openings) -> None:
    async with lending(pool_max=3) as lease:
        held = [await lease.take(OWNER) for _ in range(3)]
        pids = [connection.get_server_pid() for connection in held]
        for connection in held:
            lease.give_back(OWNER, connection)
        async with lease.held(OWNER) as killer:
            await killer.fetch(KILL, pids)
            await until(lambda: openings.open == 1)
            one, other = await lease.take(OWNER), await lease.take(ANON)
            assert await one.fetchval("select 1") == await other.fetchval("select 1") == 1
            lease.give_back(OWNER, one)
            lease.give_back(ANON, other)
        assert lease.open_count == 3


async def test_a_connection_killed_while_lent_frees_its_place(lending: Lending) -> None:
    async with lending(pool_max=1) as lease:
        with pytest.raises(asyncpg.PostgresError):
            async with lease.held(OWNER) as connection:
                await connection.execute("select pg_terminate_backend(pg_backend_pid())")
        async with lease.held(OWNER) as connection:
            assert await connection.fetchval("select 1") == 1
        assert lease.open_count == 1


async def test_closing_turns_everyone_away(lending: Lending, openings: Openings) -> None:
    async with lending(pool_max=2) as lease:
        held, _idle = await lease.take(OWNER), await lease.take(OWNER)
        waiting = asyncio.create_task(lease.take(ANON))
        await settled()
        lease.give_back(OWNER, _idle)
        await settled()
        await lease.close()
        with contextlib.suppress(DatabaseUnavailable):
            lease.give_back(ANON, await waiting)
        with pytest.raises(DatabaseUnavailable):
            await lease.take(OWNER)
        lease.give_back(OWNER, held)
        await until(lambda: (openings.open, lease.open_count, lease.lent_count) == (0, 0, 0))


@pytest.mark.parametrize("seed", range(4))
async def test_under_storms_there_are_never_too_many_and_nobody_is_forgotten(
    lending: Lending, openings: Openings, seed: int
) -> None:
    dice = random.Random(seed)
    served = 0

    async def use(lease: Lease) -> None:
        nonlocal served
        login = dice.choice([ANON, USER, OWNER])
        fate = dice.random()
        try:
            async with lease.held(login) as connection:
                user = await connection.fetchval("select current_user::text")
                assert user == {ANON: "anon", USER: "authenticated"}.get(login, login.value)
                if fate < 0.1:
                    await connection.execute("select pg_terminate_backend(pg_backend_pid())")
                elif fate < 0.2:
                    await connection.execute("select 1/0")
                elif fate < 0.3:
                    await connection.execute("begin")
                elif fate < 0.5:
                    await connection.execute("select pg_sleep(0.01)")
                served += 1
        except (asyncpg.PostgresError, Busy, DatabaseUnavailable):
            return

    async def leave(task: asyncio.Task[None]) -> None:
        await asyncio.sleep(dice.random() * 0.05)
        task.cancel()

    async with lending(pool_max=4, pool_wait=10, pool_idle=0.02, pool_min=1) as lease:
        for _ in range(3):
            tasks = [asyncio.create_task(use(lease)) for _ in range(50)]
            leavers = [asyncio.create_task(leave(task)) for task in dice.sample(tasks, 15)]
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                assert outcome is None or isinstance(outcome, asyncio.CancelledError)
            await asyncio.gather(*leavers)
        assert (lease.lent_count, openings.most) == (0, 4)
        assert served >= 50
        await until(lambda: lease.open_count == openings.open)


async def test_a_connection_that_opens_while_the_lease_closes_is_closed_too(
    lending: Lending, openings: Openings
) -> None:
    openings.gate = asyncio.Event()
    async with lending() as lease:
        taking = asyncio.ensure_future(lease.take(OWNER))
        await until(lambda: openings.begun == 1)
        closing = asyncio.ensure_future(lease.close())
        await settled()
        assert not closing.done()
        openings.gate.set()
        await closing
        with pytest.raises(DatabaseUnavailable):
            await taking
    assert (len(openings.made), openings.open, lease.open_count) == (1, 0, 0)
