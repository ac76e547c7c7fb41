"""The embedded server started by root: an unprivileged user runs it, and no folder of anyone is opened for that."""

import importlib
import importlib.util
import os
import pwd
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from headwater.kernel.database.embedded import (
    Address,
    ClusterPlaced,
    EmbeddedObservation,
    EmbeddedPostgres,
    EmbeddedSettings,
    FolderInUse,
)
from headwater.kernel.database.embedded.account import Account, run
from headwater.kernel.database.embedded.binaries import LIBRARIES, PACKAGE, TREE, find_binaries
from headwater.kernel.database.embedded.leftovers import processes_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="root alone can start a server as someone else")
NOBODY = Account("nobody", pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder everyone may pass through, as pytest's own are not."""
    made = Path(tempfile.mkdtemp(prefix="embedded-"))
    made.chmod(0o755)
    yield Path(os.path.realpath(made))
    shutil.rmtree(made)


@pytest.fixture
def settings(ground: Path) -> EmbeddedSettings:
    return EmbeddedSettings(state_folder=ground / "state", lock_seconds=0.1)


@pytest.fixture
def closed_home(ground: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """HOME of mode 700 with a checkout of mode 700 in it, and the wheel installed in that checkout."""
    checkout = ground / "home" / "checkout"
    packages = checkout / "packages"
    packages.mkdir(parents=True)
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None and spec.origin is not None
    installed = Path(spec.origin).parent.parent
    (packages / PACKAGE).mkdir()
    shutil.copy2(spec.origin, packages / PACKAGE)
    for part in (TREE / "bin", TREE / "lib", TREE / "share", LIBRARIES):
        if (installed / part).exists():
            shutil.copytree(installed / part, packages / part, symlinks=True)
    for folder in (checkout, ground / "home"):
        folder.chmod(0o700)
    monkeypatch.setattr(sys, "path", [str(packages), *sys.path])
    importlib.invalidate_caches()
    return checkout


def modes(folder: Path) -> dict[Path, int]:
    """The modes and owners of `folder`, all above it and all folders below it."""
    below = (path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())
    return {path: (path.stat().st_mode << 32) + path.stat().st_uid for path in (folder, *folder.parents, *below)}


async def ask(address: Address, statement: str) -> object:
    connection = await asyncpg.connect(**address.connect_arguments("postgres", "postgres"))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_an_unprivileged_user_runs_the_server(ground: Path, settings: EmbeddedSettings) -> None:
    server = EmbeddedPostgres(ground / "data", settings=settings)
    await server.start()
    try:
        running = processes_of(ground / "data" / "postgres")
        assert running
        for pid in running:
            status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            owner = (ground / "data" / "postgres").stat()
            assert set(status["Uid"].split()) == {str(owner.st_uid)} != {"0"}
            assert set(status["Gid"].split()) == {str(owner.st_gid)} != {"0"}
            assert status["Groups"].split() == []
        assert not (ground / "state").exists()
    finally:
        await server.stop()


async def test_closed_home_and_checkout_keep_their_modes(
    ground: Path, closed_home: Path, settings: EmbeddedSettings
) -> None:
    before = modes(closed_home)
    seen: list[EmbeddedObservation] = []
    server = EmbeddedPostgres(closed_home / ".headwater", observer=seen.append, settings=settings)
    address = await server.start()
    assert await ask(address, "select 1") == 1
    await ask(address, "create table kept as select 7 as n")
    [placed] = [one for one in seen if isinstance(one, ClusterPlaced)]
    assert placed.folder == closed_home / ".headwater"
    assert placed.cluster.is_relative_to(ground / "state")
    assert (closed_home / ".headwater" / "postgres.location").read_text() == f"{placed.cluster}\n"
    assert stat.S_IMODE(placed.cluster.stat().st_mode) == 0o700
    await server.stop()
    after = modes(closed_home)
    assert {path: after[path] for path in before} == before
    seen.clear()
    address = await server.start()
    try:
        assert await ask(address, "select n from kept") == 7
        assert not [one for one in seen if isinstance(one, ClusterPlaced)]
    finally:
        await server.stop()
    assert len(list((ground / "state").glob("binaries-*"))) == 1


async def test_a_new_folder_at_an_old_path_does_not_find_the_old_rows(ground: Path, settings: EmbeddedSettings) -> None:
    (ground / "closed").mkdir(mode=0o700)
    server = EmbeddedPostgres(ground / "closed" / "data", settings=settings)
    await ask(await server.start(), "create table kept as select 7 as n")
    await server.stop()
    shutil.rmtree(ground / "closed" / "data")
    try:
        assert await ask(await server.start(), "select to_regclass('kept')") is None
    finally:
        await server.stop()


async def test_a_folder_closed_later_takes_its_rows_along(ground: Path, settings: EmbeddedSettings) -> None:
    data = ground / "later" / "data"
    server = EmbeddedPostgres(data, settings=settings)
    await ask(await server.start(), "create table kept as select 7 as n")
    await server.stop()
    (ground / "later").chmod(0o700)
    try:
        assert await ask(await server.start(), "select n from kept") == 7
        assert not (data / "postgres").exists()
        assert stat.S_IMODE((ground / "later").stat().st_mode) == 0o700
    finally:
        await server.stop()


async def test_a_copied_data_folder_does_not_share_the_cluster_elsewhere(
    ground: Path, settings: EmbeddedSettings
) -> None:
    (ground / "closed").mkdir(mode=0o700)
    server = EmbeddedPostgres(ground / "closed" / "data", settings=settings)
    address = await server.start()
    try:
        (ground / "closed" / "copy").mkdir()
        shutil.copy(ground / "closed" / "data" / "postgres.location", ground / "closed" / "copy")
        with pytest.raises(FolderInUse):
            await EmbeddedPostgres(ground / "closed" / "copy", settings=settings).start()
        assert await ask(address, "select 1") == 1
    finally:
        await server.stop()


async def test_a_cluster_restored_by_root_starts(ground: Path, settings: EmbeddedSettings) -> None:
    server = EmbeddedPostgres(ground / "data", settings=settings)
    await ask(await server.start(), "create table kept as select 7 as n")
    await server.stop()
    shutil.copytree(ground / "data", ground / "restored")
    assert (ground / "restored" / "postgres").stat().st_uid == 0
    restored = EmbeddedPostgres(ground / "restored", settings=settings)
    try:
        assert await ask(await restored.start(), "select n from kept") == 7
    finally:
        await restored.stop()


async def test_another_user_is_refused_by_the_folder_and_by_the_map(ground: Path, settings: EmbeddedSettings) -> None:
    server = EmbeddedPostgres(ground / "data", settings=settings)
    address = await server.start()
    try:
        psql = await find_binaries(NOBODY, ground / "state") / "psql"
        ours = (ground / "data" / "postgres").stat()
        owner = Account(pwd.getpwuid(ours.st_uid).pw_name, ours.st_uid, ours.st_gid)

        async def refusal(account: Account, login: str) -> str:
            status, said = await run(account, [psql, "-w", "-h", address.host, "-d", "postgres", "-U", login])
            assert status == 2, said
            return said

        assert "Permission denied" in await refusal(NOBODY, "postgres")
        Path(address.host).chmod(0o755)
        Path(address.host, ".s.PGSQL.5432").chmod(0o777)
        for login in ("postgres", "headwater_owner", "headwater_anon", "nobody"):
            assert f'Peer authentication failed for user "{login}"' in await refusal(NOBODY, login)
        assert "Peer authentication failed" in await refusal(owner, "postgres")
    finally:
        await server.stop()
