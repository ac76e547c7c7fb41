"""Processes that know of each other, wait for each other, and notice that they are cut off."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from time import monotonic
from typing import Any, cast

import pytest

from headwater.kernel.bus import MessageTooLarge, Nodes, PostgresBus
from headwater.kernel.database import Connect, Database, Login
from headwater.kernel.errors import DatabaseUnavailable
from headwater.kernel.observe import (
    HookFailed,
    NodeCutOff,
    NodeJoined,
    NodeLeft,
    NodeReturned,
    Observation,
    Observer,
)
from tests.kernel.waiting import until

SILENCE = 0.6
CUT = "select pg_terminate_backend(pid) from pg_stat_activity where query ilike any ($1) and pid <> pg_backend_pid()"


class Process:
    """A bus and the nodes over it, as one process of a house has them."""

    def __init__(self, connector: Connect, database: Database, observer: Observer, silence: float) -> None:
        self.bus = PostgresBus(connector, database, observer)
        self.nodes = Nodes(self.bus, observer, silence)
        self.heard: list[bytes] = []

    async def start(self) -> None:
        await self.bus.start()
        await self.nodes.start()

    async def stop(self) -> None:
        await self.nodes.stop()
        await self.bus.stop()

    async def die(self) -> None:
        """End as SIGKILL ends: without a word."""
        cast("asyncio.Task[None]", self.bus._keeping).cancel()
        await cast("Any", self.bus._connection).close()

    def deafen(self) -> None:
        """Hear nothing any more, as a process that is stopped."""
        cast("Any", self.bus._connection)._transport.pause_reading()

    def thaw(self) -> None:
        """Hear again, first what was told meanwhile."""
        cast("Any", self.bus._connection)._transport.resume_reading()


Begin = Callable[..., Awaitable[Process]]


@pytest.fixture
async def begin(connector: Connect, database: Database, observer: Observer) -> AsyncIterator[Begin]:
    """Starts processes, which end with the test."""
    async with AsyncExitStack() as stack:

        async def begin(silence: float = SILENCE) -> Process:
            process = Process(connector, database, observer, silence)
            await process.start()
            stack.push_async_callback(process.stop)
            return process

        yield begin


async def test_one_alone_is_known_at_once_and_waits_for_nobody(begin: Begin, observations: list[Observation]) -> None:
    began = monotonic()
    one = await begin(20.0)
    assert not one.nodes.cut_off
    assert one.nodes.live == {one.nodes.id}
    one.nodes.answer("news", one.heard.append)
    assert not await one.nodes.tell_all("news", b"1")
    assert one.heard == [b"1"]
    assert monotonic() - began < 5
    assert NodeReturned() not in observations, "who was not away does not return"


async def test_who_starts_knows_everyone_and_is_known(begin: Begin, observations: list[Observation]) -> None:
    first = [await begin(20.0) for _ in range(3)]
    ids = {process.nodes.id for process in first}
    assert first[-1].nodes.live == ids
    await until(lambda: all(set(process.nodes.live) == ids for process in first))
    assert len([seen for seen in observations if isinstance(seen, NodeJoined)]) == 6


async def test_telling_waits_for_every_handler_on_every_process(begin: Begin) -> None:
    processes = [await begin(20.0) for _ in range(3)]
    done: list[str] = []

    def slow(process: Process, seconds: float) -> Callable[[bytes], Awaitable[None]]:
        async def act(message: bytes) -> None:
            await asyncio.sleep(seconds)
            done.append(process.nodes.id + message.decode())

        return act

    for process, seconds in zip(processes, (0.05, 0.2, 0.1), strict=True):
        process.nodes.answer("news", slow(process, seconds))
        process.nodes.answer("news", process.heard.append)
        process.nodes.answer("weather", process.heard.append)
    for asker in processes:
        assert await asker.nodes.tell_all("news", b"!") == set()
        assert sorted(done) == sorted(process.nodes.id + "!" for process in processes)
        done.clear()
    assert [process.heard for process in processes] == [[b"!"] * 3] * 3


async def test_many_questions_at_once_are_all_answered(begin: Begin) -> None:
    one, other = await begin(20.0), await begin(20.0)
    for process in (one, other):
        process.nodes.answer("news", process.heard.append)
    asking = [process.nodes.tell_all("news", b"%d" % n) for n in range(100) for process in (one, other)]
    assert set(await asyncio.gather(*asking)) == {frozenset()}
    expected = sorted(b"%d" % n for n in range(100) for _ in range(2))
    assert sorted(one.heard) == sorted(other.heard) == expected


async def test_who_hears_nothing_is_waited_for_until_it_is_cut_off(begin: Begin) -> None:
    one, other = await begin(), await begin()
    other.nodes.answer("news", other.heard.append)
    for pause in (0.0, SILENCE / 3, SILENCE / 2):
        await until(lambda: not other.nodes.cut_off)
        other.deafen()
        await asyncio.sleep(pause)
        began = monotonic()
        silent = await one.nodes.tell_all("news", b"1")
        assert other.nodes.cut_off, "whoever asked may now rely on it"
        assert silent <= {other.nodes.id}
        assert monotonic() - began < SILENCE + 0.3
        other.thaw()
        await until(lambda: not other.nodes.cut_off)
        assert other.heard.pop() == b"1", "what was told meanwhile is heard before it trusts itself again"


async def test_who_hears_again_in_time_answers(begin: Begin) -> None:
    one, other = await begin(20.0), await begin(20.0)
    other.nodes.answer("news", other.heard.append)
    other.deafen()
    asking = asyncio.create_task(one.nodes.tell_all("news"))
    await asyncio.sleep(0.2)
    assert not asking.done()
    other.thaw()
    assert await asking == set()
    assert other.heard == [b""]


async def test_a_dead_process_is_waited_for_once_and_forgotten(begin: Begin, observations: list[Observation]) -> None:
    one, other = await begin(), await begin()
    silences: list[str] = []
    one.nodes.on_silence(lambda: silences.append("heard"))
    await other.die()
    began = monotonic()
    assert await one.nodes.tell_all("news") <= {other.nodes.id}
    await until(lambda: set(one.nodes.live) == {one.nodes.id})
    assert monotonic() - began < SILENCE * 2
    assert NodeLeft(other.nodes.id, silent=True) in observations
    assert silences == ["heard"], "whoever remembers looks again: the dead may have told nobody what it did"
    began = monotonic()
    assert not await one.nodes.tell_all("news")
    assert monotonic() - began < SILENCE / 2


async def test_who_leaves_is_not_waited_for(begin: Begin, observations: list[Observation]) -> None:
    one, other = await begin(20.0), await begin(20.0)
    await until(lambda: len(one.nodes.live) == 2)
    one.nodes.on_silence(lambda: pytest.fail("it said that it leaves"))
    hanging = asyncio.Event()

    async def hang(_message: bytes) -> None:
        await hanging.wait()

    other.nodes.answer("news", hang)
    asking = asyncio.create_task(one.nodes.tell_all("news"))
    await asyncio.sleep(0.1)
    assert not asking.done()
    await other.stop()
    assert await asking == set()
    assert one.nodes.live == {one.nodes.id}
    assert NodeLeft(other.nodes.id, silent=False) in observations
    await asyncio.sleep(0.1)
    assert one.nodes.live == {one.nodes.id}


async def test_who_has_not_finished_does_not_trust_itself(begin: Begin) -> None:
    one, other = await begin(), await begin()
    hanging = asyncio.Event()

    async def hang(_message: bytes) -> None:
        await hanging.wait()

    other.nodes.answer("news", hang)
    assert await one.nodes.tell_all("news") == {other.nodes.id}
    assert other.nodes.cut_off
    await asyncio.sleep(SILENCE)
    assert other.nodes.cut_off
    hanging.set()
    await until(lambda: not other.nodes.cut_off)


async def test_a_handler_without_postgres_is_called_again(begin: Begin) -> None:
    one, other = await begin(20.0), await begin(20.0)
    tries: list[bytes] = []

    async def read_again(message: bytes) -> None:
        tries.append(message)
        if len(tries) < 3:
            raise DatabaseUnavailable

    other.nodes.answer("news", read_again)
    assert not await one.nodes.tell_all("news", b"1")
    assert tries == [b"1"] * 3


@pytest.mark.parametrize("late", [False, True])
async def test_a_handler_that_fails_is_told_and_gives_no_answer(
    begin: Begin, observations: list[Observation], *, late: bool
) -> None:
    one, other = await begin(), await begin()

    def fail(_message: bytes) -> Awaitable[None] | None:
        if not late:
            raise ZeroDivisionError

        async def fail_late() -> None:
            raise ZeroDivisionError

        return fail_late()

    other.nodes.answer("news", fail)
    other.nodes.answer("news", other.heard.append)
    assert await one.nodes.tell_all("news", b"1", within=0.2) == {other.nodes.id}
    assert other.heard == [b"1"]
    assert [type(seen.failure) for seen in observations if isinstance(seen, HookFailed)] == [ZeroDivisionError]


async def test_without_postgres_handlers_here_are_called_and_everyone_is_cut_off(
    begin: Begin, observations: list[Observation], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await begin(), await begin()
    returns: list[str] = []
    one.nodes.answer("news", one.heard.append)
    other.nodes.on_return(lambda: returns.append("back"))

    async def refuse(*_arguments: object) -> None:
        raise DatabaseUnavailable

    for process in (one, other):
        monkeypatch.setattr(process.bus, "_probe", refuse)
        monkeypatch.setattr(process.bus, "notify", refuse)
        process.nodes._outgoing._send = refuse
    began = monotonic()
    asking = asyncio.create_task(one.nodes.tell_all("news", b"1"))
    await asyncio.sleep(0)
    assert one.heard == [b"1"]
    assert await asking == {other.nodes.id}
    assert monotonic() - began < SILENCE + 0.3
    await until(lambda: one.nodes.cut_off and other.nodes.cut_off)
    await until(lambda: observations.count(NodeCutOff()) >= 2)
    monkeypatch.undo()
    await until(lambda: not one.nodes.cut_off and not other.nodes.cut_off)
    assert returns[-1:] == ["back"]


async def test_trust_comes_back_only_when_the_gap_is_healed(
    begin: Begin, connector: Connect, observations: list[Observation]
) -> None:
    one = await begin()
    reading = asyncio.Event()
    tries: list[float] = []

    async def read_again() -> None:
        tries.append(monotonic())
        if len(tries) == 1:
            raise DatabaseUnavailable
        await reading.wait()

    one.bus.on_gap(read_again)
    owner = await connector(Login.OWNER)
    assert await owner.fetch(CUT, ["listen%", "%pg_notify%"])
    await owner.close()
    await until(lambda: len(tries) == 2)
    await until(lambda: one.nodes.cut_off)
    await asyncio.sleep(SILENCE)
    assert one.nodes.cut_off
    reading.set()
    await until(lambda: not one.nodes.cut_off)
    assert not [seen for seen in observations if isinstance(seen, HookFailed)]


async def test_an_ended_answer_is_called_no_more_and_a_large_question_is_refused(begin: Begin) -> None:
    one = await begin()
    end = one.nodes.answer("news", one.heard.append)
    end()
    assert not await one.nodes.tell_all("news", b"1")
    assert one.heard == []
    with pytest.raises(MessageTooLarge, match="'news'"):
        await one.nodes.tell_all("news", b"x" * 6000)
