"""An entry as one whole number, which sorts as the board does; and as the 37 bytes that Postgres tells it in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

REVISION_BITS = 56
_USER_BITS = 128
_MOMENT_BITS = 56
_MOMENT_AT = REVISION_BITS + _USER_BITS
_STANDING_AT = _MOMENT_AT + _MOMENT_BITS
_ZERO = 1 << 53
REVISIONS = (1 << REVISION_BITS) - 1
_MOMENTS = (1 << _MOMENT_BITS) - 1
USERS = (1 << _USER_BITS) - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BYTES = 37
"""Of an entry, from the front: standing + 2^53 (7 bytes), the moment it was reached in microseconds since 1970 (7), the
user's id (16), the revision (7). These 296 bits are 4 fewer than an int holds in 64 bytes (docs/decisions/0054)."""


def packed(standing: int, reached_at: datetime, user: int, revision: int) -> int:
    """One number for an entry; the standing within ±2^53, the moment not before 1970."""
    moment = (reached_at - EPOCH) // _MICROSECOND
    return (standing + _ZERO) << _STANDING_AT | moment << _MOMENT_AT | user << REVISION_BITS | revision


def unpacked(entry: int) -> tuple[int, datetime, UUID]:
    """Standing, moment and user of an entry."""
    moment = entry >> _MOMENT_AT & _MOMENTS
    return (
        (entry >> _STANDING_AT) - _ZERO,
        EPOCH + moment * _MICROSECOND,
        UUID(int=entry >> REVISION_BITS & USERS),
    )


def user_of(entry: int) -> int:
    """Whose entry it is: the number of a UUID."""
    return entry >> REVISION_BITS & USERS


def member_name(reached_at: datetime, user_id: UUID) -> bytes:
    """What sorts equal standings: the moment, then the user's id."""
    return ((reached_at - EPOCH) // _MICROSECOND).to_bytes(7, "big") + user_id.bytes


def told(entry: int) -> bytes:
    """The entry as Postgres tells it."""
    return entry.to_bytes(_BYTES, "big")


def named(name: bytes) -> tuple[datetime, UUID]:
    """Moment and user of a member's name."""
    return EPOCH + int.from_bytes(name[:7], "big") * _MICROSECOND, UUID(bytes=name[7:])
