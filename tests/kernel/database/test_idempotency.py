"""Replies kept in the transaction whose effect they tell of; the flow's side is in tests/flow/test_transact.py."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Database, IdempotentReply, Login, WritingTransaction, answer_once
from headwater.kernel.database.idempotency import remove_expired_replies
from headwater.kernel.errors import IdempotencyKeyReused, IdempotentTwinRunning
from headwater.kernel.models import Reply

HOUR = timedelta(hours=1)
COUNT = "select count(*) from system.idempotency_keys"
Work = Callable[[WritingTransaction], Awaitable[IdempotentReply]]


def replying(body: bytes, *, kept: bool = True, media_type: str | None = "text/plain") -> Work:
    async def work(_tx: WritingTransaction) -> IdempotentReply:
        return IdempotentReply(
            reply=Reply(status=201, body=body, media_type=media_type), kept_body=body if kept else None
        )

    return work


async def forbidden(_tx: WritingTransaction) -> IdempotentReply:
    raise AssertionError("the work ran again")


async def failing(_tx: WritingTransaction) -> IdempotentReply:
    raise ValueError


async def once(database: Database, work: Work, key: str = "k", asked: bytes = b"hash") -> Reply:
    reply, _ = await database.writing(lambda tx: answer_once(tx, key, asked, work, HOUR))
    return reply


@pytest.mark.parametrize("media_type", ["text/plain", None])
async def test_the_reply_is_kept(database: Database, media_type: str | None) -> None:
    first = await once(database, replying(b"\x00made\xff", media_type=media_type))
    again = await once(database, forbidden)
    assert (first.status, first.body, first.media_type) == (again.status, again.body, again.media_type)
    assert again.headers == (("Idempotent-Replayed", "true"),)


async def test_or_its_status_alone(database: Database) -> None:
    await once(database, replying(b"large", kept=False))
    again = await once(database, forbidden)
    assert (again.status, again.body) == (201, b"")


async def test_another_request_is_refused(database: Database) -> None:
    await once(database, replying(b"x"))
    with pytest.raises(IdempotencyKeyReused):
        await once(database, forbidden, asked=b"other")
    await once(database, replying(b"y"), key="other", asked=b"other")


async def test_what_was_undone_is_not_kept(database: Database) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        await once(database, failing)
    assert await database.reading(lambda tx: tx.value(COUNT)) == 0
    assert (await once(database, replying(b"x"))).headers == ()


async def test_a_twin_is_refused_while_the_first_works(database: Database) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(tx: WritingTransaction) -> IdempotentReply:
        entered.set()
        await leave.wait()
        return await replying(b"slow")(tx)

    first = asyncio.create_task(once(database, slow))
    await entered.wait()
    with pytest.raises(IdempotentTwinRunning):
        await once(database, forbidden)
    leave.set()
    await first
    assert (await once(database, forbidden)).body == b"slow"


async def test_its_time_is_the_clocks(database: Database, clock: DrivenClock) -> None:
    await once(database, replying(b"x"))
    clock.advance(3599)
    await database.writing(remove_expired_replies)
    assert (await once(database, forbidden)).body == b"x"
    clock.advance(1)
    assert (await once(database, replying(b"y"), asked=b"other")).body == b"y"
    clock.advance(3600)
    await database.writing(remove_expired_replies)
    assert await database.reading(lambda tx: tx.value(COUNT)) == 0


async def test_a_role_finds_only_the_reply_to_its_own_request_and_changes_none(
    database: Database, connector: Connect
) -> None:
    await once(database, replying(b"secret"))
    role = await connector(Login.AUTHENTICATED)
    try:
        later = datetime(2100, 1, 1, tzinfo=UTC)
        early = datetime(2000, 1, 1, tzinfo=UTC)
        found = await role.fetchrow("select * from system.find_reply('k', 'other', $1)", early)
        assert found is not None and dict(found) == {"is_same": False, "status": None, "media_type": None, "body": None}
        await role.execute("select system.keep_reply('k', 'hash', 200, null, 'mine', $1, $2)", early, later)
        for statement in ("select * from system.idempotency_keys", "delete from system.idempotency_keys"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await role.execute(statement)
    finally:
        await role.close()
    assert (await once(database, forbidden)).body == b"secret"
