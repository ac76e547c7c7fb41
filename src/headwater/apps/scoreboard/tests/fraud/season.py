"""A season of honest players and cheaters, as people and programs do things; what the detector counts is not used.

People have chronotypes, sittings, tempers, breaks, fatigue and skill. Programs have loops, operators and a purpose.
"""

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from headwater.apps.scoreboard.models.fraud import Attempt, Misdeed

START = datetime(2030, 3, 4, tzinfo=UTC)
DAY, HOUR, MINUTE = 86400.0, 3600.0, 60.0
QUICKEST = 6.0
"""Ten a minute are let through."""
HONEST = "honest"
CHEATERS = ("prober", "metronome", "inflater", "farm", "insomniac", "booster")


class Act(NamedTuple):
    """Something sent: by whom, honest or not, when, and what came of it if it was no action at all."""

    kind: str
    attempt: Attempt
    misdeed: Misdeed | None = None


class Place(NamedTuple):
    """From where somebody plays."""

    address: str
    device: str | None


class Person:
    """Somebody with a body and a temper, drawn once; `acts` plays the season."""

    def __init__(self, dice: random.Random, *, sittings: float, length: float, kind: str = HONEST) -> None:
        self.kind = kind
        self.dice = dice
        self.id = UUID(int=dice.getrandbits(128), version=4)
        self.wakes = dice.gauss(7.5, 1.2) * HOUR
        self.sleeps = dice.uniform(6.3, 9.0) * HOUR
        self.sittings = sittings * dice.lognormvariate(0, 0.3)
        self.length = length
        self.tempo = dice.lognormvariate(3.1, 0.35)
        self.unevenness = dice.uniform(0.5, 1.0)
        self.skill = dice.lognormvariate(3.6, 0.5)
        self.places = [Place(_address(dice), _device(dice))]
        self.joins = 0.0

    def acts(self, days: int) -> Iterator[Act]:
        """Everything this person sends, in order."""
        free = 0.0
        for day in range(int(self.joins), days):
            bedtime = min(self.bedtime(day), days * DAY)
            for begins in sorted(self.begins(day)):
                for at in self.sitting(max(begins, free)):
                    if at > bedtime:
                        break
                    yield from self.sent(at)
                    free = at + QUICKEST

    def bedtime(self, day: int) -> float:
        """When even the best sitting ends."""
        return day * DAY + self.wakes + DAY - self.sleeps + self.dice.gauss(0, 0.7) * HOUR

    def begins(self, day: int) -> list[float]:
        """When the sittings of a day begin: some in the day, most of them in the evening."""
        wakes = day * DAY + self.wakes + self.dice.gauss(0, 0.7) * HOUR
        awake = DAY - self.sleeps
        count = _poisson(self.dice, self.sittings * self.dice.choice((0.5, 1, 1, 1.6)))
        return [wakes + awake * self.dice.betavariate(2.2, 1.5) * 0.97 for _ in range(count)]

    def sitting(self, at: float) -> Iterator[float]:
        """The moments of one sitting: thinking, bursts when it goes well, breaks, and a mind that tires."""
        count = 1 + int(self.dice.expovariate(1 / self.length))
        slower = 1.0
        hurried = 0
        for _ in range(count):
            yield at
            hurried = self.dice.randint(3, 9) if self.dice.random() < 0.03 else hurried - 1
            pause = self.dice.lognormvariate(0, self.unevenness) * self.tempo * slower
            pause = pause / 3 if hurried > 0 else pause
            pause += self.dice.uniform(1, 12) * MINUTE if self.dice.random() < 0.02 else 0
            at += QUICKEST + pause
            slower *= 1.002

    def sent(self, at: float) -> Iterator[Act]:
        """One action; now and then the line drops and the client sends it twice, or the phone slept too long."""
        attempt = self.attempt(at, self.points(at))
        luck = self.dice.random()
        if luck < 0.003:
            yield Act(self.kind, attempt, "expired")
        else:
            yield Act(self.kind, attempt)
            if luck > 0.995:
                yield Act(self.kind, attempt, "replayed")
            elif luck > 0.99495:
                yield Act(self.kind, attempt, "foreign")

    def points(self, at: float) -> int:
        """A matter of skill, which grows, and of luck."""
        grown = 1 + 0.3 * at / (28 * DAY)
        return max(1, min(1000, round(self.skill * grown * self.dice.lognormvariate(0, 0.6))))

    def attempt(self, at: float, points: int) -> Attempt:
        """An attempt of this person, from one of his places."""
        place = self.places[int(at / HOUR * 0.7) % len(self.places)]
        moment = START + timedelta(milliseconds=int(at * 1000))
        return Attempt(self.id, "default", "", None, points, place.address, place.device, moment, moment)


