"""What Sample app decides."""

from uuid import UUID

from headwater.kernel.errors import NotAUser
from headwater.kernel.principal import Principal

from .errors import BlankNote


def must_not_be_blank(text: str) -> None:
    """Raises `BlankNote` for a text of nothing but white space."""
    if not text.strip():
        raise BlankNote


def words_in(text: str) -> int:
    """How many runs of anything but white space the text has."""
    return len(text.split())


def owner(principal: Principal) -> UUID:
    """The user a note belongs to. Raises `NotAUser` for a key, which is nobody's."""
    if principal.id is None:
        raise NotAUser
    return UUID(principal.id)
