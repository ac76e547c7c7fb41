"""When an action looks wrong: each rule alone, then all together."""

import ipaddress
import math
import operator
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec

from headwater.apps.scoreboard.models import (
    Attempt,
    Behaviour,
    FraudSettings,
    Misdeed,
    Reason,
    Rule,
    Sighting,
    Verdict,
)

MISDEEDS: dict[Misdeed, float] = {"foreign": 1.0, "replayed": 0.1, "expired": 0.02}
"""A lost answer makes honest clients send twice, and a phone that slept makes them late; nobody signs by mistake."""
_HOUR = 3600.0
_LONGEST_PAUSE = 15 * 60_000
_FEWEST_GAPS = 32
_FEWEST_PACES = 8
_NEWCOMERS_PACE = 100
_FEWEST_POINTS = 6
_NARROWEST_NORM = 0.35
_AWAKE_SHARE = 0.6
_SHIFTS = 4
_FAINT = 0.7
_WATCH = timedelta(hours=24)
_WATCHED = 1.4
"""Who was wrong beyond doubt within a day is too quick so much sooner: a new sitting is no clean sheet.

A suspicion must not live on itself. What looks wrong only because its player is watched is held and begins no new day;
and what just passes a threshold begins none either: quick people do that on a free afternoon, and machines do not stop
there.
"""


def judged(settings: FraudSettings, seen: Sighting, attempt: Attempt) -> Verdict:
    """How wrong an attempt looks by the rules that are on.

    Rules are taken as independent: their weights are the chances that each is right, and the score is the chance that
    any of them is. A player who is trusted is told of and not suspected.
    """
    verdict = _judged(settings, seen, attempt)
    if not verdict.suspicious:
        return verdict
    alone = verdict
    if seen.player.watched_at is not None:
        unwatched = msgspec.structs.replace(seen.player, watched_at=None)
        alone = _judged(settings, msgspec.structs.replace(seen, player=unwatched), attempt)
    beyond_doubt = alone.suspicious and alone.score >= (1 + settings.block_at) / 2
    return msgspec.structs.replace(verdict, stands_alone=alone.suspicious, begins_watch=beyond_doubt)


def _judged(settings: FraudSettings, seen: Sighting, attempt: Attempt) -> Verdict:
    reasons: list[Reason] = []
    innocent = 1.0
    for code in settings.rules:
        ratio, sentence = RULES[code](settings, seen, attempt)
        if ratio > _FAINT:
            weight = _weight(ratio, settings.block_at)
            innocent *= 1 - weight
            reasons.append(Reason(code, sentence, round(weight, 3)))
    if not reasons:
        return _NOTHING
    score = 1 - innocent
    trusted = seen.player.trusted_until is not None and seen.player.trusted_until > attempt.at
    suspicious = score >= settings.block_at - 1e-9 and not trusted
    return Verdict(round(score, 3), tuple(reasons), suspicious, suspicious and settings.mode == "block")


def places_of(attempt: Attempt) -> list[str]:
    """Where an attempt comes from: its device, and its address unless that says nothing.

    An IPv6 customer has a whole /64; loopback and private addresses are those of a proxy or of the house itself.
    """
    places = [] if attempt.device is None else [f"device:{attempt.device}"]
    if (network := _network(attempt.address)) is not None:
        places.append(f"address:{network}")
    return places