class Streaker(Person):
    """Plays for hours on a free day, and quickly."""

    def begins(self, day: int) -> list[float]:
        self.length = 250 if day % 7 > 4 or self.dice.random() < 0.1 else 15
        return super().begins(day)


class Binger(Person):
    """Plays through one night of the season, and sleeps after it."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__(dice, sittings=2, length=15)
        self.night = dice.randrange(5, 25)

    def begins(self, day: int) -> list[float]:
        if day == self.night:
            return [day * DAY + self.wakes + hour * HOUR + self.dice.uniform(0, HOUR) for hour in range(2, 25)]
        return [] if day == self.night + 1 else super().begins(day)

    def bedtime(self, day: int) -> float:
        return super().bedtime(day) + (6 * HOUR if day == self.night else 0)


class ShiftWorker(Person):
    """Sleeps at another time each week."""

    def begins(self, day: int) -> list[float]:
        return [at + self._turned(day) for at in super().begins(day)]

    def bedtime(self, day: int) -> float:
        return super().bedtime(day) + self._turned(day)

    def _turned(self, day: int) -> float:
        return day // 7 % 3 * 8 * HOUR


class Parent(Person):
    """Is up twice a night with a child, and looks in for a moment."""

    def begins(self, day: int) -> list[float]:
        night = [day * DAY + hour * HOUR + self.dice.gauss(0, 0.5) * HOUR for hour in (1.5, 4.5)]
        return [*super().begins(day), *(at for at in night if at > 0 and self.dice.random() < 0.7)]

    def bedtime(self, day: int) -> float:
        return super().bedtime(day) + 0.5 * HOUR


class Prober(Person):
    """Plays like anybody, and between sittings finds out what he can send twice, or sign himself."""

    def sitting(self, at: float) -> Iterator[float]:
        self.tries = 0
        yield from super().sitting(at)

    def sent(self, at: float) -> Iterator[Act]:
        attempt = self.attempt(at, self.points(at))
        yield Act(self.kind, attempt)
        if self.dice.random() < 0.25:
            misdeed: Misdeed = "foreign" if self.dice.random() < 0.4 else "replayed"
            for _ in range(self.dice.randint(2, 12)):
                yield Act(self.kind, attempt, misdeed)


class Metronome(Person):
    """A loop with a random wait that its operator starts in the morning and stops before he sleeps."""

    def begins(self, day: int) -> list[float]:
        self.period = self.dice.uniform(26, 60)
        return [day * DAY + self.wakes + part * 4.5 * HOUR for part in range(3)]

    def sitting(self, at: float) -> Iterator[float]:
        ends = at + self.dice.uniform(1, 4) * HOUR
        while at < ends:
            yield at
            at += self.period * self.dice.uniform(0.7, 1.3)
            at += self.dice.uniform(5, 20) * MINUTE if self.dice.random() < 0.005 else 0


class Inflater(Person):
    """Plays like anybody and asks for what the ceiling allows."""

    def points(self, at: float) -> int:
        return self.dice.randint(450, 1000)


class Insomniac(Person):
    """A slow program that never sleeps, with the pauses of a person."""

    def begins(self, day: int) -> list[float]:
        return [day * DAY]

    def bedtime(self, day: int) -> float:
        return (day + 1) * DAY

    def sitting(self, at: float) -> Iterator[float]:
        ends = at + DAY - 20 * MINUTE
        while at < ends:
            yield at
            at += QUICKEST + self.dice.lognormvariate(0, 0.9) * 8 * MINUTE


class Booster(Person):
    """An account that was somebody's own, until a stranger plays it all day for money."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__(dice, sittings=2, length=14)
        self.sold = dice.randrange(9, 13)

    def acts(self, days: int) -> Iterator[Act]:
        for act in super().acts(days):
            kind = "booster" if act.attempt.at >= START + timedelta(days=self.sold) else HONEST
            yield act._replace(kind=kind)

    def begins(self, day: int) -> list[float]:
        if day < self.sold:
            return super().begins(day)
        return [day * DAY + self.wakes + part * 5 * HOUR for part in range(3)]

    def sitting(self, at: float) -> Iterator[float]:
        if at < self.sold * DAY:
            yield from super().sitting(at)
            return
        ends = at + self.dice.uniform(1.5, 3.5) * HOUR
        while at < ends:
            yield at
            at += QUICKEST + self.dice.expovariate(1 / 6)


