"""What Sample app tells."""

from typing import ClassVar
from uuid import UUID

from headwater.kernel.models import Event


class SampleAppNoteAdded(Event, frozen=True, kw_only=True):
    """A user has a new note; told to that user only."""

    durable: ClassVar[bool] = True

    note_id: UUID
    owner: UUID

    def audience(self) -> tuple[str, ...]:
        """The owner's own room."""
        return (f"user:{self.owner}",)
