"""The SQL of who leads."""

from uuid import UUID

from headwater.kernel.database import WritingTransaction

FIND_LEADER = """
select score.user_id from scoreboard.scores score
join scoreboard.players player on player.user_id = score.user_id and not player.hidden
where score.board = $1 and score.season = $2
order by score.standing, score.reached_at, score.user_id limit 1
"""
LOCK_LEADER = "select season, user_id from scoreboard.leaders where board = $1 for no key update"
PUT_LEADER = """
insert into scoreboard.leaders (board, season, user_id)
select name, $2, $3 from scoreboard.boards where name = $1
on conflict (board) do update set season = excluded.season, user_id = excluded.user_id
"""


async def find_leader(tx: WritingTransaction, board: str, season: int) -> UUID | None:
    """Who has the first place in a season."""
    return await tx.value(FIND_LEADER, board, season)


async def lock_leader(tx: WritingTransaction, board: str) -> tuple[int, UUID | None] | None:
    """The season and the leader that were told last."""
    row = await tx.row(LOCK_LEADER, board)
    return None if row is None else (row["season"], row["user_id"])


async def put_leader(tx: WritingTransaction, board: str, season: int, user_id: UUID | None) -> None:
    """Remember who was told to lead; nothing where the board is gone."""
    await tx.execute(PUT_LEADER, board, season, user_id)
