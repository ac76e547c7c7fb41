"""What holds ranks ready, here or in Redis, and where it reads the rows."""

from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from headwater.apps.scoreboard.models.ranks import Change, Comparison, LiveSeason, Standing


class NotHeld(Exception):
    """This season is not held ready: ask the rows."""


class Rows(msgspec.Struct, frozen=True):
    """The rows of a season that runs; each call of `chunks` reads them on a snapshot that is taken at its first."""

    season: LiveSeason
    chunks: Callable[[], AsyncGenerator[list[bytes]]]


class Held(Protocol):
    """Ranks that are held ready; every question raises `NotHeld` for another season than the one held."""

    async def apply(self, change: Change) -> None:
        """Let an entry be as `change` says, if nothing newer is known; of a board not held, nothing."""
        ...

    async def begin_season(self, board: str, season: int) -> None:
        """Begin with no entries, if the season is newer."""
        ...

    async def drop(self, board: str) -> None:
        """Hold this board no longer."""
        ...

    async def rank(self, board: str, season: int, user_id: UUID) -> int | None:
        """See `Ranks.rank`."""
        ...

    async def rank_with(self, board: str, season: int, user_id: UUID, standing: int, reached_at: datetime) -> int:
        """See `Ranks.rank_with`."""
        ...

    async def count(self, board: str, season: int) -> int:
        """See `Ranks.count`."""
        ...

    async def page(self, board: str, season: int, offset: int, limit: int) -> list[Standing]:
        """See `Ranks.page`."""
        ...

    async def around(self, board: str, season: int, user_id: UUID, above: int, below: int) -> list[Standing]:
        """See `Ranks.around`."""
        ...

    async def reconcile(self, rows: Rows) -> Comparison | None:
        """Compare with the rows and mend; None where the season was another before that was done."""
        ...
