"""Servers asked the same thing in turns: a duel, so that every ratio comes from one run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import cast

from bench.kit.load import Ask, burst, prepare
from bench.kit.servers import Server, ask

ROUNDS = 15
ROUND_SECONDS = 1
WARM_UP_SECONDS = 2
MOST_WAITING = 0.15


@dataclass
class Tally:
    """One contestant's rounds at one kind of work."""

    per_second: list[float] = field(default_factory=list[float])
    latency: list[float] = field(default_factory=list[float])
    processor_us: list[float] = field(default_factory=list[float])
    waiting: list[float] = field(default_factory=list[float])


@dataclass(frozen=True)
class Contestant:
    """A server and its own spelling of the work."""

    name: str
    server: Server
    asks: list[Ask]


def must_agree(contestants: Sequence[Contestant]) -> None:
    """End the benchmark unless all answer the same; what differs by nature (times, new ids) is left out."""
    answers = [_comparable(contestant) for contestant in contestants]
    for contestant, answer in zip(contestants, answers, strict=True):
        if not answer or answer != answers[0]:
            raise SystemExit(f"{contestant.name} answers {answer}, and {contestants[0].name} {answers[0]}")


def _comparable(contestant: Contestant) -> list[dict[str, object]]:
    first = contestant.asks[0]
    answer = ask(contestant.server.url + first.path, json.loads(first.body) if first.body else None, first.token)
    differing = {"created_at", "id"} if first.body else {"created_at"}
    rows = cast("list[dict[str, object]]", answer if isinstance(answer, list) else [answer])
    return [{column: value for column, value in row.items() if column not in differing} for row in rows]


def duel(
    work: str, contestants: Sequence[Contestant], folder: Path, rounds: int = ROUNDS, seconds: int = ROUND_SECONDS
) -> Mapping[str, list[float]]:
    """Warm each one up, then ask them in turns; prints medians, answers each one's requests per second by round.

    A round must be long beside an answer: what is under way at its end does not count.
    """
    tallies = {contestant.name: Tally() for contestant in contestants}
    prepared = {contestant.name: prepare(contestant.asks, folder) for contestant in contestants}
    for contestant in contestants:
        burst(contestant.server.url, prepared[contestant.name], max(WARM_UP_SECONDS, seconds))
    for _ in range(rounds):
        for contestant in contestants:
            used, waited = contestant.server.processor_seconds(), contestant.server.seconds_waiting()
            seen = burst(contestant.server.url, prepared[contestant.name], seconds)
            used = contestant.server.processor_seconds() - used
            tally = tallies[contestant.name]
            tally.per_second.append(seen.per_second)
            tally.latency.append(seen.median)
            tally.processor_us.append(used * 1e6 / (seen.per_second * seconds))
            tally.waiting.append((contestant.server.seconds_waiting() - waited) / seconds)
    _tell(work, tallies)
    return {name: tally.per_second for name, tally in tallies.items()}


def _tell(work: str, tallies: Mapping[str, Tally]) -> None:
    print(f"\n{work:<46} {'per second':>10} {'median ms':>10} {'server µs':>10} {'waited':>7}")
    for name, tally in tallies.items():
        figures = (
            f"{median(tally.per_second):>10,.0f} {median(tally.latency):>10.2f} {median(tally.processor_us):>10.0f}"
        )
        print(f"  {name:<44} {figures} {median(tally.waiting):>7.0%}", flush=True)
    if max(median(tally.waiting) for tally in tallies.values()) > MOST_WAITING:
        print("  Others used the servers' core: compare the server µs, and measure again on a quiet machine.")
