"""Fraud: what is judged, what is known of who sent it, and what the judgement says."""

from datetime import datetime
from typing import Annotated, Literal, get_args
from uuid import UUID
from zlib import crc32

import msgspec

Rule = Literal["rate", "points", "regular", "sleepless", "crowd", "forgery"]
Misdeed = Literal["replayed", "foreign", "expired"]
_Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
_Positive = Annotated[float, msgspec.Meta(gt=0)]
_Count = Annotated[int, msgspec.Meta(ge=1)]


class FraudSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_FRAUD_*: what is done about actions that look wrong, and from where on they do."""

    mode: Literal["block", "shadow", "off"] = "block"
    """block: such an action is held until an admin releases it; shadow: it counts, and is told; off: nobody looks."""
    rules: tuple[Rule, ...] = get_args(Rule)
    block_at: _Share = 0.8
    """The score from which on an action looks wrong; what one rule alone gives at its own threshold."""
    pace: _Count = 160
    """So many actions in an hour are never too many."""
    pace_factor: _Positive = 3.0
    """More than so many times what is usual in this player's own hours looks wrong."""
    points_distance: _Positive = 4.0
    """How far points lie from those of the other players, in standard deviations of their logarithm."""
    norm_players: _Count = 12
    """Of fewer players no norm is made."""
    regular_spread: _Positive = 0.28
    """Pauses between actions that differ less (standard deviation of their logarithm) are a machine's."""
    awake_hours: Annotated[int, msgspec.Meta(ge=1, le=60)] = 28
    """Nobody plays for longer without rest."""
    rest_hours: Annotated[int, msgspec.Meta(ge=1, le=24)] = 4
    """So many whole hours without an action are a rest."""
    device_accounts: _Count = 6
    """More players of one board on one device look like one player."""
    address_accounts: _Count = 10
    """More players of one board behind one address, who have no device of their own, do too."""
    crowd_hours: _Positive = 48.0
    """How long a player is seen where he was."""
    forgeries: _Positive = 3.0
    """A foreign action counts 1, a replayed one 0.1, an expired one 0.02; each half after `forgery_hours`."""
    forgery_hours: _Positive = 72.0
    trust_days: Annotated[float, msgspec.Meta(ge=0)] = 30.0
    """For so long a player whose actions were released is left alone."""
    keep_days: _Positive = 90.0
    """Behaviour of players who were quiet for so long is forgotten."""
    keep_device_days: Annotated[float, msgspec.Meta(ge=3)] = 7.0
    """Behaviour of devices that were quiet for so long is; no rule looks further back than three days of them."""


class Attempt(msgspec.Struct, frozen=True):
    """An action that someone wants counted; `device` is what his client calls its device, the same every time."""

    user_id: UUID
    board: str
    action_id: str
    action_type: str | None
    points: int
    address: str
    device: str | None
    issued_at: datetime
    at: datetime

    def signed(self, issued_at: datetime) -> "Attempt":
        """The same, once it is known when we signed it."""
        return msgspec.structs.replace(self, issued_at=issued_at)

    @property
    def kind(self) -> int:
        """What its points are compared with: a number for the board and the action type, in 32 bits with a sign."""
        return crc32(f"{self.board}\0{self.action_type or ''}".encode()) - 2**31


class Reason(msgspec.Struct, frozen=True):
    """Why an action looks wrong: the rule, a sentence with its figures, and how much it weighs (0 to 1)."""

    code: Rule
    sentence: str
    weight: float


class Verdict(msgspec.Struct, frozen=True):
    """How wrong an action looks, from 0 to 1, and why; `suspicious` from the threshold on, `blocked` where it holds.

    `stands_alone` where it looks wrong by itself, and not only because its player is watched; `begins_watch` where that
    is beyond doubt.
    """

    score: float = 0.0
    reasons: tuple[Reason, ...] = ()
    suspicious: bool = False
    blocked: bool = False
    stands_alone: bool = False
    begins_watch: bool = False


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one player or one device; bounded, newest last, the attempt that is judged included.

    `gaps`: milliseconds between actions. `points` of the latest actions, each of the kind in `kinds`. `paces`: actions
    in each earlier hour that had any, less those of a day in which one looked wrong. `hour_actions` since the hour
    began, `hour_before` in the one before. Bit n of `active_hours`: whether anything was done n hours ago. `forgeries`
    as of the latest action. `watched_at`: when an action last was wrong beyond doubt.
    """

    subject: str
    gaps: list[int]
    points: list[int]
    kinds: list[int]
    paces: list[int]
    hour: datetime
    hour_actions: int
    hour_before: int
    active_hours: int
    forgeries: float
    watched_at: datetime | None
    trusted_until: datetime | None


class Norm(msgspec.Struct, frozen=True):
    """What actions of one kind bring: the middle of the players' logarithms, and their spread."""

    middle: float
    spread: float


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one attempt is judged by, as it is once the attempt itself is noted.

    `device_players` were on this device lately, on this board, besides this one; `address_players` behind this
    address, with `address_devices` devices between them.
    """

    player: Behaviour
    device: Behaviour | None = None
    norm: Norm | None = None
    ascending: bool = False
    """Whether few points are what everyone wants."""
    device_players: int = 0
    address_players: int = 0
    address_devices: int = 0
