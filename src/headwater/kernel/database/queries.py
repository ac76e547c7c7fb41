"""Every statement of the database module."""

from datetime import datetime
from enum import StrEnum

import asyncpg
import msgspec

from headwater.kernel.database.connection import Connection
from headwater.kernel.database.models import Origin
from headwater.kernel.models import AuditEntry


class Isolation(StrEnum):
    """How a transaction begins."""

    READING = "begin isolation level repeatable read, read only"
    WRITING = "begin isolation level read committed, read write"
    SERIALIZABLE = "begin isolation level serializable, read write"


COMMIT = "commit"
RESET_SESSION = (
    "close all; reset role; reset all; unlisten *; select pg_advisory_unlock_all(); discard temp; discard sequences"
)
"""Undoes what a function may have left in its session; prepared statements stay, and so does the session's start."""
ROLLBACK = "rollback"


def begin(isolation: Isolation, claims_json: str | None) -> str:
    """The opening of a transaction, with its claims set for its own length, in one round trip.

    `claims_json` is a JSON text, in which no NUL can stand; doubling the quotes makes it a literal, because every
    connection has `standard_conforming_strings` on.
    """
    if claims_json is None:
        return isolation.value
    literal = claims_json.replace("'", "''")
    return f"{isolation.value}; select set_config('request.jwt.claims', '{literal}', true)"


async def add_audit_entries(connection: Connection, origin: Origin, entries: list[AuditEntry], now: datetime) -> None:
    """Append to the audit log, in the transaction that does what it tells of."""
    await connection.executemany(
        """
        insert into system.audit_logs (actor, action, module, details, ip_address, created_at, updated_at)
        values ($1, $2, $3, $4::jsonb, $5::text::inet, $6, $6)
        """,
        [
            (origin.actor, e.action, e.module, msgspec.json.encode(e.details).decode(), origin.address, now)
            for e in entries
        ],
    )


async def lock_idempotency_key(connection: Connection, key: str) -> bool:
    """Whether this transaction is now the only one that works under the key."""
    return bool(await connection.fetchval("select pg_try_advisory_xact_lock(hashtextextended($1, 7130))", key))


async def find_idempotent_reply(
    connection: Connection, key: str, request_hash: bytes, now: datetime
) -> asyncpg.Record | None:
    """What was answered under the key, if that was less than its lifetime ago; nothing of another request's answer."""
    return await connection.fetchrow(
        "select is_same, status, media_type, body from system.find_reply($1, $2, $3)", key, request_hash, now
    )


async def add_idempotent_reply(  # noqa: PLR0913 - the columns of one row
    connection: Connection,
    key: str,
    request_hash: bytes,
    status: int,
    media_type: str | None,
    body: bytes | None,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Remember an answer under its key, in the transaction whose effect it tells of."""
    await connection.execute(
        "select system.keep_reply($1, $2, $3, $4, $5, $6, $7)",
        key,
        request_hash,
        status,
        media_type,
        body,
        now,
        expires_at,
    )


async def remove_expired_idempotency_keys(connection: Connection, now: datetime) -> None:
    """Remove answers whose lifetime is over."""
    await connection.execute("delete from system.idempotency_keys where expires_at <= $1", now)
