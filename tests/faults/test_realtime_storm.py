"""Clients of two nodes through random faults: what each of them saw is the log, or it was told what it missed."""

import asyncio
import signal
import time
from collections.abc import Callable
from itertools import cycle, pairwise
from random import Random

import msgspec
import pytest

from tests.faults.listeners import Account, Listener
from tests.faults.scene import DATABASE, Blow, Scene, two_nodes_to_hurt
from tests.faults.writers import Writer, write_by_rest, write_by_socket, write_by_sql

CLIENTS = 200
FAULTS = 2_000
CHANNELS = [f"storm:{number}" for number in range(6)]
EACH_HEARS = 2
USERS = 5
"""Half of the clients are one of these each, so that a user is there several times; the others show a key."""
DOORS = ("rest", "socket", "sql")
WRITERS = 2
"""By each door."""
PACE = 0.1
"""Seconds between two faults, on the average."""
SETTLED_WITHIN = 60.0
ENVIRONMENT = {"HEADWATER_SOCKET_WRITE_BUFFER": "65536"}
SHARES = {"cut": 0.81, "dawdle": 0.1, "kill": 0.02, "postgres": 0.01, "redis": 0.02, "forget": 0.04}
KEPT = (0, 5, 100)
"""Of the newest messages so many are not forgotten."""
LOG = """
select id::text, channel_name, place, "offset", payload ->> 'by' as by, (payload ->> 'nth')::int as nth
from realtime.messages
"""
FORGET = """
with gone as (delete from realtime.messages where place <= (select place from realtime.log) - $1::int returning *)
select id::text, channel_name, place, "offset", payload ->> 'by' as by, (payload ->> 'nth')::int as nth from gone
"""
EPOCH = "select epoch from realtime.log"
UNPLACED = "select count(*) from realtime.messages where place is null"


class Entry(msgspec.Struct, frozen=True):
    """A message of the log."""

    id: str
    channel_name: str
    place: int
    offset: int
    by: str
    nth: int


class Weather(Scene):
    """Two nodes that serve channels, and everything that is done to them and to their clients."""

    log: list[Entry]
    """What is no longer in the table."""

    def prepare(self) -> None:
        """Make the channels, and the users."""
        self.log = []
        self.tokens = [self.nodes[0].sign_up(f"storm-{number}@example.com") for number in range(USERS)]
        self.outside.sql("insert into realtime.channels (pattern) values ('storm:%')", database=DATABASE)

    @property
    def anon_key(self) -> str:
        """The key that pages show."""
        return self.nodes[0].anon_key

    @property
    def credentials(self) -> list[str]:
        """What clients show, in turn."""
        return [shown for token in self.tokens for shown in (token, self.anon_key)]

    async def hurt(self, faults: int, listeners: list[Listener]) -> None:
        """So many faults, each sort in its share."""

        async def cut() -> None:
            self.random.choice(listeners).cut()

        async def dawdle() -> None:
            self.begin(self.random.choice(listeners).dawdle(self.random.uniform(0.2, 3)))

        blows: dict[str, Blow] = {
            "cut": cut,
            "dawdle": dawdle,
            "kill": self.kill,
            "postgres": self._restart_postgres,
            "redis": self.restart_redis,
            "forget": self._forget,
        }
        counts = {kind: max(1, round(faults * share)) for kind, share in SHARES.items()}
        if self.redis is None:
            counts["cut"] += counts.pop("redis")
        await self.strike(blows, counts, (0, 2 * PACE))

    async def _restart_postgres(self) -> None:
        async with self.steady:
            blow = self.random.choice((signal.SIGINT, signal.SIGQUIT))
            await asyncio.to_thread(self.outside.stop, blow)
            await asyncio.sleep(self.random.uniform(0, 1))
            await asyncio.to_thread(self.outside.start)

    async def _forget(self) -> None:
        self.log += [Entry(**row) for row in await self.rows(FORGET, self.random.choice(KEPT))]

    async def whole_log(self) -> list[Entry]:
        """Everything that was ever logged, in its order."""
        return sorted(self.log + [Entry(**row) for row in await self.rows(LOG)], key=lambda entry: entry.place)

    async def value(self, statement: str) -> object:
        """What a statement says."""
        return await self.outside.run(statement, database=DATABASE)


