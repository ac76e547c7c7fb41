"""The scoreboard on two nodes while things are killed: no point lost, none counted twice, no rank left behind."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import httpx
import msgspec
import pytest

from tests.faults.players import APP, Answer, Player, Watcher
from tests.faults.scene import DATABASE, Blow, Scene, two_nodes_to_hurt
from tests.kit.server import RunningServer

PLAYERS = 200
ACTIONS = 25
"""Of each player, at least: they play until every fault is over."""
FAULTS = {"untold": 10, "kill": 10, "redis": 10, "deafen": 30, "reset": 20}
AT_THE_DOOR = 10
"""Sign up at once: more passwords than are hashed at a time are told to come again."""
WATCHERS = 2
"""Of each board, at each node."""
HANGS_FOR = 1.0
"""Seconds: less than the silence after which others go on without a node."""
PACE = 1.0
"""Seconds between two faults, on the average."""
SETTLED_WITHIN = 60.0
BOARDS = {"default": "increment", "dash": "increment", "peak": "best"}
RESET = "dash"
ENVIRONMENT = {"HEADWATER_FRAUD_MODE": "shadow"}
LOG = "select id, board, season, user_id::text, points, score, outcome from scoreboard.actions"
SCORES = "select board, season, user_id::text, score from scoreboard.scores"
PLACES = """
select score.user_id::text, score.score, rank() over (order by standing, reached_at, score.user_id) as rank
from scoreboard.scores score join scoreboard.boards board on board.name = score.board and board.season = score.season
where score.board = $1 order by rank
"""
HOURS = "select board, sum(actions)::int as actions, sum(points)::int as points from scoreboard.hours group by board"
MESSAGES = """
select (payload ->> 'revision')::bigint as revision, substr(channel_name, 12) as board,
  payload ->> 'user_id' as user_id, (payload ->> 'points')::int as points, (payload ->> 'score')::int as score
from realtime.messages where channel_name like 'scoreboard:%' and event_name = 'score_changed'
"""
UNREAD = """
select count(*) from system.cursors cursor
join system.outbox event on (event.transaction_id, event.position) > (cursor.transaction_id, cursor.position)
where cursor.consumer in ('scoreboard.count_hour', 'scoreboard.tell_channel', 'scoreboard.follow_lead')
  and event.name = 'ScoreChanged'
"""
NOTICES = "select user_id::text, kind, source from notifications.notices where kind like 'scoreboard.lead%'"
LEADS = """
select position, payload ->> 'user_id' as user_id, payload ->> 'before' as before
from system.outbox where name = 'LeadChanged'
"""
DEAFEN = """
select pg_terminate_backend(pid) from pg_locks
where locktype = 'advisory' and classid = 7130 and objid = 3 and objsubid = 2 order by random() limit 1
"""


class Logged(msgspec.Struct, frozen=True):
    """A row of the log of actions."""

    id: str
    board: str
    season: int
    user_id: str
    points: int
    score: int
    outcome: str


class Season(Scene):
    """Two nodes on which a season is played, and everything that is done to them."""

    resets = 0

    async def hurt(self, faults: dict[str, int]) -> None:
        """So many faults of each sort."""
        blows: dict[str, Blow] = {
            "kill": self.kill,
            "redis": self.restart_redis,
            "deafen": self._deafen,
            "reset": self._reset,
        }
        await self.strike(blows, faults, (0.5 * PACE, 1.5 * PACE))

    async def kill_untold(self) -> RunningServer:
        """Kill a node that has committed and could not tell the other, which hangs for a moment; the one that lives."""
        lives, dies = self.random.sample(self.nodes, 2)
        lives.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(HANGS_FOR)
        await asyncio.to_thread(dies.kill)
        lives.process.send_signal(signal.SIGCONT)
        return lives

    async def _deafen(self) -> None:
        """End the connection on which a node listens, and those on which all hear Redis."""
        await self.outside.run(DEAFEN, database=DATABASE)
        if self.redis is not None:
            with self.redis.client() as client:
                client.client_kill_filter(_type="pubsub")

    async def _reset(self) -> None:
        self.resets += await self.ask_admin(f"/api/boards/{RESET}/reset") < 300

    async def ask_admin(self, path: str, body: object = None) -> int:
        """What an admin is answered, by whichever node answers; 503 where none does."""
        headers = {"authorization": f"Bearer {self.nodes[0].admin_key}"}
        async with httpx.AsyncClient(headers=headers, timeout=10) as client:
            for url in self.random.sample(self.urls, 2):
                try:
                    return (await client.post(url + APP + path, json=body)).status_code
                except httpx.TransportError:
                    continue
        return 503

    async def enter(self, number: int) -> tuple[str, str]:
        """A new player's id and token."""
        body = {"email": f"player-{number}@example.com", "password": "correct horse"}
        headers = {"authorization": f"Bearer {self.nodes[0].anon_key}"}
        async with httpx.AsyncClient(headers=headers, timeout=60) as client:
            made = await client.post(self.urls[number % 2] + "/api/auth/users", json=body)
        told = made.raise_for_status().json()
        return told["user"]["id"], told["accessToken"]


