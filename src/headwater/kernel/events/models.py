"""What the dispatcher is given."""

from collections.abc import Awaitable, Callable

import msgspec

from headwater.kernel.events.declarations import Consumer, Follower


class BoundConsumer(msgspec.Struct, frozen=True):
    """A consumer and its operation, with everything the operation needs: `operation(tx, event)`."""

    declaration: Consumer
    operation: Callable[..., Awaitable[object]]


class BoundFollower(msgspec.Struct, frozen=True):
    """A follower and its operations, with everything they need: `operation(payload)` and `on_gap()`."""

    declaration: Follower
    operation: Callable[[object], Awaitable[object]]
    on_gap: Callable[[], Awaitable[object]] | None = None


class EventSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_EVENT_*; times in seconds."""

    poll: float = 1.0
    """How often to look for events of which nobody told."""
    batch: int = 100
    """How many events a consumer takes in at most in one transaction."""
    gather: float = 0.05
    """How long more events may come together before consumers are told again; the first one does not wait."""
    first_pause: float = 1.0
    """How long a consumer pauses after a failure; twice as long after each further one."""
    longest_pause: float = 300.0
    keep: float = 7 * 24 * 3600.0
    """How long events stay for consumers that are yet to be invented."""
