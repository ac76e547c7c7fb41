"""Every statement of identity."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction
from headwater.platform.identity.errors import AccountReferredTo
from headwater.platform.identity.models import (
    Account,
    Device,
    EndedSession,
    FailureCount,
    Grant,
    ListedSession,
    Profile,
    ShownToken,
    User,
)

_MOMENT = """to_char({} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
_USER = f"""
  u.id, u.email, coalesce(u.email_verified, false) as email_verified, u.profile, u.metadata, u.is_anonymous,
  {_MOMENT.format("u.banned_until")} as banned_until,
  {_MOMENT.format("u.created_at")} as created_at,
  {_MOMENT.format("coalesce(u.updated_at, u.created_at)")} as updated_at,
  case when u.password is not null or exists (select from auth.passwords p where p.user_id = u.id)
    then array['email'] else array[]::text[] end
  || array(select p.provider from auth.user_providers p where p.user_id = u.id order by p.created_at, p.id) as providers
"""

ADD_USER = """
insert into auth.users (id, email, email_verified, profile, metadata, created_at, updated_at, is_anonymous)
values ($1, $2, $3, $4::jsonb, '{}', $5, $5, $6)
on conflict (lower(email)) do nothing
"""
PUT_HASH = """
insert into auth.passwords (user_id, hash, updated_at) values ($1, $2, $3)
on conflict (user_id) do update set hash = excluded.hash, updated_at = excluded.updated_at
"""
CLEAR_IMPORTED_HASH = "update auth.users set password = null where id = $1 and password is not null"
FIND_ACCOUNT = """
select u.id, u.email, coalesce(u.password, p.hash) as hash, u.password is not null as imported
from auth.users u left join auth.passwords p on p.user_id = u.id
where {}
"""
FIND_ACCOUNT_BY_EMAIL = FIND_ACCOUNT.format("lower(u.email) = $1")
FIND_ACCOUNT_BY_ID = FIND_ACCOUNT.format("u.id = $1")
LOCK_ACCOUNT = "select id from auth.users where id = $1 for no key update"
FIND_USER = f"select {_USER} from auth.users u where u.id = $1"
LIST_USERS = f"""
select {_USER} from auth.users u
where $1 = '' or position(lower($1) in lower(u.email)) > 0 or position(lower($1) in lower(u.profile ->> 'name')) > 0
order by u.created_at desc, u.id limit $2 offset $3
"""
COUNT_USERS = """
select count(*) from auth.users u
where $1 = '' or position(lower($1) in lower(u.email)) > 0 or position(lower($1) in lower(u.profile ->> 'name')) > 0
"""
REMOVE_USERS = "delete from auth.users where id = any($1::uuid[]) returning id"
FIND_PROFILE = "select id, profile from auth.users where id = $1"
UPDATE_PROFILE = """
update auth.users set profile = coalesce(profile, '{}') || $2::jsonb, updated_at = $3 where id = $1
returning id, profile
"""

ADD_SESSION = """
insert into auth.sessions
  (id, kind, subject, user_id, client_type, address, agent, created_at, last_used_at, expires_at, access_until)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10)
"""
ADD_REFRESH = "insert into auth.refresh_tokens (hash, session_id, expires_at) values ($1, $2, $3)"
LOCK_SHOWN_SESSION = """
select s.id from auth.sessions s
where s.id = (select t.session_id from auth.refresh_tokens t where t.hash = $1)
for no key update
"""
FIND_SHOWN = """
select s.id as session_id, s.kind, s.subject, s.user_id, s.client_type, t.expires_at, t.replaced_at,
  c.hash as current_hash, c.expires_at as current_until
from auth.refresh_tokens t
join auth.sessions s on s.id = t.session_id
left join auth.refresh_tokens c on c.session_id = s.id and c.replaced_at is null
where t.hash = $1
"""
REPLACE_REFRESH = "update auth.refresh_tokens set replaced_at = $2 where hash = $1"
TOUCH_SESSION = """
update auth.sessions set last_used_at = $2, expires_at = greatest(expires_at, $3),
  access_until = greatest(access_until, $4)
where id = $1
"""
LIST_SESSIONS = f"""
select id, client_type, address, agent as user_agent, {_MOMENT.format("created_at")} as created_at,
  {_MOMENT.format("last_used_at")} as last_used_at, {_MOMENT.format("expires_at")} as expires_at,
  coalesce(id = $3, false) as current
from auth.sessions where user_id = $1 and expires_at > $2 order by auth.sessions.last_used_at desc, id
"""
_ENDED = "returning id::text as session_id, extract(epoch from access_until)::float8 as access_until"
REMOVE_SESSION = f"delete from auth.sessions where id = $1 {_ENDED}"
REMOVE_OWN_SESSION = f"delete from auth.sessions where id = $1 and user_id = $2 {_ENDED}"
REMOVE_OTHER_SESSIONS = f"delete from auth.sessions where user_id = any($1::uuid[]) and id is distinct from $2 {_ENDED}"
LIST_ENDED_SESSIONS = """
select session_id::text as session_id, extract(epoch from access_until)::float8 as access_until
from auth.ended_sessions where access_until > $1 order by access_until
"""
REMOVE_EXPIRED = (
    "delete from auth.sessions where expires_at <= $1",
    "delete from auth.refresh_tokens where expires_at <= $1",
    "delete from auth.ended_sessions where access_until <= $1",
    "delete from auth.failed_logins where resets_at <= $1",
    "delete from auth.email_changes where expires_at <= $1",
)

NOTIFY = "select pg_notify($1, $2)"

LIST_FAILURES = "select name, failures, resets_at from auth.failed_logins where name = any($1::text[])"
COUNT_FAILURE = """
insert into auth.failed_logins as f (name, failures, resets_at)
select name, 1, $2 from unnest($1::text[]) with ordinality as counted (name, place) order by place
on conflict (name) do update set
  failures = case when f.resets_at <= $3 then 1 else f.failures + 1 end,
  resets_at = case when f.resets_at <= $3 then excluded.resets_at else f.resets_at end
returning name, failures, resets_at
"""
REMOVE_FAILURES = "delete from auth.failed_logins where name = $1"


async def add_user(
    tx: WritingTransaction,
    user_id: UUID,
    email: str | None,
    *,
    verified: bool = False,
    profile: dict[str, object] | None = None,
    hashed: str | None = None,
    anonymous: bool = False,
) -> bool:
    """Add the account, with its password if it has one; False, and nothing added, if the address is taken."""
    added = await tx.execute(ADD_USER, user_id, email, verified, _json(profile or {}), tx.now, anonymous)
    if added and hashed is not None:
        await tx.execute(PUT_HASH, user_id, hashed, tx.now)
    return bool(added)


async def put_password(tx: WritingTransaction, user_id: UUID, hashed: str) -> None:
    """Give the account this password and no other."""
    await tx.execute(PUT_HASH, user_id, hashed, tx.now)
    await tx.execute(CLEAR_IMPORTED_HASH, user_id)


async def find_account(tx: ReadingTransaction, email: str) -> Account | None:
    """What the password of an address is compared with."""
    return _account(await tx.row(FIND_ACCOUNT_BY_EMAIL, email))


async def find_account_of(tx: ReadingTransaction, user_id: UUID) -> Account | None:
    """What the password of a user is compared with."""
    return _account(await tx.row(FIND_ACCOUNT_BY_ID, user_id))


async def lock_account(tx: WritingTransaction, user_id: UUID) -> Account | None:
    """The same, with the account locked, so that its password stays as it is until this transaction ends."""
    await tx.value(LOCK_ACCOUNT, user_id)
    return await find_account_of(tx, user_id)


async def find_user(tx: ReadingTransaction, user_id: UUID) -> User | None:
    """The account as its owner sees it."""
    row = await tx.row(FIND_USER, user_id)
    return None if row is None else _user(row)


async def list_users(tx: ReadingTransaction, search: str, limit: int, offset: int) -> tuple[list[User], int]:
    """A page of the accounts that match, newest first, and how many match."""
    rows = await tx.rows(LIST_USERS, search, limit, offset)
    return [_user(row) for row in rows], await tx.value(COUNT_USERS, search)


async def remove_users(tx: WritingTransaction, user_ids: Sequence[UUID]) -> list[UUID]:
    """Remove accounts and all that hangs on them; those that were there.

    Raises `AccountReferredTo` where a foreign key of the developer's does not let rows of his go with them.
    """
    try:
        return [row["id"] for row in await tx.rows(REMOVE_USERS, user_ids)]
    except asyncpg.ForeignKeyViolationError as failure:
        raise AccountReferredTo(table=f"{failure.schema_name}.{failure.table_name}") from failure


async def find_profile(tx: ReadingTransaction, user_id: UUID) -> Profile | None:
    """What everyone may see of a user."""
    return profile_of(await tx.row(FIND_PROFILE, user_id))


async def update_profile(tx: WritingTransaction, user_id: UUID, changes: dict[str, object]) -> Profile | None:
    """Lay fields over the profile's."""
    return profile_of(await tx.row(UPDATE_PROFILE, user_id, _json(changes), tx.now))


async def add_session(
    tx: WritingTransaction, grant: Grant, device: Device, expires_at: datetime, access_until: datetime
) -> None:
    """Add the session of a grant."""
    await tx.execute(
        ADD_SESSION,
        grant.session_id,
        grant.kind,
        str(grant.holder.id) if isinstance(grant.holder, User) else grant.holder.sub,
        grant.holder.id if isinstance(grant.holder, User) else None,
        device.client_type,
        device.address,
        device.agent,
        tx.now,
        expires_at,
        access_until,
    )


async def add_refresh_token(tx: WritingTransaction, hashed: bytes, session_id: UUID, expires_at: datetime) -> None:
    """Add the token that is good from now on."""
    await tx.execute(ADD_REFRESH, hashed, session_id, expires_at)


async def lock_shown_token(tx: WritingTransaction, hashed: bytes) -> ShownToken | None:
    """A refresh token and its session, which is locked, so that of two who show the token the second waits.

    Two statements: the second sees what the one it waited for has committed.
    """
    await tx.value(LOCK_SHOWN_SESSION, hashed)
    row = await tx.row(FIND_SHOWN, hashed)
    return None if row is None else ShownToken(**dict(row.items()))


async def replace_refresh_token(
    tx: WritingTransaction, hashed: bytes, successor: bytes, session_id: UUID, expires_at: datetime
) -> None:
    """Let a token's successor take its place; the old one stays, to be recognised."""
    await tx.execute(REPLACE_REFRESH, hashed, tx.now)
    await tx.execute(ADD_REFRESH, successor, session_id, expires_at)


async def touch_session(tx: WritingTransaction, session_id: UUID, expires_at: datetime, access_until: datetime) -> None:
    """Write that the session was used; no time moves backwards."""
    await tx.execute(TOUCH_SESSION, session_id, tx.now, expires_at, access_until)


async def list_sessions(tx: ReadingTransaction, user_id: UUID, current: UUID | None) -> list[ListedSession]:
    """The user's living sessions, the one used last first."""
    return [ListedSession(**dict(row.items())) for row in await tx.rows(LIST_SESSIONS, user_id, tx.now, current)]


async def remove_session(tx: WritingTransaction, session_id: UUID) -> list[EndedSession]:
    """End a session; what its trigger remembers of it."""
    return _ended(await tx.rows(REMOVE_SESSION, session_id))


async def remove_own_session(tx: WritingTransaction, session_id: UUID, user_id: UUID) -> list[EndedSession]:
    """End a session if it is this user's."""
    return _ended(await tx.rows(REMOVE_OWN_SESSION, session_id, user_id))


async def remove_sessions_of(
    tx: WritingTransaction, user_ids: Sequence[UUID], spared: UUID | None = None
) -> list[EndedSession]:
    """End every session of these users but one."""
    return _ended(await tx.rows(REMOVE_OTHER_SESSIONS, user_ids, spared))


async def list_ended_sessions(tx: ReadingTransaction) -> list[EndedSession]:
    """Those whose access tokens have not expired yet."""
    return _ended(await tx.rows(LIST_ENDED_SESSIONS, tx.now))


async def tell(tx: WritingTransaction, channel: str, payload: str) -> None:
    """Tell every process that listens on the channel, once this transaction has committed."""
    await tx.execute(NOTIFY, channel, payload)


async def remove_expired(tx: WritingTransaction) -> None:
    """Remove sessions, tokens and counts whose time is over."""
    for statement in REMOVE_EXPIRED:
        await tx.execute(statement, tx.now)


async def list_failures(tx: ReadingTransaction, names: Sequence[str]) -> list[FailureCount]:
    """The counts of these names."""
    return [FailureCount(**dict(row.items())) for row in await tx.rows(LIST_FAILURES, names)]


async def count_failure(tx: WritingTransaction, names: Sequence[str], resets_at: datetime) -> list[FailureCount]:
    """Count one more for each name, from one on where the window is over; `names` in order, or two would deadlock."""
    return [FailureCount(**dict(row.items())) for row in await tx.rows(COUNT_FAILURE, names, resets_at, tx.now)]


async def remove_failures(tx: WritingTransaction, name: str) -> None:
    """Forget the count of a name."""
    await tx.execute(REMOVE_FAILURES, name)


def _account(row: Row | None) -> Account | None:
    return None if row is None else Account(**dict(row.items()))


def _user(row: Row) -> User:
    columns = dict(row.items())
    columns["profile"] = _decoded(columns["profile"])
    columns["metadata"] = _decoded(columns["metadata"]) or {}
    columns["providers"] = tuple(columns["providers"])
    columns["is_anonymous"] = columns["is_anonymous"] or msgspec.UNSET
    columns["banned_until"] = columns["banned_until"] or msgspec.UNSET
    return User(**columns)


def profile_of(row: Row | None) -> Profile | None:
    """What everyone may see, from a user's row, if there is one."""
    return None if row is None else Profile(id=row["id"], profile=_decoded(row["profile"]))


def _ended(rows: Sequence[Row]) -> list[EndedSession]:
    return [EndedSession(session_id=row["session_id"], access_until=row["access_until"]) for row in rows]


def _decoded(column: str | None) -> Any:
    return None if column is None else msgspec.json.decode(column)


def _json(value: dict[str, object]) -> str:
    return msgspec.json.encode(value).decode()
