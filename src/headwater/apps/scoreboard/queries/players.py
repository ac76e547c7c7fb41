"""The SQL of players."""

from collections.abc import Sequence
from uuid import UUID

from headwater.kernel.database import ReadingTransaction, WritingTransaction

ADD_PLAYER = """
insert into scoreboard.players (user_id, username, created_at) values ($1, $2, $3) on conflict do nothing
"""
HIDE_PLAYER = "update scoreboard.players set hidden = $2 where user_id = $1 and hidden <> $2"
TOUCH_SCORES = "update scoreboard.scores set revision = nextval('scoreboard.revision') where user_id = $1"
FIND_NAMES = "select user_id, username from scoreboard.players where user_id = any($1::uuid[])"
FIND_NAME = "select username from scoreboard.players where user_id = $1"
IS_TAKEN = "select exists (select from scoreboard.players where lower(username) = lower($1))"


async def add_player(tx: WritingTransaction, user_id: UUID, username: str) -> bool:
    """Whether the player is new, and nobody else has the name."""
    return await tx.execute(ADD_PLAYER, user_id, username, tx.now) == 1


async def is_taken(tx: ReadingTransaction, username: str) -> bool:
    """Whether somebody has this name, in whatever case."""
    return bool(await tx.value(IS_TAKEN, username))


async def hide_player(tx: WritingTransaction, user_id: UUID, *, hidden: bool) -> bool:
    """Whether that changed anything; then his scores have other revisions, for whoever follows them."""
    changed = await tx.execute(HIDE_PLAYER, user_id, hidden) == 1
    if changed:
        await tx.execute(TOUCH_SCORES, user_id)
    return changed


async def find_name(tx: ReadingTransaction, user_id: UUID) -> str | None:
    """What a player is called."""
    return await tx.value(FIND_NAME, user_id)


async def find_names(tx: ReadingTransaction, users: Sequence[UUID]) -> dict[UUID, str]:
    """What each of these players is called; those who are gone are left out."""
    return {row["user_id"]: row["username"] for row in await tx.rows(FIND_NAMES, users)}
