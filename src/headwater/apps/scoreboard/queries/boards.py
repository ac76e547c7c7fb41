"""The SQL of boards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from headwater.apps.scoreboard.models import Board, Hour, NewBoard, Season
from headwater.kernel.clock import moment
from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction

BOARD_COLUMNS = ", ".join(Board.__struct_fields__)
LIST_BOARDS = f"select {BOARD_COLUMNS} from scoreboard.boards order by name <> 'default', name"
FIND_BOARD = f"select {BOARD_COLUMNS} from scoreboard.boards where name = $1"
LOCK_BOARD = f"{FIND_BOARD} for no key update"
LOCK_DUE = (
    f"select {BOARD_COLUMNS} from scoreboard.boards where next_reset <= $1 order by name for no key update skip locked"
)
ADD_BOARD = """
insert into scoreboard.boards (name, title, operator, ascending, resets, zone, ceiling, season_began, next_reset,
  starts_at, ends_at, entry_limit, created_at, season)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $8,
  coalesce((select season + 1 from scoreboard.removed_boards where name = $1), 1))
on conflict do nothing
"""
UPDATE_BOARD = f"""
update scoreboard.boards
set title = coalesce($2, title), ceiling = coalesce($3, ceiling), ends_at = $4
where name = $1 returning {BOARD_COLUMNS}
"""
REMOVE_BOARD = """
with removed as (delete from scoreboard.boards where name = $1 returning name, season)
insert into scoreboard.removed_boards (name, season) select name, season from removed
on conflict (name) do update set season = excluded.season
"""
BEGIN_SEASON = f"""
update scoreboard.boards set season = season + 1, season_began = $2, next_reset = $3
where name = $1 returning {BOARD_COLUMNS}
"""
LIST_SEASONS = """
select score.season, count(*) as players, score.season = board.season as current, max(score.reached_at) as reached_at
from scoreboard.scores score join scoreboard.boards board on board.name = score.board
where score.board = $1 group by score.season, board.season order by score.season desc
"""
REMOVE_OLD_SEASONS = """
delete from scoreboard.scores score using scoreboard.boards board
where board.name = score.board and score.season < board.season - $1
"""
ADD_TO_HOURS = """
insert into scoreboard.hours as kept (board, hour, actions, points)
select board.name, date_trunc('hour', told.at) as hour, count(*), sum(told.points)
from unnest($1::text[], $2::timestamptz[], $3::bigint[]) as told (board, at, points)
join scoreboard.boards board on board.name = told.board
group by board.name, hour order by board.name, hour
on conflict (board, hour) do update
  set actions = kept.actions + excluded.actions, points = kept.points + excluded.points
"""
LIST_HOURS = """
select hour, actions, points from scoreboard.hours where board = $1 and hour > $2 order by hour desc
"""


async def list_boards(tx: ReadingTransaction) -> list[Board]:
    """Every board, the default one first."""
    return [board_of(row) for row in await tx.rows(LIST_BOARDS)]


async def find_board(tx: ReadingTransaction, name: str) -> Board | None:
    """A board as it is in this transaction."""
    return _found(await tx.row(FIND_BOARD, name))


async def lock_board(tx: WritingTransaction, name: str) -> Board | None:
    """A board that nobody else begins anew, or lets players into, before this transaction ends."""
    return _found(await tx.row(LOCK_BOARD, name))


async def lock_due_boards(tx: WritingTransaction) -> list[Board]:
    """The boards whose season is over, but for those that somebody else has in hand."""
    return [board_of(row) for row in await tx.rows(LOCK_DUE, tx.now)]


async def add_board(tx: WritingTransaction, board: NewBoard, next_reset: datetime | None) -> bool:
    """Whether the board is new."""
    values: list[Any] = [
        board.name,
        board.title or board.name,
        board.operator,
        board.ascending,
        board.resets,
        board.zone,
        board.ceiling,
        tx.now,
        next_reset,
        board.starts_at,
        board.ends_at,
        board.entry_limit,
    ]
    return await tx.execute(ADD_BOARD, *values) == 1


async def update_board(
    tx: WritingTransaction, board: Board, title: str | None, ceiling: int | None, ends_at: datetime | None
) -> Board:
    """A locked board with another end, and another title or ceiling where one is given."""
    [row] = await tx.rows(UPDATE_BOARD, board.name, title, ceiling, ends_at)
    return board_of(row)


async def remove_board(tx: WritingTransaction, name: str) -> bool:
    """Whether there was one; its scores go with it, and only the number of its last season stays."""
    return await tx.execute(REMOVE_BOARD, name) == 1


async def begin_season(tx: WritingTransaction, name: str, next_reset: datetime | None) -> Board:
    """The board in its next season."""
    [row] = await tx.rows(BEGIN_SEASON, name, tx.now, next_reset)
    return board_of(row)


async def list_seasons(tx: ReadingTransaction, name: str) -> list[Season]:
    """The seasons of a board that somebody played in, the newest first."""
    rows = await tx.rows(LIST_SEASONS, name)
    return [
        Season(
            season=row["season"],
            players=row["players"],
            current=row["current"],
            last_updated=moment(row["reached_at"]),
        )
        for row in rows
    ]


async def remove_old_seasons(tx: WritingTransaction, keep: int) -> int:
    """Remove the scores of archived seasons beyond the newest `keep`; how many."""
    return await tx.execute(REMOVE_OLD_SEASONS, keep)


async def add_to_hours(tx: WritingTransaction, told: Sequence[tuple[str, datetime, int]]) -> None:
    """Add points to the hours of their boards: of each action its board, when it was and its points."""
    if told:
        await tx.execute(ADD_TO_HOURS, *map(list, zip(*told, strict=True)))


async def list_hours(tx: ReadingTransaction, board: str, after: datetime) -> list[Hour]:
    """A board's hours in which something happened, the newest first."""
    rows = await tx.rows(LIST_HOURS, board, after)
    return [Hour(hour=row["hour"], actions=row["actions"], points=row["points"]) for row in rows]


def _found(row: Row | None) -> Board | None:
    return None if row is None else board_of(row)


def board_of(row: Row) -> Board:
    """The board of a row that has its columns, and perhaps others."""
    return Board(**{name: row[name] for name in Board.__struct_fields__})
