"""What the system tells of itself."""

from datetime import datetime
from typing import Literal

import msgspec


class AskingAddress(msgspec.Struct, frozen=True, kw_only=True):
    """From where somebody asks."""

    address: str = ""


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers; clients read `version` to know what they may ask of it."""

    status: Literal["ok"] = "ok"
    version: str
    service: str = "Headwater"
    timestamp: datetime


class PartReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How one part is; without an essential one the server is not ready."""

    name: str
    status: Literal["ok", "failed"]
    essential: bool
    latency_ms: float
    reason: str | None = None
    detail: str | None = None


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """How the server is: `degraded` without some part, `unavailable` without an essential one.

    Version and parts are for callers on this machine and for the admin.
    """

    status: Literal["ok", "degraded", "unavailable"]
    version: str | msgspec.UnsetType = msgspec.UNSET
    parts: tuple[PartReport, ...] | msgspec.UnsetType = msgspec.UNSET


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether requests may be sent here."""

    ready: bool


class ProjectId(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The id of a project in a cloud; null, as on every server of one's own."""

    project_id: None = None
