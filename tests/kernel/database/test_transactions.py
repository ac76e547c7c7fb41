"""Transactions on a real Postgres: committed wholly, undone wholly, tried again from nothing."""

import asyncio

import asyncpg
import pytest

from headwater.kernel.database import Database, Login, WritingTransaction
from headwater.kernel.database.database import SwallowedFailure
from headwater.kernel.errors import TransactionConflict
from headwater.kernel.models import AuditEntry, CacheKey
from headwater.kernel.observe import Observation, TransactionRetried
from headwater.kernel.principal import Kind, Principal

USER = Principal(
    kind=Kind.USER, role="authenticated", key="user:1", claims_json='{"sub":"it\'s me","role":"authenticated"}'
)


async def claims(database: Database, login: Login = Login.AUTHENTICATED) -> str:
    async with database.lease.held(login) as connection:
        return await connection.fetchval("select current_user || current_setting('request.jwt.claims')")


async def test_claims_and_role_last_as_long_as_the_transaction(database: Database) -> None:
    seen = await database.reading(
        lambda tx: tx.value("select current_user || ' ' || current_setting('request.jwt.claims')"), USER
    )
    assert seen == "authenticated " + USER.claims_json
    assert await claims(database) == "authenticated{}"


async def test_a_login_has_no_role_but_its_own(database: Database) -> None:
    for login, role in ((Login.ANON, "anon"), (Login.AUTHENTICATED, "authenticated"), (Login.ADMIN, "project_admin")):
        async with database.lease.held(login) as connection:
            await connection.execute("reset role")
            assert await connection.fetchval("select current_user") == role
            for other in {"anon", "authenticated", "project_admin", "headwater_owner", "postgres"} - {role}:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(f"set role {other}")
            assert not await connection.fetchval("select rolsuper from pg_roles where rolname = session_user")


async def test_effects_and_audit_come_with_the_commit_only(database: Database) -> None:
    async def work(tx: WritingTransaction) -> None:
        tx.forget(CacheKey("a"))
        tx.audit(AuditEntry(action="LOOK", module="tests"))

    async def failing(tx: WritingTransaction) -> None:
        await work(tx)
        raise ValueError

    _, effects = await database.writing(work)
    assert effects.forgets == ["a"]
    with pytest.raises(ValueError, match=r"^$"):
        await database.writing(failing)
    assert await database.reading(lambda tx: tx.value("select count(*) from system.audit_logs")) == 1


async def test_a_serialization_failure_starts_again_from_nothing(
    database: Database, observations: list[Observation]
) -> None:
    await database.writing(
        lambda tx: tx.execute("create table system.tally (n int); insert into system.tally values (0)")
    )
    attempts = 0

    async def add_one(tx: WritingTransaction) -> None:
        nonlocal attempts
        attempts += 1
        tx.forget(CacheKey("tally"))
        n = await tx.value("select n from system.tally")
        await asyncio.sleep(0.02)
        await tx.execute("update system.tally set n = $1", n + 1)

    results = await asyncio.gather(*(database.writing(add_one, serializable=True) for _ in range(4)))
    assert [effects.forgets for _, effects in results] == [["tally"]] * 4
    assert await database.reading(lambda tx: tx.value("select n from system.tally")) == 4
    retried = [seen for seen in observations if isinstance(seen, TransactionRetried)]
    assert attempts == 4 + len(retried) > 4


async def test_who_never_wins_is_told_so(database: Database) -> None:
    async def work(tx: WritingTransaction) -> None:
        await tx.execute("do $$ begin raise exception sqlstate '40001'; end $$")

    with pytest.raises(TransactionConflict):
        await database.writing(work)
    assert database.lease.lent_count == 0


async def test_a_swallowed_failure_is_not_a_commit(database: Database) -> None:
    async def work(tx: WritingTransaction) -> None:
        try:
            await tx.execute("select 1/0")
        except asyncpg.DivisionByZeroError:
            return

    with pytest.raises(SwallowedFailure):
        await database.writing(work)


async def test_a_reading_transaction_cannot_write(database: Database) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await database.reading(lambda tx: tx.value("create table system.x ()"))


async def test_a_cancelled_transaction_leaves_nothing_behind(database: Database) -> None:
    await database.writing(lambda tx: tx.execute("create table system.slow (n int)"))

    async def work(tx: WritingTransaction) -> None:
        await tx.execute("insert into system.slow values (1)")
        await tx.value("select pg_sleep(10)")

    task = asyncio.create_task(database.writing(work))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert database.lease.lent_count == 0
    assert await database.reading(lambda tx: tx.value("select count(*) from system.slow")) == 0
