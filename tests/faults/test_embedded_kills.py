"""SIGKILL for the embedded server, for its leader and for the process that watches it."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from headwater.kernel.database.embedded import (
    Address,
    EmbeddedObservation,
    EmbeddedPostgres,
    EmbeddedSettings,
    LeftoversEnded,
    PostgresDied,
    PostgresStarted,
    RestartFailed,
    attach,
)
from headwater.kernel.database.embedded import account as accounts
from headwater.kernel.database.embedded.leftovers import leader_of, processes_of

SERVE = """
import asyncio, sys
from pathlib import Path
from headwater.kernel.database.embedded import EmbeddedPostgres, account

async def main():
    if len(sys.argv) > 2:
        account.LAUNCH = Path(sys.argv[2])
    await EmbeddedPostgres(Path(sys.argv[1])).start()
    print("ready", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder everyone may pass through, as pytest's own are not."""
    made = Path(tempfile.mkdtemp(prefix="embedded-"))
    made.chmod(0o755)
    yield Path(os.path.realpath(made))
    shutil.rmtree(made)


async def ask(address: Address, statement: str) -> object:
    connection = await asyncpg.connect(**address.connect_arguments("postgres", "postgres"))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def until(true: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 what is waited for is in other processes
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(folder: Path, *launch: Path) -> AsyncGenerator[subprocess.Popen[str]]:
    """A process of its own that serves `folder`, and is dead afterwards."""
    command = [sys.executable, "-c", SERVE, str(folder), *map(str, launch)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert await asyncio.to_thread(child.stdout.readline) == "ready\n"
        yield child
    finally:
        child.kill()
        child.communicate()


async def test_a_killed_leader_comes_back_with_every_answered_row(ground: Path, scaled: Callable[[int], int]) -> None:
    seen: list[EmbeddedObservation] = []
    server = EmbeddedPostgres(ground, observer=seen.append)
    address = await server.start()
    try:
        await ask(address, "create table kept (n int)")
        for number in range(scaled(30)):
            await ask(address, f"insert into kept values ({number})")
            seen.clear()
            leader = leader_of(ground / "postgres")
            assert leader is not None
            os.kill(leader, signal.SIGKILL)
            await until(lambda: any(isinstance(one, PostgresStarted) and one.recovered for one in seen))
            assert PostgresDied(leader, -signal.SIGKILL) in seen
            assert await ask(address, "select count(*) from kept") == number + 1
    finally:
        await server.stop()
    assert processes_of(ground / "postgres") == ()


async def test_a_backend_that_does_not_notice_is_ended_before_the_next_start(ground: Path) -> None:
    seen: list[EmbeddedObservation] = []
    server = EmbeddedPostgres(ground, observer=seen.append, settings=EmbeddedSettings(stop_seconds=1))
    address = await server.start()
    try:
        connection = await asyncpg.connect(**address.connect_arguments("postgres", "postgres"))
        backend = connection.get_server_pid()
        spinning = asyncio.ensure_future(connection.execute("do $$ begin loop end loop; end $$"))
        look = f"select state from pg_stat_activity where pid = {backend}"
        while await ask(address, look) != "active":  # noqa: ASYNC110 - backends ring no bell
            await asyncio.sleep(0.01)
        leader = leader_of(ground / "postgres")
        assert leader is not None
        os.kill(leader, signal.SIGKILL)
        await until(lambda: any(isinstance(one, PostgresStarted) and one.recovered for one in seen))
        assert any(isinstance(one, LeftoversEnded) and backend in one.pids for one in seen)
        assert backend not in processes_of(ground / "postgres")
        with pytest.raises((asyncpg.PostgresError, ConnectionError)):
            await spinning
        assert await ask(address, "select 1") == 1
    finally:
        await server.stop()


async def test_restarts_that_fail_are_repeated_and_stop_still_works(ground: Path) -> None:
    seen: list[EmbeddedObservation] = []
    server = EmbeddedPostgres(ground, observer=seen.append)
    await server.start()
    (ground / "postgres" / "PG_VERSION").rename(ground / "postgres" / "hidden")
    leader = leader_of(ground / "postgres")
    assert leader is not None
    os.kill(leader, signal.SIGKILL)
    await until(lambda: sum(isinstance(one, RestartFailed) for one in seen) >= 3)
    pauses = [one.pause for one in seen if isinstance(one, RestartFailed)]
    assert pauses == sorted(pauses) and len(set(pauses)) == len(pauses)
    (ground / "postgres" / "hidden").rename(ground / "postgres" / "PG_VERSION")
    await until(lambda: any(isinstance(one, PostgresStarted) and one.recovered for one in seen))
    await server.stop()
    assert processes_of(ground / "postgres") == ()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_the_server_goes_when_its_watcher_is_killed(ground: Path) -> None:
    async with serving(ground) as child:
        assert processes_of(ground / "postgres")
        child.kill()
        await until(lambda: processes_of(ground / "postgres") == ())
    server = EmbeddedPostgres(ground)
    await server.start()
    await server.stop()


async def test_rows_survive_killed_watchers_and_starts_that_follow_at_once(
    ground: Path, scaled: Callable[[int], int]
) -> None:
    for number in range(scaled(30)):
        async with serving(ground) as child:
            address = await attach(ground)
            assert address is not None
            if number == 0:
                await ask(address, "create table kept (n int)")
            await ask(address, f"insert into kept values ({number})")
            assert await ask(address, "select count(*) from kept") == number + 1
            child.kill()
    server = EmbeddedPostgres(ground)
    await server.start()
    await server.stop()


async def test_an_orphan_is_found_and_ended_by_the_next_start(ground: Path) -> None:
    text = accounts.LAUNCH.read_text()
    carefree = ground / "launch.py"
    carefree.write_text(text.replace('sys.platform == "linux"', 'sys.platform == "never"'))
    assert carefree.read_text() != text
    async with serving(ground, carefree) as child:
        orphan = leader_of(ground / "postgres")
        child.kill()
        child.wait()
        address = await attach(ground)
        assert address is not None
        await ask(address, "create table kept as select 7 as n")
        seen: list[EmbeddedObservation] = []
        server = EmbeddedPostgres(ground, observer=seen.append)
        assert await server.start() == address
    try:
        assert any(isinstance(one, LeftoversEnded) and orphan in one.pids for one in seen)
        assert leader_of(ground / "postgres") != orphan
        assert await ask(address, "select n from kept") == 7
    finally:
        await server.stop()


async def test_a_frozen_orphan_is_killed(ground: Path) -> None:
    async with serving(ground) as child:
        orphan = leader_of(ground / "postgres")
        assert orphan is not None
        os.kill(orphan, signal.SIGSTOP)
        child.kill()
        child.wait()
        assert orphan in processes_of(ground / "postgres")
        server = EmbeddedPostgres(ground, settings=EmbeddedSettings(stop_seconds=0.5))
        address = await server.start()
    try:
        assert await ask(address, "select 1") == 1
        assert orphan not in processes_of(ground / "postgres")
    finally:
        await server.stop()
