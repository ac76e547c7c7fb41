"""What the behaviour tables know, in memory: what one statement does to rows, done to dicts.

`test_fraud.py` holds the two against each other.
"""

import math
import statistics
from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from headwater.apps.scoreboard.fraud import rules
from headwater.apps.scoreboard.models.fraud import Attempt, Behaviour, FraudSettings, Misdeed, Norm, Sighting, Verdict
from headwater.apps.scoreboard.queries.fraud import CROWD, GAPS, PACES, POINTS, subject_of

_EPOCH_HOUR = timedelta(hours=1)


class _Row(msgspec.Struct):
    hour: datetime
    latest_at: datetime
    gaps: list[int] = []
    points: list[int] = []
    kinds: list[int] = []
    paces: list[int] = []
    hour_actions: int = 0
    hour_before: int = 0
    active_hours: int = 0
    forgeries: float = 0.0
    forged_at: datetime | None = None
    held_at: datetime | None = None
    watched_at: datetime | None = None


class Memory:
    """Behaviour, sightings and norms of one season."""

    def __init__(self, settings: FraudSettings) -> None:
        self.settings = settings
        self._rows: dict[str, _Row] = {}
        self._places: defaultdict[tuple[str, str], dict[UUID, tuple[datetime, str | None]]] = defaultdict(dict)
        self._norms: dict[int, Norm] = {}

    def judge(self, attempt: Attempt) -> Verdict:
        """What `Fraud.judge` does."""
        verdict = rules.judged(self.settings, self.note(attempt), attempt)
        if verdict.stands_alone:
            row = self._rows[subject_of(attempt.user_id)]
            row.held_at = attempt.at
            row.watched_at = attempt.at if verdict.begins_watch else row.watched_at
        return verdict

    def note(self, attempt: Attempt) -> Sighting:
        """What the statement `NOTE` does."""
        player = self._noted(subject_of(attempt.user_id), attempt)
        device = None if attempt.device is None else self._noted(f"device:{attempt.device}", attempt)
        others: list[tuple[str, str | None]] = []
        since = attempt.at - timedelta(hours=self.settings.crowd_hours)
        for place in rules.places_of(attempt):
            there = self._places[place, attempt.board]
            lately = [(at, d) for who, (at, d) in there.items() if at > since and who != attempt.user_id]
            if len(lately) > CROWD:
                lately = sorted(lately, key=lambda each: each[0], reverse=True)[:CROWD]
            others += [(place.partition(":")[0], d) for _, d in lately]
            known = there.get(attempt.user_id)
            if known is None or known[0] <= attempt.at - _EPOCH_HOUR or known[1] != attempt.device:
                there[attempt.user_id] = (attempt.at, attempt.device)
        return Sighting(
            player=player,
            device=device,
            norm=self._norms.get(attempt.kind),
            device_players=sum(kind == "device" for kind, _ in others),
            address_players=sum(kind == "address" for kind, _ in others),
            address_devices=len({d for kind, d in others if kind == "address" and d is not None}),
        )

    def note_refusal(self, attempt: Attempt, kind: Misdeed) -> None:
        """What `Fraud.note_refusal` does."""
        hour = attempt.at.replace(minute=0, second=0, microsecond=0)
        row = self._rows.setdefault(subject_of(attempt.user_id), _Row(hour=hour, latest_at=attempt.at))
        row.forgeries = self._forgeries(row, attempt.at) + rules.MISDEEDS[kind]
        row.forged_at = max(row.forged_at or attempt.at, attempt.at)

    def learn_norms(self) -> None:
        """What the statement `LEARN_NORMS` does."""
        middles: defaultdict[int, list[float]] = defaultdict(list)
        for subject, row in self._rows.items():
            kinds: defaultdict[int, list[float]] = defaultdict(list)
            for points, kind in zip(row.points, row.kinds, strict=True):
                kinds[kind].append(math.log(max(points, 1)))
            if subject.startswith("user:"):
                for kind, logs in kinds.items():
                    if len(logs) >= 3:
                        middles[kind].append(statistics.median(logs))
        for kind, found in middles.items():
            if len(found) >= self.settings.norm_players:
                low, middle, high = statistics.quantiles(found, n=4, method="inclusive")
                self._norms[kind] = Norm(middle, (high - low) / 1.349)

    def _noted(self, subject: str, attempt: Attempt) -> Behaviour:
        hour = attempt.at.replace(minute=0, second=0, microsecond=0)
        row = self._rows.get(subject)
        if row is None:
            row = self._rows[subject] = _Row(hour=hour, latest_at=attempt.at)
        later = (hour - row.hour) // _EPOCH_HOUR
        if row.active_hours:
            gap = (attempt.at - row.latest_at) // timedelta(milliseconds=1)
            row.gaps = [*row.gaps, min(max(gap, 0), 2**31 - 1)][-GAPS:]
        row.points = [*row.points, attempt.points][-POINTS:]
        row.kinds = [*row.kinds, attempt.kind][-POINTS:]
        if later > 0:
            if row.hour_actions and (row.held_at is None or row.held_at <= row.hour - timedelta(days=1)):
                row.paces = [*row.paces, row.hour_actions][-PACES:]
            row.hour_before = row.hour_actions if later == 1 else 0
            row.hour_actions = 0
            row.active_hours = 0 if later >= 63 else (row.active_hours << later) & (2**63 - 1)
            row.hour = hour
        row.hour_actions += 1
        row.active_hours |= 1
        row.latest_at = max(row.latest_at, attempt.at)
        return Behaviour(
            subject=subject,
            gaps=row.gaps,
            points=row.points,
            kinds=row.kinds,
            paces=row.paces,
            hour=row.hour,
            hour_actions=row.hour_actions,
            hour_before=row.hour_before,
            active_hours=row.active_hours,
            forgeries=self._forgeries(row, attempt.at),
            watched_at=row.watched_at,
            trusted_until=None,
        )

    def _forgeries(self, row: _Row, at: datetime) -> float:
        if row.forged_at is None:
            return 0.0
        age = max((at - row.forged_at).total_seconds() / 3600, 0.0)
        return row.forgeries * 0.5 ** (age / self.settings.forgery_hours)
