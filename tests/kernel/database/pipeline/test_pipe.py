"""One connection, many statements under way: each caller gets his own row, his own error, or is sent elsewhere."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from headwater.kernel.database import Connect, Json, Login
from headwater.kernel.database.pipeline import Elsewhere
from headwater.kernel.database.pipeline.pipe import Pipe
from headwater.kernel.errors import DatabaseUnavailable
from tests.kernel.waiting import until

ECHO = "select $1::text, $2::bigint, $2::bigint = 0, json_build_array($1::text), convert_to($1, 'UTF8')"
SLEEP = "select $1::int, pg_sleep($2::float8)::text"


class Watched:
    """A pipe, and what it told."""

    def __init__(self, pipe: Pipe, paces: list[tuple[str, float]], lost: list[Pipe]) -> None:
        self.pipe = pipe
        self.paces = paces
        self.lost = lost


@pytest.fixture
def piping(connector: Connect) -> Callable[..., Any]:
    @asynccontextmanager
    async def piping(patience: float = 60.0) -> AsyncGenerator[Watched]:
        paces: list[tuple[str, float]] = []
        lost: list[Pipe] = []
        pipe = Pipe(
            await connector(Login.AUTHENTICATED),
            patience,
            lambda sql, seconds: paces.append((sql, seconds)),
            lost.append,
        )
        try:
            yield Watched(pipe, paces, lost)
        finally:
            pipe.close()

    return piping


def texts(seeded: random.Random) -> list[str | None]:
    odd = ["", "'", '"', "\\", "\n", "%", "é", "\U0001f9ff", "a" * 70_000, None]
    return [*odd, *("".join(chr(seeded.randrange(1, 0xD800)) for _ in range(seeded.randrange(40))) for _ in range(60))]


async def test_arguments_come_back_as_they_went(piping: Any, seeded: random.Random) -> None:
    async with piping() as watched:
        asked = [(text, seeded.choice((None, 0, -1, 2**63 - 1, -(2**63)))) for text in texts(seeded)]
        rows = await asyncio.gather(*(watched.pipe.run(ECHO, (text, number)) for text, number in asked))
        for (text, number), (said, counted, is_zero, listed, octets) in zip(asked, rows, strict=True):
            assert (said, counted) == (text, number)
            assert is_zero == (None if number is None else number == 0)
            assert octets == (None if text is None else text.encode())
            assert isinstance(listed, bytes)


async def test_rows_are_whole_however_the_network_cuts_them(
    piping: Any, seeded: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Pipe.data_received

    def cut(pipe: Pipe, data: bytes) -> None:
        place = 0
        while place < len(data):
            size = seeded.choice((1, 2, 3, 4, 5, 6, 50, 1000))
            whole(pipe, data[place : place + size])
            place += size

    monkeypatch.setattr(Pipe, "data_received", cut)
    async with piping() as watched:
        sizes = [seeded.randrange(3000) for _ in range(40)]
        rows = await asyncio.gather(*(watched.pipe.run("select repeat('x', $1::int)", (size,)) for size in sizes))
        assert [len(row[0]) for row in rows] == sizes


async def test_a_large_row_is_not_copied_for_each_piece(piping: Any) -> None:
    async with piping() as watched:
        (text,) = await watched.pipe.run("select repeat('x', 30000000)", ())
        assert len(text) == 30_000_000


async def test_an_error_is_its_own_statements_alone(piping: Any) -> None:
    async with piping() as watched:
        answers = await asyncio.gather(
            *(watched.pipe.run("select 10 / $1::int", (number,)) for number in (1, 0, 2)),
            watched.pipe.run("select nonsense from nowhere", ()),
            watched.pipe.run("select nonsense from nowhere", ()),
            watched.pipe.run("select $1::text", ("\x00",)),
            watched.pipe.run("select 10 / $1::int", (5,)),
            watched.pipe.run("select 1 where false", ()),
            return_exceptions=True,
        )
        first, divided, second, unknown, again, octet, fifth, nothing = answers
        assert (first, second, fifth, nothing) == ((10,), (5,), (2,), None)
        assert isinstance(divided, asyncpg.DivisionByZeroError)
        assert isinstance(unknown, asyncpg.UndefinedTableError)
        assert isinstance(again, Elsewhere)  # it was sent before its twin was known to be unknown
        assert isinstance(octet, asyncpg.CharacterNotInRepertoireError)


async def test_failing_arguments_prepare_nothing_twice(piping: Any) -> None:
    async with piping() as watched:
        for _ in range(5):
            with pytest.raises(asyncpg.DataError):
                await watched.pipe.run("select $1::text::uuid::text", ("nobody",))
        assert await watched.pipe.run("select count(*) from pg_prepared_statements where statement ~ 'uuid'", ()) == (
            2,
        )


async def test_at_most_a_thousand_statements_stay_prepared(piping: Any) -> None:
    async with piping() as watched:
        for batch in range(12):
            await asyncio.gather(*(watched.pipe.run(f"select {batch * 100 + number}", ()) for number in range(100)))
        assert await watched.pipe.run("select count(*) from pg_prepared_statements", ()) == (1000,)
        assert await watched.pipe.run("select 7", ()) == (7,)


async def test_a_type_that_is_not_read_here_goes_elsewhere(piping: Any) -> None:
    async with piping() as watched:
        for _ in range(2):
            with pytest.raises(Elsewhere):
                await watched.pipe.run("select point(1, 2)", ())
        assert await watched.pipe.run("select '{}'::json", ()) == (Json(b"{}"),)


async def test_statements_that_were_forgotten_behind_our_back_are_prepared_again(piping: Any) -> None:
    async with piping() as watched:
        assert await watched.pipe.run("select $1::int", (1,)) == (1,)
        await watched.pipe.run("deallocate all", ())
        with pytest.raises(Elsewhere):
            await watched.pipe.run("select $1::int", (2,))
        assert await watched.pipe.run("select $1::int", (3,)) == (3,)


async def test_who_gives_up_leaves_the_rows_of_the_others_in_order(piping: Any, seeded: random.Random) -> None:
    async with piping() as watched:
        answers = [watched.pipe.run("select $1::int", (number,)) for number in range(200)]
        given_up = {number for number in range(200) if seeded.random() < 0.5}
        for number in given_up:
            answers[number].cancel()
        rows = await asyncio.gather(*(answers[number] for number in range(200) if number not in given_up))
        assert [row[0] for row in rows] == [number for number in range(200) if number not in given_up]


async def test_nobody_waits_long_behind_a_slow_statement(piping: Any) -> None:
    async with piping() as watched:
        began = asyncio.get_running_loop().time()
        slow = watched.pipe.run(SLEEP, (1, 0.6))
        behind = [watched.pipe.run(SLEEP, (number, 0.0)) for number in range(5)]
        assert all(isinstance(each, Elsewhere) for each in await asyncio.gather(*behind, return_exceptions=True))
        assert asyncio.get_running_loop().time() - began < 0.5
        assert watched.pipe.stalled
        assert await slow == (1, "")
        assert not watched.pipe.stalled
        assert await watched.pipe.run(SLEEP, (9, 0.0)) == (9, "")
        assert sum(seconds for sql, seconds in watched.paces if sql == SLEEP) > 0.5


async def test_a_killed_backend_refuses_whoever_waits_and_is_told_once(piping: Any, connector: Connect) -> None:
    async with piping() as watched:
        (process,) = await watched.pipe.run("select pg_backend_pid()", ())
        waiting = [watched.pipe.run(SLEEP, (number, 30.0)) for number in range(3)]
        owner = await connector(Login.OWNER)
        superuser_may = "select count(*) from pg_stat_activity where pid = $1"
        assert await owner.fetchval(superuser_may, process) == 1
        watched.pipe.connection._transport.abort()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(outcome, DatabaseUnavailable | Elsewhere) for outcome in outcomes)
        await until(lambda: watched.lost == [watched.pipe])
        assert watched.pipe.closed
        assert watched.pipe.connection.is_closed()
        await owner.close()


async def test_a_row_that_never_comes_ends_the_connection(piping: Any) -> None:
    async with piping(patience=0.1) as watched:
        with pytest.raises(DatabaseUnavailable):
            await watched.pipe.run(SLEEP, (1, 5.0))
        assert watched.lost == [watched.pipe]


async def test_asyncpg_has_what_the_pipe_takes_over(connector: Connect) -> None:
    connection = await connector(Login.ANON)
    inside: Any = connection
    assert callable(inside._transport.set_protocol)
    assert isinstance(asyncpg.PostgresError.new({"C": "22012", "M": "no"}), asyncpg.DivisionByZeroError)  # pyright: ignore[reportUnknownMemberType]
    await connection.close()
