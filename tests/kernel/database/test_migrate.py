"""Schema migrations: in order, once, wholly, whoever starts first."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from headwater.kernel.database import Connect, Connection, Login, Migration, migrate, read_migrations
from headwater.kernel.database.errors import MigrationChanged, MigrationMissing

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FIRST = Migration("notes", "0001_create", "create table public.notes (n int); insert into notes values (1)")
SECOND = Migration("notes", "0002_more", "alter table public.notes add column m int")
THIRD = Migration("tags", "0001_create", "create table public.tags (n int)")
BROKEN = Migration("notes", "0003_broken", "create table public.half (n int); insert into nothing values (1)")


@pytest.fixture
async def owner(connector: Connect) -> AsyncIterator[Connection]:
    connection = await connector(Login.OWNER)
    yield connection
    await connection.close()


async def applied(connection: Connection) -> list[str]:
    rows = await connection.fetch(
        "select component || '/' || name as told from system.migrations where component in ('notes', 'tags') order by 1"
    )
    return [row["told"] for row in rows]


async def tables(connection: Connection) -> set[str]:
    rows = await connection.fetch("select relname from pg_class where relnamespace = 'public'::regnamespace")
    return {row["relname"] for row in rows}


async def test_what_is_new_is_applied_once_and_in_order(owner: Connection) -> None:
    assert await migrate(owner, [FIRST], NOW) == [FIRST]
    assert await migrate(owner, [FIRST, SECOND, THIRD], NOW) == [SECOND, THIRD]
    assert await migrate(owner, [FIRST, SECOND, THIRD], NOW) == []
    assert await applied(owner) == ["notes/0001_create", "notes/0002_more", "tags/0001_create"]
    row = await owner.fetchrow("select checksum, applied_at from system.migrations where component = 'tags'")
    assert row is not None and (row["checksum"], row["applied_at"]) == (THIRD.checksum, NOW)


async def test_a_file_that_was_edited_is_refused(owner: Connection) -> None:
    await migrate(owner, [FIRST], NOW)
    edited = Migration(FIRST.component, FIRST.name, FIRST.text + " ")
    with pytest.raises(MigrationChanged, match="notes/0001_create was changed after it was applied"):
        await migrate(owner, [edited, SECOND], NOW)
    assert await applied(owner) == ["notes/0001_create"]


async def test_a_database_that_is_ahead_is_refused_but_for_components_that_are_gone(owner: Connection) -> None:
    await migrate(owner, [FIRST, SECOND, THIRD], NOW)
    with pytest.raises(MigrationMissing, match="notes/0002_more, which this version"):
        await migrate(owner, [FIRST, THIRD], NOW)
    assert await migrate(owner, [FIRST, SECOND], NOW) == []


async def test_a_file_that_fails_changes_nothing_and_keeps_those_before_it(owner: Connection) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await migrate(owner, [FIRST, BROKEN, THIRD], NOW)
    assert await applied(owner) == ["notes/0001_create"]
    assert {"notes"} == await tables(owner) & {"notes", "half", "tags"}
    assert not owner.is_in_transaction()
    assert await migrate(owner, [FIRST, THIRD], NOW) == [THIRD]


@pytest.mark.parametrize("plan", [[FIRST, SECOND, THIRD], [FIRST, BROKEN]])
async def test_a_trial_leaves_nothing(owner: Connection, plan: Sequence[Migration]) -> None:
    before = await tables(owner)
    if BROKEN in plan:
        with pytest.raises(asyncpg.UndefinedTableError):
            await migrate(owner, plan, NOW, dry_run=True)
    else:
        assert await migrate(owner, plan, NOW, dry_run=True) == plan
    assert (await applied(owner), await tables(owner)) == ([], before)
    assert await migrate(owner, plan[:1], NOW) == plan[:1]


async def test_a_trial_leaves_nothing_in_a_database_that_was_never_migrated(owner: Connection) -> None:
    await owner.execute("drop table system.migrations")
    assert await migrate(owner, [FIRST], NOW, dry_run=True) == [FIRST]
    assert await owner.fetchval("select to_regclass('system.migrations')") is None


async def test_of_many_that_start_at_once_one_works(connector: Connect) -> None:
    slow = Migration("notes", "0001_create", "create table public.notes (n int); select pg_sleep(0.1)")
    nodes = [await connector(Login.OWNER) for _ in range(4)]
    done = await asyncio.gather(*(migrate(node, [slow, THIRD], NOW) for node in nodes))
    assert sorted(map(len, done)) == [0, 0, 0, 2]
    for node in nodes:
        await node.close()


async def test_no_statement_timeout_holds_while_migrating(owner: Connection) -> None:
    await owner.execute("set statement_timeout = '50ms'")
    assert await migrate(owner, [Migration("notes", "0001_slow", "select pg_sleep(0.1)")], NOW)
    assert await owner.fetchval("show statement_timeout") == "30s"


async def test_the_lock_is_free_afterwards(owner: Connection, connector: Connect) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await migrate(owner, [FIRST, BROKEN], NOW)
    other = await connector(Login.OWNER)
    assert await other.fetchval("select pg_try_advisory_lock(7130, 1)")
    await other.close()


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "readable_component" / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    for name in ("0002_b.sql", "0010_c.sql", "0001_a.sql", "notes.txt"):
        (folder / name).write_text(f"select '{name}'")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    found = read_migrations("x", "readable_component")
    assert [migration.name for migration in found] == ["0001_a", "0002_b", "0010_c"]
    assert found[0] == Migration("x", "0001_a", "select '0001_a.sql'")
    assert read_migrations("x", "headwater.kernel.observe") == ()