def farm(dice: random.Random, size: int) -> list[Person]:
    """Accounts of one operator, who goes through them; on one phone, or by a script that calls no device its own."""
    place = Place(_address(dice), dice.choice((_device(dice), None)))
    accounts = [Person(dice, sittings=1.3, length=10, kind="farm") for _ in range(size)]
    for account in accounts:
        account.places = [place]
        account.wakes, account.sleeps = accounts[0].wakes, accounts[0].sleeps
    return accounts


def honest(dice: random.Random, count: int) -> list[Person]:
    """People of many habits."""
    people: list[Person] = []
    while len(people) < count:
        people += [
            *(Person(dice, sittings=0.6, length=8) for _ in range(5)),
            *(Person(dice, sittings=2, length=14) for _ in range(5)),
            Streaker(dice, sittings=1.5, length=15),
            Binger(dice),
            ShiftWorker(dice, sittings=2, length=14),
            Parent(dice, sittings=2, length=8),
            _owl(dice),
            *_family(dice),
            *_commuters(dice),
        ]
    people += _school(dice, max(12, count // 20))
    for person in people:
        person.joins = dice.choice((0, 0, 0, dice.randrange(20)))
    return people


def cheaters(dice: random.Random, count: int, kind: str | None = None) -> list[Person]:
    """So many cheaters of each kind, or of one; a farm is one cheater with many accounts."""
    made: dict[str, list[Person]] = {
        "prober": [Prober(dice, sittings=2, length=14, kind="prober") for _ in range(count)],
        "metronome": [Metronome(dice, sittings=0, length=0, kind="metronome") for _ in range(count)],
        "inflater": [Inflater(dice, sittings=2, length=14, kind="inflater") for _ in range(count)],
        "farm": [account for _ in range(max(1, count // 4)) for account in farm(dice, dice.randint(20, 40))],
        "insomniac": [Insomniac(dice, sittings=0, length=0, kind="insomniac") for _ in range(count)],
        "booster": [Booster(dice) for _ in range(count)],
    }
    return [person for name, people in made.items() if kind in (None, name) for person in people]


def season(people: list[Person], days: int = 28) -> list[Act]:
    """Everything that is sent in a season, as it comes in."""
    acts = itertools.chain.from_iterable(person.acts(days) for person in people)
    return sorted(acts, key=lambda act: act.attempt.at)


def _owl(dice: random.Random) -> Person:
    owl = Person(dice, sittings=3, length=20)
    owl.wakes = 14 * HOUR
    return owl


def _family(dice: random.Random) -> list[Person]:
    """One address, one tablet, and a phone for those who are old enough."""
    address, tablet = _address(dice), _device(dice)
    members = [Person(dice, sittings=1.2, length=10) for _ in range(dice.randint(3, 5))]
    for member in members:
        own = [Place(address, _device(dice))] if dice.random() < 0.5 else []
        member.places = [Place(address, tablet), *own]
    return members


def _commuters(dice: random.Random) -> list[Person]:
    """Phones whose address is another one all the time; a carrier has few of them for all its customers."""
    people = [Person(dice, sittings=2.5, length=8) for _ in range(3)]
    for person in people:
        phone = _device(dice)
        person.places = [Place(f"100.128.0.{dice.randrange(1, 9)}", phone) for _ in range(6)]
    return people


def _school(dice: random.Random, size: int) -> list[Person]:
    """Many behind one address, each with a laptop, and a few old ones that are shared."""
    address = _address(dice)
    shared = [_device(dice) for _ in range(6)]
    pupils = [Person(dice, sittings=1, length=6) for _ in range(size)]
    for number, pupil in enumerate(pupils):
        at_school = Place(address, shared[number % 6] if number < 14 else _device(dice))
        pupil.places = [at_school, pupil.places[0]]
    return pupils


def _address(dice: random.Random) -> str:
    return f"{dice.randrange(20, 90)}.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(1, 255)}"


def _device(dice: random.Random) -> str:
    return f"{dice.getrandbits(64):016x}"


def _poisson(dice: random.Random, mean: float) -> int:
    count, waited = 0, dice.expovariate(1)
    while waited < mean:
        count, waited = count + 1, waited + dice.expovariate(1)
    return count
