"""A season of honest people and six kinds of cheaters: who is kept out, who is left alone, what each rule is for."""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

import msgspec
import pytest

from headwater.apps.scoreboard.models.fraud import FraudSettings, Rule

from .memory import Memory
from .season import CHEATERS, HONEST, Act, cheaters, honest, season

WHOLE, PART = (300, 10, 28), (200, 3, 21)
"""Honest people, cheaters of each kind, days. Of fewer, one player decides."""
SEASONS = 8
CAUGHT_BY: dict[Rule, str] = dict(
    zip(("forgery", "regular", "points", "crowd", "sleepless", "rate"), CHEATERS, strict=True)
)
LAX: dict[Rule, dict[str, float]] = {
    "rate": {"pace": 600},
    "points": {"points_distance": 16.0},
    "regular": {"regular_spread": 0.07},
    "sleepless": {"rest_hours": 1, "awake_hours": 60},
    "crowd": {"device_accounts": 60, "address_accounts": 60},
    "forgery": {"forgeries": 600.0},
}
STRICT: dict[Rule, dict[str, float]] = {
    "rate": {"pace": 20, "pace_factor": 0.5},
    "points": {"points_distance": 0.5},
    "regular": {"regular_spread": 0.9},
    "sleepless": {"awake_hours": 8},
    "crowd": {"device_accounts": 1, "address_accounts": 1},
    "forgery": {"forgeries": 0.1},
}


class Outcome(NamedTuple):
    """Shares of the cheaters' points, of each kind's, and of honest actions, that were blocked."""

    of_cheaters: float
    of_kind: dict[str, float]
    of_honest: float
    actions: int


def played(acts: Iterable[Act], settings: FraudSettings) -> Outcome:
    """Judge a season as it comes in; norms are learnt four times a day."""
    memory = Memory(settings)
    sent: Counter[str] = Counter()
    blocked: Counter[str] = Counter()
    learnt = None
    actions = 0
    for kind, attempt, misdeed in acts:
        if misdeed is not None:
            memory.note_refusal(attempt, misdeed)
            continue
        if (quarter := (attempt.at.date(), attempt.at.hour // 6)) != learnt:
            memory.learn_norms()
            learnt = quarter
        actions += 1
        weight = 1 if kind == HONEST else attempt.points
        sent[kind] += weight
        blocked[kind] += weight if memory.judge(attempt).blocked else 0
    shares = {kind: blocked[kind] / sent[kind] for kind in sent}
    cheated = sum(sent[kind] for kind in CHEATERS)
    return Outcome(
        sum(blocked[kind] for kind in CHEATERS) / cheated if cheated else 0.0, shares, shares.get(HONEST, 0.0), actions
    )


@cache
def alone(kind: str) -> list[Act]:
    """A season of one kind of cheater; inflaters only show beside others."""
    dice = random.Random(7)
    people = honest(dice, 10) if kind == "inflater" else []
    return season(people + cheaters(dice, 1, kind), days=14)


@cache
def among_themselves() -> list[Act]:
    """A fortnight of honest people."""
    return season(honest(random.Random(8), 10), days=14)


def test_a_season(seeded: random.Random, scaled: Callable[[int], int]) -> None:
    """Cheaters of every kind among people of many habits; under torture eight seasons, each of them whole.

    Nothing was tuned on these seeds. In a part the first actions of a cheater, when nobody knows him, weigh more.
    """
    seasons = scaled(SEASONS)
    people, each, days = WHOLE if seasons == SEASONS else PART
    for seed in (seeded.getrandbits(32) for _ in range(seasons)):
        dice = random.Random(seed)
        outcome = played(season(honest(dice, people) + cheaters(dice, each), days), FraudSettings())
        sys.stdout.write(f"seed {seed}: {outcome}\n")
        assert outcome.of_cheaters >= 0.95, outcome
        assert min(outcome.of_kind[kind] for kind in CHEATERS) >= (0.95 if people == WHOLE[0] else 0.9), outcome
        assert outcome.of_honest <= 0.005, outcome


@pytest.mark.parametrize(("rule", "kind"), CAUGHT_BY.items())
def test_each_rule_is_needed(rule: Rule, kind: str) -> None:
    """Without its rule, or with that too lax, its kind of cheater gets through."""
    assert played(alone(kind), FraudSettings()).of_kind[kind] > 0.7
    others: tuple[Rule, ...] = tuple(each for each in CAUGHT_BY if each != rule)
    assert played(alone(kind), FraudSettings(rules=others)).of_kind[kind] < 0.5
    lax = msgspec.structs.replace(FraudSettings(), **LAX[rule])
    assert played(alone(kind), lax).of_kind[kind] < 0.5


@pytest.mark.parametrize("rule", CAUGHT_BY)
def test_a_rule_that_is_too_strict_hurts_the_honest(rule: Rule) -> None:
    strict = msgspec.structs.replace(FraudSettings(rules=(rule,)), **STRICT[rule])
    assert played(among_themselves(), strict).of_honest > 0.005