@lru_cache(4096)
def _network(address: str) -> str | None:
    """The customer behind an address; None where it names no customer."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if parsed.is_private:
        return None
    return str(ipaddress.ip_network((parsed, 64 if parsed.version == 6 else 32), strict=False).network_address)


_Found = tuple[float, str]
"""The evidence as a multiple of the threshold, and a sentence that gives its figures."""
_NOTHING = Verdict()
_CLEAN: _Found = (0.0, "")


def _weight(ratio: float, at_threshold: float) -> float:
    """Nothing below the faint, `at_threshold` at the threshold, certainty at one and a half times that."""
    if ratio >= 1:
        return min(1.0, at_threshold + (1 - at_threshold) * (ratio - 1) * 2)
    return at_threshold * (ratio - _FAINT) / (1 - _FAINT)


def _rate(settings: FraudSettings, seen: Sighting, attempt: Attempt) -> _Found:
    """More in an hour than this player's own hours ever had."""
    player = seen.player
    pace = _pace(player, attempt.at)
    if pace <= settings.pace * _FAINT:
        return _CLEAN
    known = len(player.paces) >= _FEWEST_PACES
    usual = sorted(player.paces)[len(player.paces) * 3 // 4] if known else _NEWCOMERS_PACE
    limit = max(settings.pace, settings.pace_factor * usual)
    if player.watched_at is not None and attempt.at - player.watched_at < _WATCH:
        limit /= _WATCHED
    return pace / limit, f"{pace:.0f} actions within an hour, where {usual} are usual and {limit:.0f} would be a lot"


def _pace(player: Behaviour, now: datetime) -> float:
    """Actions in the hour up to now: those of the clock's hour, and the share of the one before that is left."""
    gone = min(max((now - player.hour).total_seconds() / _HOUR, 0.0), 1.0)
    return player.hour_actions + player.hour_before * (1 - gone)


def _points(settings: FraudSettings, seen: Sighting, attempt: Attempt) -> _Found:
    """Points that the others do not make, action after action."""
    if seen.norm is None:
        return _CLEAN
    kind = attempt.kind
    mine = sorted(points for points, k in zip(seen.player.points, seen.player.kinds, strict=True) if k == kind)
    if len(mine) < _FEWEST_POINTS:
        return _CLEAN
    middle = mine[len(mine) // 2]
    distance = logarithm(middle) - seen.norm.middle
    spread = max(seen.norm.spread, _NARROWEST_NORM)
    ratio = (-distance if seen.ascending else distance) / (settings.points_distance * spread)
    return ratio, f"about {middle} points each time, where others make {math.exp(seen.norm.middle):.0f}"


def logarithm(points: int) -> float:
    """Of points; what is less than one counts as one."""
    return math.log(max(points, 1))


def _regular(settings: FraudSettings, seen: Sighting, _attempt: Attempt) -> _Found:
    """Pauses as even as a machine's, of the player or of the device that several players share."""
    found = _CLEAN
    shared = seen.device if seen.device_players else None
    for behaviour in (seen.player, shared):
        if behaviour is not None and len(behaviour.gaps) >= _FEWEST_GAPS:
            spread = _spread(behaviour.gaps)
            if spread is not None and (ratio := settings.regular_spread / max(spread, 0.01)) > found[0]:
                found = ratio, f"pauses of {behaviour.subject} differ by {spread:.0%}, where people's differ by half"
    return found


def _spread(gaps: Sequence[int]) -> float | None:
    """Standard deviation of the logarithms of the pauses within a sitting; None where there are too few.

    The tenth of them that is shortest and the tenth that is longest are left out, so that a machine hides behind no
    few odd ones.
    """
    within = sorted(gaps)
    del within[bisect_right(within, _LONGEST_PAUSE) :]
    tenth = len(within) // 10
    kept = list(map(math.log1p, within[tenth : len(within) - tenth]))
    if len(kept) < _FEWEST_GAPS * 3 // 4:
        return None
    mean = sum(kept) / len(kept)
    variance = sum(map(operator.mul, kept, kept)) / len(kept) - mean * mean
    # 0.66 of a normal distribution's deviation is left once its outer tenths are gone
    return math.sqrt(max(variance, 0.0)) / 0.66


def _sleepless(settings: FraudSettings, seen: Sighting, _attempt: Attempt) -> _Found:
    """No rest in more than a day, of the player or of a device that a few share by turns."""
    hours = _hours_awake(seen.player.active_hours, settings.rest_hours)
    subject = seen.player.subject
    if seen.device is not None and 0 < seen.device_players < _SHIFTS:
        there = _hours_awake(seen.device.active_hours, settings.rest_hours)
        if there > hours:
            hours, subject = there, seen.device.subject
    return hours / settings.awake_hours, f"{subject} has acted for {hours} hours without {settings.rest_hours} of rest"


def _hours_awake(active: int, rest: int) -> int:
    """Hours since the last rest; 0 where most of them had no action, so that nothing speaks of being awake."""
    if not active:
        return 0
    quiet = hours = 0
    latest = active.bit_length() - 1
    for hour in range(latest + 1):
        quiet = 0 if active >> hour & 1 else quiet + 1
        if quiet == rest:
            hours = hour + 1 - rest
            break
    else:
        hours = latest + 1
    acted = (active & ((1 << hours) - 1)).bit_count()
    return hours if acted >= _AWAKE_SHARE * hours else 0


def _crowd(settings: FraudSettings, seen: Sighting, attempt: Attempt) -> _Found:
    """Too many players of one board on one device, or behind one address without devices of their own."""
    on_device = seen.device_players + 1
    if attempt.device is not None and on_device > settings.device_accounts * _FAINT:
        return on_device / (settings.device_accounts + 1), f"{on_device} players on one device"
    if attempt.device is not None and on_device == 1:
        return _CLEAN
    homeless = seen.address_players - seen.address_devices + 1
    ratio = homeless / (settings.address_accounts + 1)
    return ratio, f"{homeless} players behind one address without a device of their own"


def _forgery(settings: FraudSettings, seen: Sighting, _attempt: Attempt) -> _Found:
    """Actions that were spent, another's, or nobody's."""
    count = seen.player.forgeries
    return count / settings.forgeries, f"lately sent what was forged, another's or spent: {count:.1f}"


RULES: dict[Rule, Callable[[FraudSettings, Sighting, Attempt], _Found]] = {
    "rate": _rate,
    "points": _points,
    "regular": _regular,
    "sleepless": _sleepless,
    "crowd": _crowd,
    "forgery": _forgery,
}
