"""The health of every part of a running house, asked for together and remembered for a moment."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic

import msgspec

from headwater.kernel.errors import Refusal

_REMEMBERED = 1.0
_PATIENCE = 1.0


class BoundCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A check that can be made: `check()` returns if the part is well and raises if it is not."""

    name: str
    check: Callable[[], Awaitable[object]]
    essential: bool = True
    """Whether the server is not ready without the part."""


class PartHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a part answered: `seconds` it took, the text that its check `told`, the `reason` if it is not well."""

    name: str
    well: bool
    essential: bool
    seconds: float
    reason: str | None = None
    told: str | None = None


class HealthChecks:
    """Every check of this house.

    A report is one second old at most, and however many ask at once, each check runs once; all run together, and one
    that takes longer than a second has failed.
    """

    def __init__(self, checks: Iterable[BoundCheck] = ()) -> None:
        self._checks = list(checks)
        self._report: tuple[PartHealth, ...] = ()
        self._made_at: float | None = None
        self._turn = asyncio.Lock()

    def add(self, check: BoundCheck) -> None:
        """From now on `check` belongs to every report."""
        self._checks.append(check)
        self._made_at = None

    async def report(self) -> tuple[PartHealth, ...]:
        """The health of every part, in the order the checks were added."""
        async with self._turn:
            if self._made_at is None or monotonic() - self._made_at >= _REMEMBERED:
                self._report = tuple(await asyncio.gather(*map(_ask, self._checks)))
                self._made_at = monotonic()
            return self._report


async def _ask(check: BoundCheck) -> PartHealth:
    began = monotonic()
    reason, told = None, None
    try:
        async with asyncio.timeout(_PATIENCE):
            told = await check.check()
    except TimeoutError:
        reason = f"no answer within {_PATIENCE:g} s"
    except Refusal as refusal:
        reason = refusal.message
    except Exception as failure:  # noqa: BLE001 - whatever a part fails with, it is not well
        reason = type(failure).__name__
    return PartHealth(
        name=check.name,
        well=reason is None,
        essential=check.essential,
        seconds=monotonic() - began,
        reason=reason,
        told=told if isinstance(told, str) else None,
    )