@pytest.mark.parametrize("with_redis", [False, pytest.param(True, marks=pytest.mark.needs("redis-server"))])
def test_no_point_is_lost_and_none_counts_twice(
    scaled: Callable[[int], int], seeded: Random, *, with_redis: bool
) -> None:
    with two_nodes_to_hurt(ENVIRONMENT, with_redis=with_redis) as ground:
        scene = Season(seeded, *ground)
        asyncio.run(season(scene, scaled(PLAYERS), {kind: scaled(count) for kind, count in FAULTS.items()}))


async def season(scene: Season, count: int, faults: dict[str, int]) -> None:
    """Everybody plays while things break; then the look round."""
    for board, operator in BOARDS.items():
        if board != "default":
            made = {"name": board, "title": board, "operator": operator}
            assert await scene.ask_admin("/api/boards", made) == 201
    entered = [
        one
        for first in range(0, count, AT_THE_DOOR)
        for one in await asyncio.gather(*map(scene.enter, range(first, min(count, first + AT_THE_DOOR))))
    ]
    players = [Player(scene.urls, *one, Random(scene.random.random())) for one in entered]
    watchers = [Watcher(url, board) for url in scene.urls for board in BOARDS for _ in range(WATCHERS)]
    watching = [asyncio.create_task(watcher.watch()) for watcher in watchers]
    playing = [asyncio.create_task(player.play(list(BOARDS), ACTIONS)) for player in players]
    blows = faults.pop("untold")
    await scene.hurt(faults)
    for player in players:
        player.stop()
    await asyncio.gather(*playing)
    for _ in range(blows):
        await blow(scene, players, watchers)
    assert [wrong for player in players for wrong in player.wrongs] == []
    log = [Logged(**row) for row in await scene.rows(LOG)]
    must_be_counted_once(log, {each: told for player in players for each, told in player.answers.items()})
    must_be_summed(log, await scene.rows(SCORES))
    await eventually_right(scene, scene.urls, players, watchers)
    await must_be_consumed_once(scene, log)
    for watcher in watchers:
        watcher.let_go()
    await asyncio.gather(*watching)
    [seasons] = await scene.rows("select season from scoreboard.boards where name = $1", RESET)
    assert scene.resets < seasons["season"] <= 1 + scene.done["reset"]
    print_figures(scene, players, watchers, log)


def must_be_counted_once(log: list[Logged], answers: dict[str, Answer]) -> None:
    """Every answer is a row of the log, and every row was answered."""
    told = {each.id: Answer(each.user_id, each.board, each.points, each.score) for each in log}
    assert len(told) == len(log)
    assert {each.outcome for each in log} == {"counted"}
    assert told == answers


def must_be_summed(log: list[Logged], scores: list[dict[str, Any]]) -> None:
    """Every score is what the log of its season makes of it, step by step."""
    logged: dict[tuple[str, int, str], list[Logged]] = {}
    for each in log:
        logged.setdefault((each.board, each.season, each.user_id), []).append(each)
    stored = {(row["board"], row["season"], row["user_id"]): row["score"] for row in scores}
    assert set(stored) == set(logged)
    for (board, season, user), actions in logged.items():
        if BOARDS[board] == "best":
            assert stored[board, season, user] == max(each.points for each in actions)
            continue
        steps = sorted(actions, key=lambda each: each.score)
        assert steps[0].score == steps[0].points
        assert all(later.score == earlier.score + later.points for earlier, later in pairwise(steps))
        assert stored[board, season, user] == steps[-1].score


