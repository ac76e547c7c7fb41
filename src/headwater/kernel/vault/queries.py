"""Every statement of the vault."""

from datetime import datetime

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.kernel.vault.models import Secret

KEEP_FINGERPRINT = """
insert into system.encryption_keys (in_use, fingerprint, created_at) values (true, $1, $2)
on conflict do nothing
"""
FIND_FINGERPRINT = "select fingerprint from system.encryption_keys where in_use"
FIND = """
select value_ciphertext from system.secrets
where key = $1 and is_active and (expires_at is null or expires_at > $2)
"""
PUT = """
insert into system.secrets (key, value_ciphertext, is_reserved, expires_at, created_at, updated_at)
values ($1, $2, $3, $4, $5, $5)
on conflict (key) do update set value_ciphertext = excluded.value_ciphertext, is_active = true,
  is_reserved = excluded.is_reserved, expires_at = excluded.expires_at, updated_at = excluded.updated_at
"""
ADD = """
insert into system.secrets (key, value_ciphertext, is_reserved, created_at, updated_at)
values ($1, $2, $3, $4, $4)
on conflict (key) do nothing
"""
LOCK = "select id from system.secrets where key = $1 for no key update"
LIST = """
select id, key, is_active, is_reserved, created_at, updated_at, last_used_at, expires_at
from system.secrets order by key
"""
REMOVE = "delete from system.secrets where key = $1"


async def keep_fingerprint(tx: WritingTransaction, fingerprint: str) -> str:
    """The fingerprint of the key in use, which is this one if there was none."""
    await tx.execute(KEEP_FINGERPRINT, fingerprint, tx.now)
    return await tx.value(FIND_FINGERPRINT)


async def find_ciphertext(tx: ReadingTransaction, name: str) -> str | None:
    """The sealed value of an active, unexpired secret."""
    return await tx.value(FIND, name, tx.now)


async def put_secret(
    tx: WritingTransaction,
    name: str,
    sealed: str,
    reserved: bool,  # noqa: FBT001 - the columns of one row
    expires_at: datetime | None,
) -> None:
    """Add the row, or replace the one of this name."""
    await tx.execute(PUT, name, sealed, reserved, expires_at, tx.now)


async def add_secret(tx: WritingTransaction, name: str, sealed: str, reserved: bool) -> bool:  # noqa: FBT001 - the same
    """Add the row unless the name is taken; whether it was added."""
    return await tx.execute(ADD, name, sealed, reserved, tx.now) == 1


async def lock_secret(tx: WritingTransaction, name: str) -> None:
    """Lock the row, if there is one."""
    await tx.value(LOCK, name)


async def list_secrets(tx: ReadingTransaction) -> list[Secret]:
    """Every row, without its value."""
    return [
        Secret(
            id=row["id"],
            name=row["key"],
            is_active=row["is_active"],
            is_reserved=row["is_reserved"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            last_used_at=row["last_used_at"],
            expires_at=row["expires_at"],
        )
        for row in await tx.rows(LIST)
    ]


async def remove_secret(tx: WritingTransaction, name: str) -> bool:
    """Remove the row; whether there was one."""
    return await tx.execute(REMOVE, name) == 1
