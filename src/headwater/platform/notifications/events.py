"""What notifications tell."""

from typing import Any, ClassVar
from uuid import UUID

from headwater.kernel.models import Event


class NoticeAdded(Event, frozen=True, kw_only=True):
    """A user has a new notice; told to his own sockets."""

    durable: ClassVar[bool] = True
    wire_name: ClassVar[str | None] = "notifications:added"

    notice_id: UUID
    user_id: UUID
    kind: str
    title: str
    body: str
    details: dict[str, Any]

    def audience(self) -> tuple[str, ...]:
        """The user's own room."""
        return (f"user:{self.user_id}",)
