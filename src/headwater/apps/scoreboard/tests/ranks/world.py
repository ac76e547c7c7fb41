"""Rows that change as the app changes them, and the changes that are told of it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

from headwater.apps.scoreboard.models.ranks import Change, Standing
from headwater.apps.scoreboard.ranks import Ranks
from headwater.kernel.database import Database

START = datetime(2030, 1, 1, tzinfo=UTC)
ADD_USERS = "insert into auth.users (id, email) select id, id || '@example.com' from unnest($1::uuid[]) id"
ADD_PLAYERS = "insert into scoreboard.players (user_id, username) select id, id from unnest($1::uuid[]) id"
ADD_BOARD = """
insert into scoreboard.boards (name, title, operator, ascending, resets, season_began, created_at)
values ($1, $1, 'increment', $2, 'none', $3, $3)
"""
ADD_POINTS = """
insert into scoreboard.scores as mine (board, season, user_id, score, standing, reached_at, revision)
select $1, season, $2, $3::bigint, $3 * $4::bigint, $5, nextval('scoreboard.revision')
from scoreboard.boards where name = $1
on conflict (board, season, user_id) do update set
  score = mine.score + $3, standing = (mine.score + $3) * $4,
  reached_at = case when $3 = 0 then mine.reached_at else $5 end, revision = nextval('scoreboard.revision')
returning season, score, standing, reached_at, revision,
  (select hidden from scoreboard.players player where player.user_id = $2) as hidden
"""
SET_HIDDEN = "update scoreboard.players set hidden = not hidden where user_id = $1"
REMOVE = """
delete from scoreboard.scores score using scoreboard.boards board
where board.name = $1 and score.board = $1 and score.season = board.season and score.user_id = $2
returning score.season, score.standing, score.reached_at, nextval('scoreboard.revision') as revision
"""
BEGIN_SEASON = "update scoreboard.boards set season = season + 1 where name = $1 returning season"
RANKED = """
select score.user_id, score.score, score.reached_at,
  rank() over (order by score.standing, score.reached_at, score.user_id)::integer as rank
from scoreboard.scores score join scoreboard.players player on player.user_id = score.user_id and not player.hidden
where score.board = $1 and score.season = $2
order by rank
"""
FILL = """
insert into scoreboard.scores (board, season, user_id, score, standing, reached_at, revision)
select $1, 1, id, score, score * $2::bigint, $3, nextval('scoreboard.revision')
from unnest($4::uuid[], $5::bigint[]) row (id, score)
"""


class World:
    """One board with few players, few scores and few moments, so that ties are many."""

    def __init__(self, database: Database, chance: Random, board: str, *, ascending: bool) -> None:
        self.database = database
        self.board = board
        self.season = 1
        self.players: list[UUID] = []
        self._chance = chance
        self.sign = 1 if ascending else -1
        self._ascending = ascending

    async def open(self, players: int) -> None:
        """The board, and as many players without a score."""
        self.players = [uuid4() for _ in range(players)]
        await self.run(ADD_USERS, self.players)
        await self.run(ADD_PLAYERS, self.players)
        await self.run(ADD_BOARD, self.board, self._ascending, START)

    async def fill(self) -> None:
        """A score for everybody."""
        scores = [self._chance.randrange(-50, 50) for _ in self.players]
        await self.run(FILL, self.board, self.sign, START, self.players, scores)

    async def run(self, sql: str, *arguments: object) -> list[Any]:
        """What a statement returns, committed."""
        found, _ = await self.database.writing(lambda tx: tx.rows(sql, *arguments))
        return found

    async def add_points(self, player: UUID, points: int) -> Change:
        """What is told of some points."""
        moment = START + timedelta(seconds=self._chance.randrange(3))
        [row] = await self.run(ADD_POINTS, self.board, player, points, self.sign, moment)
        score = None if row["hidden"] else row["score"]
        return Change(self.board, row["season"], player, score, row["standing"], row["reached_at"], row["revision"])

    async def hide_or_show(self, player: UUID) -> Change:
        """What is told of a player who is hidden, or seen again: his row's revision rises with it."""
        await self.run(SET_HIDDEN, player)
        return await self.add_points(player, 0)

    async def remove(self, player: UUID) -> list[Change]:
        """What is told of a score that is gone; nothing where there was none."""
        rows = await self.run(REMOVE, self.board, player)
        return [
            Change(self.board, row["season"], player, None, row["standing"], row["reached_at"], row["revision"])
            for row in rows
        ]

    async def begin_season(self) -> int:
        """The next season's number."""
        [row] = await self.run(BEGIN_SEASON, self.board)
        self.season = row["season"]
        return self.season

    async def ranked(self, season: int | None = None) -> list[Standing]:
        """What Postgres' own rank() says of every entry."""
        rows = await self.run(RANKED, self.board, season or self.season)
        return [Standing(row["user_id"], row["score"], row["reached_at"], row["rank"]) for row in rows]

    async def step(self) -> Sequence[Change | int]:
        """Something that happens, and what is told of it: changes, or a season's number."""
        player = self._chance.choice(self.players)
        match self._chance.randrange(20):
            case 0:
                return [await self.begin_season()]
            case 1 | 2:
                return await self.remove(player)
            case 3 | 4:
                return [await self.hide_or_show(player)]
            case 5 | 6:
                return [await self.add_points(player, 0)]
            case _:
                return [await self.add_points(player, self._chance.randrange(-3, 4))]


async def tell(ranks: Ranks, board: str, told: Change | int) -> None:
    """Tell `ranks` of one change, or of a season that began."""
    if isinstance(told, int):
        await ranks.begin_season(board, told)
    else:
        await ranks.apply(told)


async def must_agree(ranks: Ranks, world: World, of_season: int | None = None) -> None:
    """Every question is answered as the rows say."""
    season = of_season or world.season
    expected = await world.ranked(season)
    board, count = world.board, len(expected)
    assert await ranks.page(board, season, 0, count + 5) == expected
    assert await ranks.count(board, season) == count
    assert await ranks.page(board, season, count // 2, 3) == expected[count // 2 : count // 2 + 3]
    places = {standing.user_id: standing for standing in expected}
    for player in world.players:
        own = places.get(player)
        assert await ranks.rank(board, season, player) == (None if own is None else own.rank)
        around = await ranks.around(board, season, player, 2, 3)
        assert around == ([] if own is None else expected[max(0, own.rank - 3) : own.rank + 3])
        standing, moment = world.players.index(player) % 7 - 3, START + timedelta(seconds=1)
        better = sum(
            (other.score * world.sign, other.reached_at, other.user_id) < (standing, moment, player)
            for other in expected
            if other.user_id != player
        )
        assert await ranks.rank_with(board, season, player, standing, moment) == better + 1


Opened = Callable[..., Awaitable[Ranks]]
"""Opens the ranks of one more process of the house."""
