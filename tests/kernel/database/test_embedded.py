"""The embedded server as any user runs it: made, found again, refused to the second, gone after stop."""

import asyncio
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from headwater.kernel.database.embedded import (
    ClusterCreated,
    ClusterLost,
    EmbeddedObservation,
    EmbeddedPostgres,
    EmbeddedSettings,
    FolderInUse,
    LeftoversEnded,
    NotACluster,
    PostgresFailed,
    PostgresStarted,
    PostgresStopped,
    WrongMajorVersion,
    attach,
)
from headwater.kernel.database.embedded import account as accounts
from headwater.kernel.database.embedded.leftovers import processes_of

ROOT = os.geteuid() == 0
SERVE = """
import asyncio, sys
from pathlib import Path
from headwater.kernel.database.embedded import EmbeddedPostgres
from headwater.kernel.errors import Refusal

async def main():
    try:
        await EmbeddedPostgres(Path(sys.argv[1])).start()
    except Refusal as refusal:
        print(refusal.code, refusal, flush=True)
    else:
        print("ready", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder everyone may pass through, as pytest's own are not."""
    made = Path(tempfile.mkdtemp(prefix="embedded-"))
    made.chmod(0o755)
    yield Path(os.path.realpath(made))
    shutil.rmtree(made)


async def ask(folder: Path, statement: str) -> object:
    address = await attach(folder)
    assert address is not None
    connection = await asyncpg.connect(**address.connect_arguments("postgres", "postgres"))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_first_start_makes_a_cluster_and_the_next_finds_its_rows(ground: Path) -> None:
    seen: list[EmbeddedObservation] = []
    server = EmbeddedPostgres(ground / "data", observer=seen.append)
    await server.start()
    await ask(ground / "data", "create table kept as select 7 as n")
    await server.stop()
    assert [type(one) for one in seen] == [ClusterCreated, PostgresStarted, PostgresStopped]
    seen.clear()
    await server.start()
    try:
        assert await ask(ground / "data", "select n from kept") == 7
        assert [type(one) for one in seen] == [PostgresStarted]
    finally:
        await server.stop()


async def test_server_is_set_up_as_promised(ground: Path) -> None:
    server = EmbeddedPostgres(ground / "data", settings=EmbeddedSettings(max_connections=37))
    address = await server.start()
    try:
        expected = {
            "listen_addresses": "",
            "max_connections": "37",
            "server_version_num": "18",
            "data_checksums": "on",
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
            "jit": "off",
            "wal_level": "replica",
            "password_encryption": "scram-sha-256",
            "client_connection_check_interval": "2s",
        }
        for name, value in expected.items():
            shown = str(await ask(ground / "data", f"show {name}"))
            assert shown.startswith(value) and bool(shown) == bool(value), name
        assert await ask(ground / "data", "select datlocale from pg_database where datname = 'template1'") == "C.UTF-8"
        rules = await ask(ground / "data", "select string_agg(type || auth_method, ',') from pg_hba_file_rules")
        assert rules == "localpeer,localpeer"
        assert await ask(ground / "data", "select count(*) from pg_ident_file_mappings where error is null") == 5
        folder = Path(address.host).stat()
        assert stat.S_IMODE(folder.st_mode) == 0o700
        assert stat.S_IMODE((ground / "data" / "postgres.lock").stat().st_mode) == 0o600
    finally:
        await server.stop()


async def test_stop_leaves_no_process_and_no_trace_of_the_address(ground: Path) -> None:
    server = EmbeddedPostgres(ground / "data")
    address = await server.start()
    assert len(processes_of(ground / "data" / "postgres")) > 1
    await server.stop()
    assert processes_of(ground / "data" / "postgres") == ()
    assert not Path(address.host).exists()
    assert not (ground / "data" / "postgres.address").exists()
    assert await attach(ground / "data") is None
    await server.stop()


async def test_stop_does_not_wait_for_clients(ground: Path) -> None:
    server = EmbeddedPostgres(ground / "data")
    address = await server.start()
    connection = await asyncpg.connect(**address.connect_arguments("postgres", "postgres"))
    running = asyncio.ensure_future(connection.execute("select pg_sleep(60)"))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(5):
        await server.stop()
    with pytest.raises((asyncpg.PostgresError, ConnectionError)):
        await running


async def test_a_data_path_beyond_the_limit_of_sockets(ground: Path) -> None:
    folder = ground / ("long-" * 20) / ("way " * 20) / "it's \\ deep"
    assert len(str(folder)) > 180
    server = EmbeddedPostgres(folder)
    await server.start()
    try:
        assert await ask(folder, "select 1") == 1
    finally:
        await server.stop()


async def test_attach_finds_nothing_where_nothing_runs(ground: Path) -> None:
    assert await attach(ground) is None
    assert await attach(ground / "absent") is None
    assert list(ground.iterdir()) == []


async def test_attach_waits_for_a_server_that_is_starting(ground: Path) -> None:
    server = EmbeddedPostgres(ground / "data")
    starting = asyncio.ensure_future(server.start())
    while not (ground / "data" / "postgres.lock").exists():  # noqa: ASYNC110 the file is the event
        await asyncio.sleep(0.005)
    try:
        assert await attach(ground / "data") == await starting
    finally:
        await starting
        await server.stop()


