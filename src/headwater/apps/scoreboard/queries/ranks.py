"""The SQL of ranks: the rows that an index is made of, and the same answers counted, where there is no index."""

from collections.abc import AsyncGenerator
from datetime import datetime
from uuid import UUID

from headwater.apps.scoreboard.models.ranks import LiveSeason, Standing
from headwater.kernel.database import ReadingTransaction, Row

_AT_ONCE = 1000
"""Rows that are unpacked without a pause: about 5 ms of the loop's time."""
LIST_LIVE_SEASONS = "select name, season, ascending from scoreboard.boards order by name <> 'default', name"
FIND_LIVE_SEASON = "select name, season, ascending from scoreboard.boards where name = $1"
OPEN_ENTRIES = """
declare entries no scroll cursor for
select substr(int8send(score.standing + 9007199254740992), 2)
    || substr(int8send((extract(epoch from score.reached_at) * 1000000)::bigint), 2)
    || uuid_send(score.user_id)
    || substr(int8send(score.revision), 2)
from scoreboard.scores score
where score.board = $1 and score.season = $2
  and not exists (select from scoreboard.players player where player.user_id = score.user_id and player.hidden)
order by score.standing, score.reached_at, score.user_id
"""
"""Every entry as the 37 bytes of `ranks.entry`, the first of the board first: so they go in at the end of the index."""
NEXT_ENTRIES = f"fetch {_AT_ONCE} from entries"
_BEFORE = """
  select count(*) from scoreboard.scores other
  where other.board = $1 and other.season = $2 and other.user_id <> $3
    and (other.standing, other.reached_at, other.user_id) < ({standing}, {reached_at}, $3::uuid)
"""
_HIDDEN = """
    and exists (select from scoreboard.players player where player.user_id = other.user_id and player.hidden)
"""
_RANK = f"1 + ({_BEFORE}) - ({_BEFORE}{_HIDDEN})"
FIND_RANK = f"""
select {_RANK.format(standing="mine.standing", reached_at="mine.reached_at")}
from scoreboard.scores mine
join scoreboard.players me on me.user_id = mine.user_id and not me.hidden
where mine.board = $1 and mine.season = $2 and mine.user_id = $3
"""
FIND_RANK_WITH = f"select {_RANK.format(standing='$4::bigint', reached_at='$5::timestamptz')}"
COUNT_RANKED = """
select count(*) from scoreboard.scores score
where score.board = $1 and score.season = $2
  and not exists (select from scoreboard.players player where player.user_id = score.user_id and player.hidden)
"""
_ENTRIES = """
select score.user_id, score.score, score.standing, score.reached_at
from scoreboard.scores score
join scoreboard.players player on player.user_id = score.user_id and not player.hidden
where score.board = $1 and score.season = $2
"""
_MINE = "(mine.standing, mine.reached_at, mine.user_id)"
_PLACE = "(score.standing, score.reached_at, score.user_id)"
LIST_PAGE = f"{_ENTRIES} order by score.standing, score.reached_at, score.user_id offset $3 limit $4"
LIST_AROUND = f"""
with mine as ({_ENTRIES} and score.user_id = $3), beside as (
  select above.* from mine, lateral (
    {_ENTRIES} and {_PLACE} < {_MINE}
    order by score.standing desc, score.reached_at desc, score.user_id desc limit $4) above
  union all
  select mine.* from mine
  union all
  select below.* from mine, lateral (
    {_ENTRIES} and {_PLACE} > {_MINE}
    order by score.standing, score.reached_at, score.user_id limit $5) below
)
select user_id, score, reached_at from beside order by standing, reached_at, user_id
"""


async def list_live_seasons(tx: ReadingTransaction) -> list[LiveSeason]:
    """Every board in the season that runs, the one everybody asks for first."""
    return [_live_season(row) for row in await tx.rows(LIST_LIVE_SEASONS)]


async def find_live_season(tx: ReadingTransaction, board: str) -> LiveSeason | None:
    """The season that runs; None where there is no such board."""
    row = await tx.row(FIND_LIVE_SEASON, board)
    return None if row is None else _live_season(row)


async def stream_entries(tx: ReadingTransaction, board: str, season: int) -> AsyncGenerator[list[bytes]]:
    """The entries of a season in their order, packed, a thousand at a time."""
    await tx.rows(OPEN_ENTRIES, board, season)
    while rows := await tx.rows(NEXT_ENTRIES):
        yield [row[0] for row in rows]


async def find_rank(tx: ReadingTransaction, board: str, season: int, user_id: UUID) -> int | None:
    """A player's rank, counted; None where he has none."""
    return await tx.value(FIND_RANK, board, season, user_id)


async def find_rank_with(
    tx: ReadingTransaction, board: str, season: int, user_id: UUID, standing: int, reached_at: datetime
) -> int:
    """The rank a player would have with that, counted."""
    return int(await tx.value(FIND_RANK_WITH, board, season, user_id, standing, reached_at))


async def count_ranked(tx: ReadingTransaction, board: str, season: int) -> int:
    """How many have a rank."""
    return int(await tx.value(COUNT_RANKED, board, season))


async def list_page(tx: ReadingTransaction, board: str, season: int, offset: int, limit: int) -> list[Standing]:
    """As many entries after the first `offset`."""
    return _standings(await tx.rows(LIST_PAGE, board, season, offset, limit), offset + 1)


async def list_around(
    tx: ReadingTransaction, board: str, season: int, user_id: UUID, above: int, below: int
) -> list[Standing]:
    """A player's entry and those beside it, ranked; none where he has none. On one snapshot of the rows."""
    rank = await find_rank(tx, board, season, user_id)
    if rank is None:
        return []
    rows = await tx.rows(LIST_AROUND, board, season, user_id, above, below)
    own = next(at for at, row in enumerate(rows) if row["user_id"] == user_id)
    return _standings(rows, rank - own)


def _live_season(row: Row) -> LiveSeason:
    return LiveSeason(board=row["name"], season=row["season"], ascending=row["ascending"])


def _standings(rows: list[Row], first: int) -> list[Standing]:
    return [
        Standing(user_id=row["user_id"], score=row["score"], reached_at=row["reached_at"], rank=rank)
        for rank, row in enumerate(rows, first)
    ]
