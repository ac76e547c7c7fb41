"""What the scoreboard tells of actions that look wrong."""

from typing import ClassVar
from uuid import UUID

from headwater.kernel.models import Event

ADMINS = "role:project_admin"


class IncidentOpened(Event, frozen=True, kw_only=True):
    """A player's actions look wrong: told to admins once, when the incident opens.

    `held`: whether they do not count until an admin releases them; `reasons` are the codes of the rules.
    """

    durable: ClassVar[bool] = True
    wire_name: ClassVar[str | None] = "scoreboard:incident_opened"

    incident_id: UUID
    user_id: UUID
    board: str
    score: float
    reasons: tuple[str, ...]
    held: bool

    def audience(self) -> tuple[str, ...]:
        """The admins."""
        return (ADMINS,)


class IncidentReviewed(Event, frozen=True, kw_only=True):
    """An admin has decided; `actions` of an incident that is released count now, `points` in all."""

    durable: ClassVar[bool] = True
    wire_name: ClassVar[str | None] = "scoreboard:incident_reviewed"

    incident_id: UUID
    user_id: UUID
    board: str
    released: bool
    actions: int
    points: int

    def audience(self) -> tuple[str, ...]:
        """The admins."""
        return (ADMINS,)
