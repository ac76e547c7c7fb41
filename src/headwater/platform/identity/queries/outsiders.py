"""Statements about users of other issuers."""

from uuid import UUID

from headwater.kernel.database import ReadingTransaction, WritingTransaction

FIND_OUTSIDER = "select user_id from auth.user_providers where provider = $1 and provider_account_id = $2"
LOCK_VERIFIED = """
select id from auth.users where lower(email) = $1 and email_verified and not is_anonymous for no key update
"""
ADD_PROVIDER = """
insert into auth.user_providers (user_id, provider, provider_account_id, created_at, updated_at)
values ($1, $2, $3, $4, $4) on conflict (provider, provider_account_id) do nothing
"""


async def find_outsider(tx: ReadingTransaction, provider: str, subject: str) -> UUID | None:
    """Whom we know as an issuer's user."""
    return await tx.value(FIND_OUTSIDER, provider, subject)


async def lock_verified(tx: WritingTransaction, email: str) -> UUID | None:
    """Who has proven that an address is his."""
    return await tx.value(LOCK_VERIFIED, email)


async def add_provider(tx: WritingTransaction, user_id: UUID, provider: str, subject: str) -> bool:
    """Let an issuer's user be one of ours; False if he is somebody already, after that transaction has ended."""
    return await tx.execute(ADD_PROVIDER, user_id, provider, subject, tx.now) == 1
