"""What is known of players on a real PostgreSQL: noted in one statement, by two at once, and forgotten in time."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from headwater.apps.scoreboard.fraud import Fraud, rules
from headwater.apps.scoreboard.models.fraud import Attempt, FraudSettings, Sighting, Verdict
from headwater.apps.scoreboard.operations.incidents import Incidents
from headwater.apps.scoreboard.queries import fraud as queries
from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database, WritingTransaction
from headwater.kernel.principal import Principal
from tests.kit.users import add_user

from .memory import Memory

SETTINGS = FraudSettings()
ADD_BOARD = """
insert into scoreboard.boards (name, title, operator, ascending, resets, season_began, created_at)
values ('laps', 'Laps', 'best', true, 'none', $1, $1)
"""
COUNT = "select (select count(*) from scoreboard.behaviours) + (select count(*) from scoreboard.sightings)"

ACTIONS = "select sum(hour_actions) from scoreboard.behaviours"


def attempt(user: Principal, at: datetime, **said: Any) -> Attempt:
    """An attempt of a user."""
    made = Attempt(UUID(user.id), "default", "a", None, 10, "203.0.113.9", None, at, at)
    return msgspec.structs.replace(made, **said)


async def noted(database: Database, made: Attempt) -> Sighting:
    """What is known once an attempt is noted."""
    places = rules.places_of(made)
    sighting, _ = await database.writing(lambda tx: queries.note_attempt(tx, SETTINGS, made, places))
    return sighting


async def judged(database: Database, made: Attempt, settings: FraudSettings = SETTINGS) -> Verdict:
    """What an attempt is judged to be."""
    verdict, _ = await database.writing(lambda tx: Fraud(settings).judge(tx, made))
    return verdict


async def prove_forger(database: Database, user: Principal, at: datetime) -> None:
    """Let a user send three foreign actions."""

    async def note(tx: WritingTransaction) -> None:
        for _ in range(4):
            await Fraud(SETTINGS).note_refusal(tx, attempt(user, at), "foreign")

    await database.writing(note)


async def test_the_statement_knows_what_the_season_knows(
    database: Database, clock: DrivenClock, seeded: random.Random
) -> None:
    """The season is played in memory; here rows and memory are told the same, and know the same."""
    await database.writing(lambda tx: tx.execute(ADD_BOARD, tx.now))
    users = [await add_user(database, f"{number}@example.com") for number in range(5)]
    memory = Memory(SETTINGS)
    at = clock.now()
    for number in range(300):
        waits = [0.0, 5, 40, 600, 3600, 9000, *([90_000, 300_000] if number % 20 == 0 else [])]
        at += timedelta(milliseconds=int(seeded.choice(waits) * seeded.uniform(500, 1500)))
        made = attempt(
            seeded.choice(users),
            at - timedelta(seconds=seeded.choice([0, 0, 0, 2])),
            board=seeded.choice(["default", "laps"]),
            points=seeded.choice([1, 5, 40, 900]),
            address=seeded.choice(["2001:4860::1", "2001:4860::2", "8.8.8.8", "127.0.0.1"]),
            device=seeded.choice([None, "phone", "tablet"]),
        )
        if seeded.random() < 0.1:
            memory.note_refusal(made, "foreign")
            await database.writing(lambda tx, made=made: Fraud(SETTINGS).note_refusal(tx, made, "foreign"))
        expected, found = memory.note(made), await noted(database, made)
        expected = msgspec.structs.replace(expected, ascending=made.board == "laps")
        assert msgspec.to_builtins(rounded(found)) == msgspec.to_builtins(rounded(expected))


def rounded(seen: Sighting) -> Sighting:
    """Halves of powers differ in their last digit."""
    player = msgspec.structs.replace(seen.player, forgeries=round(seen.player.forgeries, 6))
    device = seen.device and msgspec.structs.replace(seen.device, forgeries=0.0)
    return msgspec.structs.replace(seen, player=player, device=device)


async def test_two_at_once_are_both_noted(database: Database, user: Principal, clock: DrivenClock) -> None:
    await asyncio.gather(*(noted(database, attempt(user, clock.now(), device="phone")) for _ in range(12)))

    seen = await noted(database, attempt(user, clock.now(), device="phone"))
    assert seen.device is not None
    assert (seen.player.hour_actions, seen.device.hour_actions, len(seen.player.gaps)) == (13, 13, 12)


async def test_players_who_share_devices_and_addresses_wait_and_never_in_a_ring(
    database: Database, clock: DrivenClock, seeded: random.Random
) -> None:
    """Each transaction lingers with its locks; one that a deadlock ended would be begun again."""
    players = [await add_user(database, f"{number}@example.com") for number in range(6)]
    begun: list[Attempt] = []

    async def act(tx: WritingTransaction, made: Attempt) -> None:
        begun.append(made)
        await Fraud(SETTINGS).judge(tx, made)
        await tx.execute("select pg_sleep(0.002)")

    made = [
        attempt(player, clock.now(), device=seeded.choice(["phone", "tablet"]), address="8.8.8.8", board="default")
        for player in players
        for _ in range(10)
    ]
    seeded.shuffle(made)
    await asyncio.gather(*(database.writing(lambda tx, each=each: act(tx, each)) for each in made))
    assert len(begun) == len(made), "a deadlock"
    assert await database.reading(lambda tx: tx.value(ACTIONS)) == 2 * len(made)


async def test_what_is_undone_was_never_noted(database: Database, user: Principal, clock: DrivenClock) -> None:
    async def fail(tx: WritingTransaction) -> None:
        await Fraud(SETTINGS).judge(tx, attempt(user, tx.now))
        raise LookupError

    with pytest.raises(LookupError):
        await database.writing(fail)
    assert (await noted(database, attempt(user, clock.now()))).player.hour_actions == 1


async def test_a_judgement_is_one_statement_and_a_suspicion_two(
    database: Database, user: Principal, clock: DrivenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    for name in ("rows", "execute", "value", "row"):
        original = getattr(WritingTransaction, name)

        async def counted(tx: WritingTransaction, sql: str, *values: object, original: Any = original) -> Any:
            sent.append(sql)
            return await original(tx, sql, *values)

        monkeypatch.setattr(WritingTransaction, name, counted)
    assert await judged(database, attempt(user, clock.now())) == Verdict()
    assert len(sent) == 1

    await prove_forger(database, user, clock.now())
    sent.clear()
    verdict = await judged(database, attempt(user, clock.now()))
    assert verdict.blocked and [reason.code for reason in verdict.reasons] == ["forgery"]
    assert len(sent) == 2


async def test_shadow_lets_it_count_and_tells(database: Database, user: Principal, clock: DrivenClock) -> None:
    await prove_forger(database, user, clock.now())
    shadow = FraudSettings(mode="shadow")
    verdict = await judged(database, attempt(user, clock.now()), shadow)
    assert verdict.suspicious and not verdict.blocked and Fraud(shadow).watches(verdict)


async def test_off_knows_nothing(database: Database, user: Principal, clock: DrivenClock) -> None:
    off = FraudSettings(mode="off")
    await database.writing(lambda tx: Fraud(off).note_refusal(tx, attempt(user, tx.now), "foreign"))
    assert await judged(database, attempt(user, clock.now()), off) == Verdict()
    assert await database.reading(lambda tx: tx.value(COUNT)) == 0


async def test_norms_are_learnt_from_players_and_not_from_actions(database: Database, clock: DrivenClock) -> None:
    memory = Memory(SETTINGS)
    players = [await add_user(database, f"{number}@example.com") for number in range(SETTINGS.norm_players)]
    for number, player in enumerate(players):
        for nth in range(22 if number == 0 else 3):
            made = attempt(player, clock.now(), points=1000 if number == 0 else 10 + number + nth)
            memory.note(made)
            await noted(database, made)
    last = attempt(players[-1], clock.now(), points=20)
    memory.note(last)
    assert (await noted(database, last)).norm is None
    await database.writing(lambda tx: Incidents(SETTINGS).learn_norms(tx))
    memory.learn_norms()

    expected, found = memory.note(last).norm, (await noted(database, last)).norm
    assert expected is not None and found is not None
    assert (found.middle, found.spread) == (pytest.approx(expected.middle), pytest.approx(expected.spread))


async def test_the_quiet_are_forgotten(
    database: Database, user: Principal, other_user: Principal, clock: DrivenClock
) -> None:
    await noted(database, attempt(user, clock.now(), address="8.8.8.8", device="phone"))
    clock.advance((SETTINGS.keep_days - 1) * 86400)
    await noted(database, attempt(other_user, clock.now(), address="8.8.8.8"))
    clock.advance(2 * 86400)
    await database.writing(lambda tx: Incidents(SETTINGS).remove_old_behaviours(tx))
    assert await database.reading(lambda tx: tx.value(COUNT)) == 2


async def test_devices_are_forgotten_sooner(database: Database, user: Principal, clock: DrivenClock) -> None:
    await noted(database, attempt(user, clock.now(), device="phone"))
    for days, left in ((SETTINGS.keep_device_days - 1, 2), (2, 1)):
        clock.advance(days * 86400)
        await database.writing(lambda tx: Incidents(SETTINGS).remove_old_behaviours(tx))
        assert await database.reading(lambda tx: tx.value("select count(*) from scoreboard.behaviours")) == left


async def test_a_watch_is_begun_beyond_doubt_and_not_by_what_only_a_watch_holds(
    database: Database, user: Principal, clock: DrivenClock
) -> None:
    """One suspicion would feed itself for as long as its player is quick."""
    settings = FraudSettings(rules=("rate",), pace=40, pace_factor=0.1)
    clock.advance(-clock.now().timestamp() % 3600)

    async def plays(actions: int) -> Verdict:
        """The last verdict of so many actions in one hour of the clock, after hours without any."""
        clock.advance(3 * 3600)
        verdict = Verdict()
        for _ in range(actions):
            clock.advance(3500 / actions)
            verdict = await judged(database, attempt(user, clock.now()), settings)
        clock.advance(100)
        return verdict

    verdict = await plays(42)
    assert verdict.stands_alone and not verdict.begins_watch, "it just passes the threshold"
    assert not (await plays(35)).suspicious
    assert (await plays(52)).begins_watch
    began = await database.reading(lambda tx: tx.value("select watched_at from scoreboard.behaviours"))
    for _ in range(2):
        verdict = await plays(35)
        assert verdict.blocked and not verdict.stands_alone, "only because he is watched"
    clock.advance(86400 - (clock.now() - began).total_seconds() - 3 * 3600)
    assert not (await plays(35)).suspicious, "a day after it began, whatever was held meanwhile"


async def test_who_leaves_takes_his_behaviour_along(database: Database, user: Principal, clock: DrivenClock) -> None:
    await noted(database, attempt(user, clock.now(), address="8.8.8.8"))
    await database.writing(lambda tx: tx.execute("delete from auth.users where id = $1", UUID(user.id)))
    assert await database.reading(lambda tx: tx.value(COUNT)) == 0