@pytest.mark.parametrize("with_redis", [False, pytest.param(True, marks=pytest.mark.needs("redis-server"))])
def test_storm(scaled: Callable[[int], int], seeded: Random, *, with_redis: bool) -> None:
    with two_nodes_to_hurt(ENVIRONMENT, with_redis=with_redis) as ground:
        scene = Weather(seeded, *ground)
        scene.prepare()
        asyncio.run(storm(scene, scaled(CLIENTS), scaled(FAULTS) // 2))


async def storm(scene: Weather, clients: int, faults: int) -> None:
    """The storm, and the look round when it is over."""
    random = scene.random
    listeners = [
        Listener(scene.urls, credential, random.sample(CHANNELS, EACH_HEARS), Random(random.random()))
        for credential, _ in zip(cycle(scene.credentials), range(clients), strict=False)
    ]
    listening = [asyncio.create_task(listener.listen()) for listener in listeners]
    writers = [Writer(door, f"{door}-{n}", CHANNELS, Random(random.random())) for door in DOORS for n in range(WRITERS)]
    writing = [asyncio.create_task(_write(scene, writer)) for writer in writers]
    await scene.hurt(faults, listeners)
    for writer in writers:
        writer.stop()
    await asyncio.gather(*writing)
    log = await settled(scene, listeners)
    for listener in listeners:
        listener.let_go()
    await asyncio.gather(*listening)
    await asyncio.sleep(0)  # connections that were cut are closed in the next turn
    epoch = await scene.value(EPOCH)
    accounts = [account for listener in listeners for account in listener.accounts.values()]
    print_figures(scene, listeners, log)
    must_be_a_log(log, writers)
    must_be_true(accounts, log, str(epoch))


async def _write(scene: Weather, writer: Writer) -> None:
    match writer.door:
        case "rest":
            await write_by_rest(writer, scene.urls, scene.anon_key)
        case "socket":
            await write_by_socket(writer, scene.urls, scene.anon_key, CHANNELS)
        case _:
            await write_by_sql(writer, scene.database)


async def settled(scene: Weather, listeners: list[Listener]) -> list[Entry]:
    """The log, once every message has its place and every client has come up to the end of its channels."""
    end = time.monotonic() + SETTLED_WITHIN
    while await scene.value(UNPLACED):
        assert time.monotonic() < end, "messages wait for a place"
        await asyncio.sleep(0.1)
    log = await scene.whole_log()
    heads = {entry.channel_name: entry.offset for entry in log}
    accounts = [account for listener in listeners for account in listener.accounts.values()]
    while late := [account for account in accounts if account.offset != heads[account.channel]]:
        if time.monotonic() > end:
            told = [(account.channel, account.offset, heads[account.channel], account.is_open) for account in late]
            pytest.fail(f"{len(late)} never came up to the end: {told[:10]}", pytrace=False)
        await asyncio.sleep(0.1)
    return log


def must_be_a_log(log: list[Entry], writers: list[Writer]) -> None:
    """Offsets have no holes, what was acknowledged is there once and in order, what was rolled back is not."""
    assert [entry.place for entry in log] == list(range(1, len(log) + 1))
    for channel in CHANNELS:
        mine = [entry for entry in log if entry.channel_name == channel]
        assert [entry.offset for entry in mine] == list(range(1, len(mine) + 1))
    keys = [(entry.by, entry.nth) for entry in log]
    assert len(set(keys)) == len(keys), "nothing twice"
    for name in {by for by, _ in keys}:
        numbers = [nth for by, nth in keys if by == name]
        assert numbers == sorted(numbers), name
    for writer in writers:
        assert writer.kept - set(keys) == set(), "nothing lost"
        assert writer.undone & set(keys) == set(), "nothing that was rolled back"


def must_be_true(accounts: list[Account], log: list[Entry], epoch: str) -> None:
    """Everybody heard what the log says, without a hole but for those that he was told of."""
    ids = {(entry.channel_name, entry.offset): entry.id for entry in log}
    assert [wrong for account in accounts for wrong in account.wrongs] == []
    for account in accounts:
        wrong = [
            (account.channel, offset)
            for (known, offset), heard in account.heard.items()
            if known != epoch or ids[account.channel, offset] != heard
        ]
        assert wrong == []
        offsets = [offset for _, offset in account.heard]
        holes = sum(later != earlier + 1 for earlier, later in pairwise(offsets))
        assert holes <= account.told_of_loss


def print_figures(scene: Weather, listeners: list[Listener], log: list[Entry]) -> None:
    """What it came to."""
    accounts = [account for listener in listeners for account in listener.accounts.values()]
    print(
        f"\n{len(listeners)} clients, {dict(scene.done)}; {sum(each.connections for each in listeners)} connections, "
        f"{len(log)} messages, {sum(len(each.heard) for each in accounts)} heard, "
        f"{sum(each.replayed for each in accounts)} of them replayed, "
        f"{sum(each.told_of_loss for each in accounts)} times told that something is gone"
    )
