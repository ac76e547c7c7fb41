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


class TableSize(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A table of schema `public` and about how many rows it has."""

    table_name: str
    record_count: int


class DatabaseMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the database; the size is in GiB."""

    tables: tuple[TableSize, ...]
    total_size: float = msgspec.field(name="totalSizeInGB")
    hint: str


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What this installation is made of."""

    version: str
    components: tuple[str, ...]
    database: DatabaseMetadata
