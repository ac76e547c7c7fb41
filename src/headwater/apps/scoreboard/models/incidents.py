"""Incidents: what looked wrong, as admins list, look at and review it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from headwater.apps.scoreboard.models.boards import Name
from headwater.apps.scoreboard.models.fraud import Reason

State = Literal["open", "released", "confirmed"]
AT_MOST = 200
"""Actions in one incident; the migration says it too."""


class Incident(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What looked wrong of one player on one board until it was reviewed.

    `hidden` says whether he is on no board now; `score` and `reasons` are those of the action that looked worst;
    `outcome` says whether the actions were held, or counted and only told.
    """

    id: UUID
    user_id: UUID
    username: str
    hidden: bool
    board: str
    outcome: Literal["held", "counted"]
    state: State
    score: float
    reasons: list[Reason]
    attempts: int
    points: int
    opened_at: datetime
    latest_at: datetime
    reviewed_at: datetime | None
    reviewed_by: str | None
    note: str | None


class SuspectAction(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An action of an incident."""

    action_id: str
    action_type: str | None
    points: int
    address: str
    device: str | None
    outcome: str
    created_at: datetime


class IncidentDetails(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An incident and its actions, oldest first."""

    incident: Incident
    actions: list[SuspectAction]


class IncidentPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which incidents to list, newest first; `before` is the last one of the page before."""

    state: State | None = None
    board: Name | None = None
    user_id: UUID | None = None
    before: UUID | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class Incidents(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A page of incidents; `next` is what to ask for with `before`, null on the last page."""

    incidents: list[Incident]
    next: UUID | None


class IncidentId(msgspec.Struct, frozen=True, kw_only=True):
    """An incident, named by the path."""

    id: UUID


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """An admin's decision: `release` counts what was held, `confirm` keeps it out for good."""

    id: UUID
    decision: Literal["release", "confirm"]
    note: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
