"""The SQL of actions and scores."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from headwater.apps.scoreboard.errors import ScoreOutOfRange
from headwater.apps.scoreboard.models import Board, HistoryEntry, Place, ScoreRow
from headwater.apps.scoreboard.models.caching import KnownScore, ScoreOf
from headwater.apps.scoreboard.queries.boards import BOARD_COLUMNS, board_of
from headwater.kernel.clock import moment
from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction

Outcome = Literal["counted", "held", "released", "refused", "adjusted"]

TAKE_ACTION = """
insert into scoreboard.actions (id, board, user_id, points, action_type, address, device, outcome, idempotency_key,
  created_at, season)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict do nothing
"""
TAKE_AT_ONCE = f"""
with board as (
  select {BOARD_COLUMNS} from scoreboard.boards where name = $2
), taken as (
  insert into scoreboard.actions (id, board, season, user_id, points, action_type, address, device, outcome,
    idempotency_key, created_at)
  select $1, board.name, board.season, player.user_id, $4, $5, $6, $7, $8, $9, $10
  from board join scoreboard.players player on player.user_id = $3
  where board.next_reset is null or board.next_reset > $10
  on conflict do nothing
  returning true
)
select board.* from board where exists (select from taken)
"""
FIND_SPENT = """
select id, user_id, outcome, score, idempotency_key from scoreboard.actions
where id = $1 or (user_id = $2 and idempotency_key = $3)
"""
UPDATE_OUTCOME = "update scoreboard.actions set outcome = $2 where id = $1"
ADD_POINTS = """
with changed as (
  insert into scoreboard.scores as mine (board, season, user_id, score, standing, reached_at, revision)
  values ($1, $2, $3, $4::bigint, $4::bigint * case when $6 then 1 else -1 end, $5, nextval('scoreboard.revision'))
  on conflict (board, season, user_id) do update set
    score = scoreboard.combined($7, $6, mine.score, $4),
    standing = scoreboard.combined($7, $6, mine.score, $4) * case when $6 then 1 else -1 end,
    reached_at = case when scoreboard.combined($7, $6, mine.score, $4) = mine.score then mine.reached_at else $5 end,
    revision = nextval('scoreboard.revision')
  returning score, standing, reached_at, revision
), logged as (
  update scoreboard.actions action set score = changed.score from changed where action.id = $8
)
select changed.*, $2::integer as season, $3::uuid as user_id, player.username, player.hidden
from changed join scoreboard.players player on player.user_id = $3
"""
HAS_SCORE = "select exists (select from scoreboard.scores where board = $1 and season = $2 and user_id = $3)"
COUNT_SCORES = "select count(*) from scoreboard.scores where board = $1 and season = $2"
LIST_TOP = """
select score.user_id, player.username, score.score, score.reached_at
from scoreboard.scores score join scoreboard.players player on player.user_id = score.user_id and not player.hidden
where score.board = $1 and score.season = $2
order by score.standing, score.reached_at, score.user_id limit $3
"""
FIND_SCORES = """
select asked.board, asked.season, asked.user_id, player.username, player.hidden, coalesce(score.score, 0) as score
from unnest($1::text[], $2::integer[], $3::uuid[]) as asked (board, season, user_id)
join scoreboard.players player on player.user_id = asked.user_id
left join scoreboard.scores score
  on score.board = asked.board and score.season = asked.season and score.user_id = asked.user_id
"""
LIST_SCORES_OF = """
select score.board, score.season, score.user_id, score.score, score.standing, score.reached_at, score.revision,
  player.username, player.hidden
from scoreboard.scores score
join scoreboard.boards board on board.name = score.board and board.season = score.season
join scoreboard.players player on player.user_id = score.user_id
where score.user_id = $1
"""
LIST_HISTORY = """
select id, action_type, points, score, season, created_at from scoreboard.actions
where user_id = $1 and board = $2 and score is not null and ($3::text is null or (created_at, id) < (
  select last.created_at, last.id from scoreboard.actions last where last.id = $3 and last.user_id = $1))
order by created_at desc, id desc limit $4
"""
IS_IN_HISTORY = "select exists (select from scoreboard.actions where id = $2 and user_id = $1)"
FIND_ADJUSTMENT = "select board, season, user_id, points, score from scoreboard.actions where id = $1"
REMOVE_OLD_ACTIONS = "delete from scoreboard.actions where created_at < $1 and outcome <> 'held'"


class Spent(msgspec.Struct, frozen=True):
    """An action whose id, or whose idempotency key, was used before."""

    id: str
    user_id: UUID
    outcome: str
    score: int | None
    idempotency_key: str | None


class Adjusted(msgspec.Struct, frozen=True):
    """A correction that was made before, and the score it led to."""

    board: str
    season: int
    user_id: UUID
    points: int
    score: int


class LoggedAction(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the log."""

    id: str
    user_id: UUID
    points: int
    action_type: str | None = None
    address: str = ""
    device: str | None = None
    outcome: Outcome = "counted"
    idempotency_key: str | None = None


