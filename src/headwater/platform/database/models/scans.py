"""What comes in and goes out of the advisor's kept scans and of what it is to be silent about."""

from typing import Annotated
from uuid import UUID

import msgspec

from headwater.platform.database.models.advisor import Advice, AdviceCode, Category, Severity

SuppressedName = Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
SuppressionReason = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class StartedScan(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a scan, which is done by then."""

    scan_id: UUID
    message: str


class Scan(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A scan; the summary counts what is not suppressed now, by severity."""

    scan_id: UUID
    scanned_at: str
    scanned_by: str | None
    summary: dict[Severity, int]
    total: int
    suppressed: int


class WantedIssues(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the latest scan's issues are wanted; `suppressed` asks for those that are, instead."""

    severity: Severity | None = None
    category: Category | None = None
    suppressed: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50
    offset: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0


class Issue(Advice, frozen=True, kw_only=True):
    """A finding of a scan, and the suppression that silences it."""

    suppression: UUID | None = msgspec.field(name="suppressionId")


class IssuePlace(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the list it is, and how many there are in all."""

    offset: int
    limit: int
    total: int


class IssueList(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Issues of the latest scan, the worst first; no scan and no issues before the first one."""

    scan_id: UUID | None
    issues: tuple[Issue, ...]
    pagination: IssuePlace


class WantedSuppression(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the advisor is to be silent about: a code, of one object or of any; null stands for any."""

    code: AdviceCode
    schema: SuppressedName | None = None
    table: SuppressedName | None = None
    name: SuppressedName | None = None
    reason: SuppressionReason | None = None


class Suppression(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the advisor is silent about, since when, and why."""

    id: UUID
    code: AdviceCode
    schema: str | None
    table: str | None
    name: str | None
    reason: str | None
    created_by: str | None
    created_at: str


class SuppressionList(msgspec.Struct, frozen=True, kw_only=True):
    """Every suppression, the oldest first."""

    suppressions: tuple[Suppression, ...]


class NamedSuppression(msgspec.Struct, frozen=True, kw_only=True):
    """Which suppression is meant."""

    id: UUID


class ExplainedSuppression(msgspec.Struct, frozen=True, kw_only=True):
    """A suppression and its reason from now on; null takes it away."""

    id: UUID
    reason: SuppressionReason | None


class RemovedSuppression(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a suppression's end."""

    message: str
