"""What lets nobody in any more is acted on everywhere, in turn, before whoever ended it goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from headwater.kernel.bus import Nodes, PostgresBus, Revocations, Revoked
from headwater.kernel.database import Connect, Database
from headwater.kernel.observe import Observer
from tests.kernel.waiting import until

SILENCE = 0.6


@pytest.fixture
async def revocations(
    connector: Connect, database: Database, observer: Observer
) -> AsyncIterator[tuple[Revocations, Revocations]]:
    """Those of two processes."""
    async with AsyncExitStack() as stack:
        made: list[Revocations] = []
        for _ in range(2):
            bus = PostgresBus(connector, database, observer)
            nodes = Nodes(bus, observer, SILENCE)
            made.append(Revocations(nodes))
            await bus.start()
            stack.push_async_callback(bus.stop)
            await nodes.start()
            stack.push_async_callback(nodes.stop)
        yield made[0], made[1]


async def test_all_act_in_the_order_they_were_added(revocations: tuple[Revocations, Revocations]) -> None:
    acted: list[str] = []

    async def read_again(revoked: Revoked) -> None:
        await asyncio.sleep(0.02)
        acted.append(f"read {revoked.users[0]}")

    for process in revocations:
        process.add(read_again)
        process.add(lambda revoked: acted.append(f"ask {revoked.users[0]}"))
    await revocations[0].tell(Revoked(users=("a",)))
    assert sorted(acted) == ["ask a"] * 2 + ["read a"] * 2
    assert acted[0] == "read a"


async def test_any_number_is_told(revocations: tuple[Revocations, Revocations]) -> None:
    heard: list[Revoked] = []
    revocations[1].add(heard.append)
    sessions = tuple(f"{number:036}" for number in range(1234))
    await revocations[0].tell(Revoked(sessions=sessions, users=sessions[:150], keys=True))
    assert sorted(each for revoked in heard for each in revoked.sessions) == sorted(sessions)
    assert sorted(each for revoked in heard for each in revoked.users) == sorted(sessions[:150])
    assert [revoked.keys for revoked in heard].count(True) == 1


async def test_nothing_is_told_of_nothing(revocations: tuple[Revocations, Revocations]) -> None:
    heard: list[Revoked] = []
    for process in revocations:
        process.add(heard.append)
    await revocations[0].tell(Revoked())
    await asyncio.sleep(0.05)
    assert heard == []


async def test_who_is_in_doubt_waits_until_it_is_not_or_no_more_can_be_known(
    revocations: tuple[Revocations, Revocations], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = revocations
    assert not one.in_doubt
    monkeypatch.setattr(one._nodes, "_note_own_beat", float)
    await until(lambda: one.in_doubt)
    began = asyncio.get_running_loop().time()
    await one.catch_up()
    assert 0.4 < asyncio.get_running_loop().time() - began < 1.0
    monkeypatch.undo()
    await one.catch_up()
    assert not one.in_doubt
