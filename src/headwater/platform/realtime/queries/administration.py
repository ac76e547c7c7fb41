"""Statements of the admin about channels."""

from typing import Any
from uuid import UUID

import asyncpg

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.platform.realtime.errors import ChannelExists
from headwater.platform.realtime.models import Channel, ChannelPolicy

_CHANNEL = "id, pattern, description, webhook_urls, enabled, created_at, updated_at"
LIST_CHANNELS = f"select {_CHANNEL} from realtime.channels order by created_at desc, pattern"
FIND_CHANNEL = f"select {_CHANNEL} from realtime.channels where id = $1"
ADD_CHANNEL = f"""
insert into realtime.channels (pattern, description, webhook_urls, enabled) values ($1, $2, $3, $4)
returning {_CHANNEL}
"""
UPDATE_CHANNEL = f"""
update realtime.channels
set pattern = case when $2 then $3 else pattern end,
  description = case when $4 then $5 else description end,
  webhook_urls = case when $6 then $7::text[] else webhook_urls end,
  enabled = coalesce($8, enabled)
where id = $1 returning {_CHANNEL}
"""
REMOVE_CHANNEL = "delete from realtime.channels where id = $1 returning pattern"
LIST_POLICIES = """
select p.polname::text as name,
  case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE' else 'ALL'
  end as command,
  array(select case when r = 0 then 'public' else pg_get_userbyid(r)::text end from unnest(p.polroles) r) as roles,
  pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as with_check
from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'realtime' and c.relname = $1 order by p.polname
"""


async def list_channels(tx: ReadingTransaction) -> list[Channel]:
    """Every channel, newest first."""
    return [_channel(row) for row in await tx.rows(LIST_CHANNELS)]


async def find_channel(tx: ReadingTransaction, channel_id: UUID) -> Channel | None:
    """The channel with this id, enabled or not."""
    row = await tx.row(FIND_CHANNEL, channel_id)
    return None if row is None else _channel(row)


async def add_channel(
    tx: WritingTransaction, pattern: str, description: str | None, webhook_urls: list[str], *, enabled: bool
) -> Channel:
    """Add a row. Raises `ChannelExists`."""
    try:
        row = await tx.row(ADD_CHANNEL, pattern, description, webhook_urls, enabled)
    except asyncpg.UniqueViolationError as failure:
        raise _taken(pattern) from failure
    assert row is not None  # noqa: S101 - for the type checker: an insert returns its row
    return _channel(row)


async def update_channel(tx: WritingTransaction, channel_id: UUID, changes: dict[str, Any]) -> Channel | None:
    """Change the columns that are named; the row as it is now, None if there is none. Raises `ChannelExists`."""
    columns = ("pattern", "description", "webhook_urls")
    told = [value for column in columns for value in (column in changes, changes.get(column))]
    try:
        row = await tx.row(UPDATE_CHANNEL, channel_id, *told, changes.get("enabled"))
    except asyncpg.UniqueViolationError as failure:
        raise _taken(changes["pattern"]) from failure
    return None if row is None else _channel(row)


async def remove_channel(tx: WritingTransaction, channel_id: UUID) -> str | None:
    """Remove a row; its pattern, None if there was none. Its messages stay."""
    return await tx.value(REMOVE_CHANNEL, channel_id)


async def list_policies(tx: ReadingTransaction, table: str) -> list[ChannelPolicy]:
    """The policies of a table of the schema, by name."""
    return [
        ChannelPolicy(
            policy_name=row["name"],
            table_name=table,
            command=row["command"],
            roles=tuple(row["roles"]),
            using=row["using"],
            with_check=row["with_check"],
        )
        for row in await tx.rows(LIST_POLICIES, table)
    ]


def _taken(pattern: str) -> ChannelExists:
    return ChannelExists(
        pattern=pattern,
        next_actions="Change that channel with PUT /api/realtime/channels/{id}, or name another pattern",
    )


def _channel(row: asyncpg.Record) -> Channel:
    return Channel(
        id=row["id"],
        pattern=row["pattern"],
        description=row["description"],
        webhook_urls=tuple(row["webhook_urls"]),
        enabled=row["enabled"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