async def take_action(tx: WritingTransaction, board: Board, action: LoggedAction) -> bool:
    """Whether the action is this transaction's: nobody took it before, nor used its idempotency key."""
    return await tx.execute(TAKE_ACTION, *_logged(board.name, action, tx.now), board.season) == 1


async def take_at_once(tx: WritingTransaction, board: str, action: LoggedAction) -> Board | None:
    """The board, if the action is this transaction's on it, in one statement.

    None where it was taken before, and where something else comes first: no such board or player, a season that is
    over. Then ask step by step.
    """
    row = await tx.row(TAKE_AT_ONCE, *_logged(board, action, tx.now))
    return None if row is None else board_of(row)


async def find_spent(tx: ReadingTransaction, action_id: str, user_id: UUID, key: str | None) -> list[Spent]:
    """What stands in the way of taking an action."""
    rows = await tx.rows(FIND_SPENT, action_id, user_id, key)
    return [Spent(**dict(row)) for row in rows]


async def find_adjustment(tx: ReadingTransaction, action_id: str) -> Adjusted:
    """A correction that stands in the log."""
    [row] = await tx.rows(FIND_ADJUSTMENT, action_id)
    return Adjusted(**dict(row))


async def update_outcome(tx: WritingTransaction, action_id: str, outcome: Outcome) -> None:
    """Say what became of an action after all."""
    await tx.execute(UPDATE_OUTCOME, action_id, outcome)


async def add_points(
    tx: WritingTransaction, board: Board, user_id: UUID, points: int, action_id: str, operator: str
) -> tuple[ScoreRow, str]:
    """The score after some points, written into the action's log row too, and what the player is called.

    Raises `ScoreOutOfRange`.
    """
    try:
        [row] = await tx.rows(
            ADD_POINTS, board.name, board.season, user_id, points, tx.now, board.ascending, operator, action_id
        )
    except asyncpg.CheckViolationError as failure:
        raise ScoreOutOfRange from failure
    return _score_row(row), row["username"]


async def has_score(tx: ReadingTransaction, board: Board, user_id: UUID) -> bool:
    """Whether a player is on the board in this season."""
    return bool(await tx.value(HAS_SCORE, board.name, board.season, user_id))


async def count_scores(tx: ReadingTransaction, board: Board) -> int:
    """How many play in this season."""
    return int(await tx.value(COUNT_SCORES, board.name, board.season))


async def list_top(tx: ReadingTransaction, board: Board, limit: int) -> list[tuple[Place, datetime]]:
    """The first places of the season, and when each was reached."""
    rows = await tx.rows(LIST_TOP, board.name, board.season, limit)
    return [(place(row, rank), row["reached_at"]) for rank, row in enumerate(rows, 1)]


async def find_scores(tx: ReadingTransaction, asked: Sequence[ScoreOf]) -> dict[ScoreOf, KnownScore]:
    """Players with their scores, 0 where they have none; nothing of whoever is no player."""
    rows = await tx.rows(FIND_SCORES, *map(list, zip(*asked, strict=True)))
    return {
        ScoreOf(row["board"], row["season"], row["user_id"]): KnownScore(
            username=row["username"], score=row["score"], hidden=row["hidden"]
        )
        for row in rows
    }


async def list_scores_of(tx: ReadingTransaction, user_id: UUID) -> list[tuple[str, str, ScoreRow]]:
    """A player's scores in the seasons that run: board, name, score."""
    return [(row["board"], row["username"], _score_row(row)) for row in await tx.rows(LIST_SCORES_OF, user_id)]


async def list_history(
    tx: ReadingTransaction, user_id: UUID, board: str, before: str | None, limit: int
) -> tuple[HistoryEntry, ...]:
    """A player's actions that counted, the newest first; those before one of them."""
    return tuple(
        HistoryEntry(
            action_id=row["id"],
            action_type=row["action_type"],
            points=row["points"],
            score=row["score"],
            season=row["season"],
            at=row["created_at"],
        )
        for row in await tx.rows(LIST_HISTORY, user_id, board, before, limit)
    )


async def is_in_history(tx: ReadingTransaction, user_id: UUID, action_id: str) -> bool:
    """Whether an action is this player's."""
    return bool(await tx.value(IS_IN_HISTORY, user_id, action_id))


async def remove_old_actions(tx: WritingTransaction, before: datetime) -> int:
    """Forget actions that nobody can post again and nobody has to look at; how many."""
    return await tx.execute(REMOVE_OLD_ACTIONS, before)


def place(row: Row, rank: int) -> Place:
    """A place as it is told; the moment in ISO 8601 with milliseconds."""
    return Place(
        rank=rank,
        user_id=row["user_id"],
        username=row["username"],
        score=row["score"],
        last_updated=moment(row["reached_at"]),
    )


def _logged(board: str, action: LoggedAction, now: datetime) -> tuple[object, ...]:
    """An action's row as both statements that take it have it, but for its season."""
    return (
        action.id,
        board,
        action.user_id,
        action.points,
        action.action_type,
        action.address,
        action.device,
        action.outcome,
        action.idempotency_key,
        now,
    )


def _score_row(row: Row) -> ScoreRow:
    return ScoreRow(**{name: row[name] for name in ScoreRow.__struct_fields__})