async def eventually_right(scene: Season, urls: list[str], players: list[Player], watchers: list[Watcher]) -> None:
    """Ranks, scores and first places of these nodes, and what every watcher was told last, are those of the rows."""
    loop = asyncio.get_running_loop()
    end, began = loop.time() + SETTLED_WITHIN, loop.time()
    for board in BOARDS:
        places = [(row["user_id"], row["score"], row["rank"]) for row in await scene.rows(PLACES, board)]
        while differing := await _differences(urls, board, places, players[0].token, watchers):
            assert loop.time() < end, differing[:5]
            await asyncio.sleep(0.2)
    print(f"\nright after {loop.time() - began:.1f} s")


async def _differences(
    urls: list[str], board: str, places: list[tuple[str, int, int]], token: str, watchers: list[Watcher]
) -> list[str]:
    """What is not as the rows say."""
    wrong: list[str] = []
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(headers=headers, timeout=10) as client:

        async def ask(url: str, path: str, **query: object) -> Any:
            params: Any = {"board": board, **query}
            answer = await client.get(f"{url}{APP}/api/scoreboard{path}", params=params)
            return answer.raise_for_status().json()["data"]

        for url in urls:
            if (told := _places(await ask(url, ""))) != (places[:10], len(places)):
                wrong.append(f"first places of {board} at {url}: {told} for {places[:10]}")
            for offset in range(0, len(places) + 1, 100):
                if (told := _places(await ask(url, "", offset=offset, limit=100))) != (
                    places[offset : offset + 100],
                    len(places),
                ):
                    differing = set(told[0]) ^ set(places[offset : offset + 100])
                    wrong.append(f"places of {board} at {url}: {told[1]} for {len(places)}: {differing}")
            for place in places:
                own = await ask(url, f"/user/{place[0]}")
                if (own["userId"], own["score"], own["rank"]) != place:
                    wrong.append(f"player on {board} at {url}: {own} for {place}")
    wrong += [
        f"watcher of {board} at {each.url}: {each.newest}"
        for each in watchers
        if each.board == board and each.url in urls and _places(each.newest) != (places[:10], len(places))
    ]
    return wrong


def _places(told: Any) -> tuple[list[tuple[str, int, int]], int]:
    """Who is on which place, and how many there are."""
    return [(each["userId"], each["score"], each["rank"]) for each in told["scoreboard"]], told["totalUsers"]


async def blow(scene: Season, players: list[Player], watchers: list[Watcher]) -> None:
    """What a killed node told nobody is found by the one that lives, though nobody plays after that."""
    playing = [asyncio.create_task(player.play(list(BOARDS), 0)) for player in players]
    await asyncio.sleep(PACE)
    for player in players:
        player.stop()
    lives = await scene.kill_untold()
    await asyncio.gather(*playing)
    await eventually_right(scene, [lives.url], players, watchers)
    for node in scene.nodes:
        if node is not lives:
            await asyncio.to_thread(node.start_again)


async def must_be_consumed_once(scene: Season, log: list[Logged]) -> None:
    """Hours, channels and notices have every change once."""
    async with asyncio.timeout(SETTLED_WITHIN):
        while (await scene.rows(UNREAD))[0]["count"]:  # noqa: ASYNC110 - what is waited for rings no bell
            await asyncio.sleep(0.1)
    hours = {row["board"]: (row["actions"], row["points"]) for row in await scene.rows(HOURS)}
    for board in BOARDS:
        points = [each.points for each in log if each.board == board]
        assert hours[board] == (len(points), sum(points))
    messages = await scene.rows(MESSAGES)
    assert len({row["revision"] for row in messages}) == len(messages)
    assert Counter((row["board"], row["user_id"], row["points"], row["score"]) for row in messages) == Counter(
        (each.board, each.user_id, each.points, each.score) for each in log
    )
    leads, notices = await scene.rows(LEADS), await scene.rows(NOTICES)
    won = Counter(row["user_id"] for row in leads)
    lost = Counter(row["before"] for row in leads if row["before"] is not None)
    assert Counter(row["user_id"] for row in notices if row["kind"] == "scoreboard.lead_won") == won
    assert Counter(row["user_id"] for row in notices if row["kind"] == "scoreboard.lead_lost") == lost


def print_figures(scene: Season, players: list[Player], watchers: list[Watcher], log: list[Logged]) -> None:
    """What it came to."""
    statuses = sum((player.statuses for player in players), Counter[int]())
    print(
        f"{len(players)} players, {len(log)} actions, {sum(player.lost for player in players)} answers lost, "
        f"{dict(statuses)}; {len(watchers)} watchers, {sum(each.connections for each in watchers)} connections, "
        f"told {sum(each.told for each in watchers)} times; {dict(scene.done)}"
    )
