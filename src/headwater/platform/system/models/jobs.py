"""What is asked about jobs, and told."""

from typing import Annotated
from uuid import UUID

import msgspec


class FailuresAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which failed jobs to list: those of a job, or all."""

    job: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


class FailuresMeant(msgspec.Struct, frozen=True, kw_only=True):
    """Which failed jobs to change: exactly one of the three."""

    id: UUID | None = None
    job: str | None = None
    all: bool = False


class Discarded(msgspec.Struct, frozen=True, kw_only=True):
    """How many failed jobs are gone."""

    discarded: int
