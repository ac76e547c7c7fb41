"""What a benchmark promises, how it went, and the exit code that follows."""

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Promise:
    """A measured figure and its bar; `at_most` turns round which side of the bar is good."""

    work: str
    measured: float
    bar: float
    unit: str
    goal: float | None = None
    at_most: bool = False

    def kept(self) -> bool:
        """Whether the figure is on the good side of its bar."""
        return self.measured <= self.bar if self.at_most else self.measured >= self.bar

    def line(self) -> str:
        """The promise as a line of the table."""
        measured = f"{self.measured:.2f} {self.unit}"
        bar = f"{'≤' if self.at_most else '≥'} {self.bar:g} {self.unit}"
        goal = "" if self.goal is None else f"{self.goal:g} {self.unit}"
        return f"{self.work:<50} {measured:>10} {bar:>10} {goal:>8}   {'kept' if self.kept() else 'BROKEN'}"


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the rounds' ratios: neighbours in time share the machine's moods."""
    return median(mine / other for mine, other in zip(ours, theirs, strict=True))


def conclude(title: str, promises: list[Promise]) -> int:
    """Print the promises; 0 when every one is kept, else 1."""
    print(f"\n{title:<50} {'measured':>10} {'bar':>10} {'goal':>8}")
    for promise in promises:
        print(promise.line())
    return 0 if all(promise.kept() for promise in promises) else 1
