"""A long row is the same row however it comes, and is held once."""

import random
import tracemalloc
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.database import Connect, Login
from headwater.kernel.database.pipeline.longrow import LONG, LongRow
from headwater.kernel.database.pipeline.pipe import Pipe
from headwater.kernel.database.pipeline.wire import read_row

VALUES = st.lists(st.none() | st.binary(max_size=40), max_size=6)


def row_of(values: list[bytes | None]) -> bytes:
    """A row as Postgres sends it, without its header."""
    sent = [pack("!i", -1) if value is None else pack("!i", len(value)) + value for value in values]
    return pack("!h", len(values)) + b"".join(sent)


@given(values=VALUES, behind=st.binary(max_size=9), cuts=st.lists(st.integers(1, 7), max_size=60))
def test_a_row_in_parts_is_the_row(values: list[bytes | None], behind: bytes, cuts: list[int]) -> None:
    sent = row_of(values)
    row, place = LongRow(len(sent)), 0
    for size in (*cuts, len(sent) + len(behind)):
        assert row.is_whole == (place >= len(sent))
        place += row.take(memoryview(sent + behind)[place : place + size])
    assert (row.is_whole, place) == (True, len(sent))
    decoders = [bytes] * len(values)
    assert row.read(decoders) == read_row(sent, 2, decoders) == tuple(values)


async def test_a_pipe_holds_a_long_answer_once(connector: Connect) -> None:
    pipe = Pipe(await connector(Login.AUTHENTICATED), 60.0, lambda _sql, _seconds: None, lambda _pipe: None)
    sql = "select convert_to(repeat('x', $1::int), 'UTF8'), null::bigint, $1::bigint, 'y'::text"
    await pipe.run(sql, (10,))
    tracemalloc.start()
    try:
        for size in (LONG - 40, LONG, 1_000_000, 40_000_000):
            assert await pipe.run(sql, (size,)) == (b"x" * size, None, size, "y")
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        row = await pipe.run(sql, (40_000_000,))
        assert row is not None
        assert tracemalloc.get_traced_memory()[1] - before < 1.2 * 40_000_000
    finally:
        tracemalloc.stop()
        pipe.close()


async def test_statements_around_a_long_row_get_their_own(
    connector: Connect, seeded: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headwater.kernel.database.pipeline.pipe.STALL", 60.0)
    pipe = Pipe(await connector(Login.AUTHENTICATED), 60.0, lambda _sql, _seconds: None, lambda _pipe: None)
    sizes = [seeded.choice((0, 5, LONG, 3 * LONG, 10 * LONG)) for _ in range(40)]
    several = "select repeat('x', n) from unnest(array[1, 900000, 2]) n"
    asked = [pipe.run("select repeat('x', $1::int), $1::bigint", (size,)) for size in sizes]
    first = pipe.run(several, ())
    last = pipe.run("select repeat('z', $1::int)", (900_000,))
    assert [await each for each in asked] == [("x" * size, size) for size in sizes]
    assert await first == ("x",)
    assert await last == ("z" * 900_000,)
    pipe.close()