async def test_a_folder_of_another_major_version_is_refused(ground: Path) -> None:
    cluster = ground / "postgres"
    cluster.mkdir(0o700)
    (cluster / "PG_VERSION").write_text("16\n")
    with pytest.raises(WrongMajorVersion, match=r"PostgreSQL 16 and this is PostgreSQL 18: dump it") as refused:
        await EmbeddedPostgres(ground).start()
    assert str(cluster) in str(refused.value)
    assert [one.name for one in cluster.iterdir()] == ["PG_VERSION"]


async def test_a_folder_with_something_else_is_refused_and_left_alone(ground: Path) -> None:
    (ground / "postgres").mkdir()
    (ground / "postgres" / "letter.txt").write_text("dear")
    with pytest.raises(NotACluster):
        await EmbeddedPostgres(ground).start()
    assert (ground / "postgres" / "letter.txt").read_text() == "dear"


async def test_a_lost_cluster_is_never_replaced_by_an_empty_one(ground: Path) -> None:
    (ground / "postgres.location").write_text(str(ground / "gone" / "postgres"))
    with pytest.raises(ClusterLost, match=r"gone/postgres, which is not there"):
        await EmbeddedPostgres(ground).start()


async def test_an_interrupted_initdb_is_begun_again(ground: Path) -> None:
    (ground / "postgres.new" / "base").mkdir(parents=True)
    (ground / "postgres.new" / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(ground)
    await server.start()
    await server.stop()
    assert not (ground / "postgres.new").exists()


async def test_a_server_that_cannot_start_says_why_and_frees_the_folder(ground: Path) -> None:
    server = EmbeddedPostgres(ground)
    await server.start()
    await server.stop()
    with pytest.raises(PostgresFailed, match=r"(?s)shared_buffers.*postgres\.log"):
        await EmbeddedPostgres(ground, settings=EmbeddedSettings(shared_buffers="many")).start()
    await server.start()
    await server.stop()


async def test_second_server_of_a_folder_is_told_who_has_it(ground: Path) -> None:
    first = EmbeddedPostgres(ground)
    await first.start()
    try:
        with pytest.raises(FolderInUse, match=rf"Process {os.getpid()} already runs the database in {ground}"):
            await EmbeddedPostgres(ground, settings=EmbeddedSettings(lock_seconds=0.1)).start()
        assert await ask(ground, "select 1") == 1
    finally:
        await first.stop()


async def test_two_processes_starting_at_once_make_one_server(ground: Path) -> None:
    racers = [
        subprocess.Popen([sys.executable, "-c", SERVE, str(ground)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    try:
        said = [await asyncio.to_thread(one.stdout.readline) for one in racers if one.stdout]
        winner = next(racer for racer, line in zip(racers, said, strict=True) if line == "ready\n")
        refusal = f"FOLDER_IN_USE Process {winner.pid} already runs the database in {ground}: stop it, "
        assert sorted(line.startswith(refusal) for line in said) == [False, True, True]
    finally:
        for racer in racers:
            racer.terminate()
            racer.communicate()
    server = EmbeddedPostgres(ground)
    await server.start()
    await server.stop()


async def test_a_leader_file_with_a_strangers_number_does_not_stop_the_start(ground: Path) -> None:
    server = EmbeddedPostgres(ground)
    await server.start()
    await server.stop()
    owner = accounts.server_account(ground / "postgres")
    stranger = await accounts.spawn(owner, ["/bin/sleep", "60"])
    (ground / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n{ground}/postgres\n1\n5432\n\n\n\n")
    try:
        await server.start()
        await server.stop()
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


async def test_the_log_is_bounded(ground: Path) -> None:
    settings = EmbeddedSettings(log_bytes=1000)
    (ground / "postgres.log").write_text("old\n" * 1000)
    server = EmbeddedPostgres(ground, settings=settings)
    await server.start()
    try:
        assert (ground / "postgres.log.1").read_text().startswith("old")
        with pytest.raises(asyncpg.UndefinedTableError):
            await ask(ground, "select 'a secret' from nowhere")
        written = (ground / "postgres.log").read_text()
        assert "ready to accept connections" in written and "secret" not in written
    finally:
        await server.stop()


async def test_a_copy_of_a_running_folder_touches_nothing_of_the_first(ground: Path) -> None:
    first = EmbeddedPostgres(ground / "first")
    await first.start()
    try:
        await ask(ground / "first", "checkpoint")
        shutil.copytree(ground / "first", ground / "copy", ignore=shutil.ignore_patterns("base*"))
        assert await attach(ground / "copy") is None
        with pytest.raises(PostgresFailed):
            await EmbeddedPostgres(ground / "copy").start()
        assert await ask(ground / "first", "select 1") == 1
    finally:
        await first.stop()


async def test_a_planted_link_is_replaced_not_followed(ground: Path) -> None:
    server = EmbeddedPostgres(ground)
    await server.start()
    await server.stop()
    (ground / "precious").write_text("untouched")
    (ground / "postgres" / "pg_ident.conf").unlink()
    (ground / "postgres" / "pg_ident.conf").symlink_to(ground / "precious")
    await server.start()
    await server.stop()
    assert (ground / "precious").read_text() == "untouched"
    assert not (ground / "postgres" / "pg_ident.conf").is_symlink()


async def test_nothing_of_an_orderly_start_counts_as_a_leftover(ground: Path) -> None:
    seen: list[EmbeddedObservation] = []
    server = EmbeddedPostgres(ground, observer=seen.append)
    for _ in range(2):
        await server.start()
        await server.stop()
    assert not [one for one in seen if isinstance(one, LeftoversEnded)]
