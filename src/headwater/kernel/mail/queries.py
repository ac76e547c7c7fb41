"""Every statement of the mail."""

from datetime import datetime
from uuid import UUID

import msgspec

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.kernel.mail.models import SmtpChange


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """The account the admin has entered."""

    id: UUID
    enabled: bool
    host: str
    port: int
    username: str
    sender_email: str
    sender_name: str
    min_interval_seconds: int
    created_at: str
    updated_at: str


_COLUMNS = "id, enabled, host, port, username, sender_email, sender_name, min_interval_seconds, created_at, updated_at"
_MOMENT = """to_char({0} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as {0}"""
_ACCOUNT = f"""
id, enabled, host, port, username, sender_email, sender_name, min_interval_seconds,
{_MOMENT.format("created_at")}, {_MOMENT.format("updated_at")}
"""
ADD_LETTER = "insert into system.mailbox (id, sealed, received_at, expires_at) values ($1, $2, $3, $4)"
LIST_LETTERS = "select id, sealed from system.mailbox where expires_at > $1 order by number"
REMOVE_LETTERS = "delete from system.mailbox where expires_at <= $1"
FIND_ACCOUNT = f"select {_ACCOUNT} from system.smtp_account"
PUT_ACCOUNT = f"""
insert into system.smtp_account ({_COLUMNS})
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
on conflict (the_only_one) do update set enabled = excluded.enabled, host = excluded.host, port = excluded.port,
  username = excluded.username, sender_email = excluded.sender_email, sender_name = excluded.sender_name,
  min_interval_seconds = excluded.min_interval_seconds, updated_at = excluded.updated_at
returning {_ACCOUNT}
"""


async def add_letter(tx: WritingTransaction, letter_id: UUID, sealed: str, expires_at: datetime) -> None:
    """Put a sealed letter into the mailbox."""
    await tx.execute(ADD_LETTER, letter_id, sealed, tx.now, expires_at)


async def list_letters(tx: ReadingTransaction) -> list[tuple[UUID, str]]:
    """The sealed letters that have not expired, the oldest first."""
    return [(row["id"], row["sealed"]) for row in await tx.rows(LIST_LETTERS, tx.now)]


async def remove_expired_letters(tx: WritingTransaction) -> None:
    """Empty the mailbox of what has lain in it long enough."""
    await tx.execute(REMOVE_LETTERS, tx.now)


async def find_account(tx: ReadingTransaction) -> AccountRow | None:
    """The account the admin has entered."""
    row = await tx.row(FIND_ACCOUNT)
    return None if row is None else AccountRow(**dict(row.items()))


async def put_account(tx: WritingTransaction, account_id: UUID, change: SmtpChange) -> AccountRow:
    """Enter the account, in place of the one there was, which keeps its id."""
    rows = await tx.rows(
        PUT_ACCOUNT,
        account_id,
        change.enabled,
        change.host,
        change.port,
        change.username,
        change.sender_email,
        change.sender_name,
        change.min_interval_seconds,
        tx.now,
    )
    return AccountRow(**dict(rows[0].items()))
