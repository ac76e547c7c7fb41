"""The advisor's scans, kept so that they can be paged through, and what it is to be silent about."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import msgspec

from headwater.kernel.catalog import Catalog
from headwater.kernel.clock import moment
from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction
from headwater.kernel.ids import new_id
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, rules
from headwater.platform.database.errors import SuppressionExists, SuppressionNotFound
from headwater.platform.database.models import (
    Advice,
    AdviceCode,
    ExplainedSuppression,
    Issue,
    IssueList,
    IssuePlace,
    NamedSuppression,
    RemovedSuppression,
    Scan,
    StartedScan,
    Suppression,
    SuppressionList,
    WantedIssues,
    WantedSuppression,
)
from headwater.platform.database.operations.advisor import SEVERITIES, find_all
from headwater.platform.database.operations.change import MODULE

_KEPT = 20
"""Scans that are kept; an older one leaves with the next."""


@dataclass(frozen=True)
class Scans:
    """What the advisor found when it was last asked to look everywhere."""

    catalog: Catalog

    async def scan(self, tx: WritingTransaction, principal: Principal, body: None) -> StartedScan:
        """Look at every schema of the developer's, and keep what is found; the scan is done with the answer."""
        scan, found = new_id(), await find_all(tx, self.catalog, None)
        await queries.add_scan(tx, scan, found)
        await queries.remove_scans_but(tx, _KEPT)
        tx.audit(AuditEntry(action="SCAN_DATABASE", module=MODULE, details={"id": str(scan), "found": len(found)}))
        return StartedScan(scan_id=scan, message=f"Scan completed: {len(found)} found")

    async def show_latest_scan(self, tx: ReadingTransaction, principal: Principal, body: None) -> Scan | None:
        """The newest scan and how many of its findings are not suppressed; null before the first."""
        row = await queries.find_latest_scan(tx)
        if row is None:
            return None
        issues = list(_issues(row, await _suppressions(tx)))
        open_issues = [issue for issue in issues if issue.suppression is None]
        counts = Counter(issue.severity for issue in open_issues)
        return Scan(
            scan_id=row["id"],
            scanned_at=moment(row["scanned_at"]),
            scanned_by=row["scanned_by"],
            summary={severity: counts[severity] for severity in SEVERITIES},
            total=len(open_issues),
            suppressed=len(issues) - len(open_issues),
        )

    async def list_issues(self, tx: ReadingTransaction, principal: Principal, body: WantedIssues) -> IssueList:
        """Issues of the newest scan, the worst first: those that are not suppressed, or those that are."""
        row = await queries.find_latest_scan(tx)
        issues = () if row is None else _issues(row, await _suppressions(tx))
        wanted = [
            issue
            for issue in issues
            if body.severity in {None, issue.severity}
            and body.category in {None, issue.category}
            and body.suppressed is (issue.suppression is not None)
        ]
        return IssueList(
            scan_id=None if row is None else row["id"],
            issues=tuple(wanted[body.offset : body.offset + body.limit]),
            pagination=IssuePlace(offset=body.offset, limit=body.limit, total=len(wanted)),
        )

    async def list_suppressions(self, tx: ReadingTransaction, principal: Principal, body: None) -> SuppressionList:
        """Everything the advisor is silent about, the oldest first."""
        return SuppressionList(suppressions=await _suppressions(tx))

    async def add_suppression(
        self, tx: WritingTransaction, principal: Principal, body: WantedSuppression
    ) -> Suppression:
        """Be silent about a code, of one object or of any, from now on. Raises `SuppressionExists`."""
        row = await queries.add_suppression(tx, new_id(), body)
        if row is None:
            raise SuppressionExists(code=body.code.value)
        return _audited(tx, "ADD_SUPPRESSION", row)

    async def explain_suppression(
        self, tx: WritingTransaction, principal: Principal, body: ExplainedSuppression
    ) -> Suppression:
        """Give a suppression another reason, or none. Raises `SuppressionNotFound`."""
        row = await queries.explain_suppression(tx, body.id, body.reason)
        return _audited(tx, "EXPLAIN_SUPPRESSION", _found(row))

    async def remove_suppression(
        self, tx: WritingTransaction, principal: Principal, body: NamedSuppression
    ) -> RemovedSuppression:
        """Speak again about what a suppression silenced. Raises `SuppressionNotFound`."""
        ended = _audited(tx, "REMOVE_SUPPRESSION", _found(await queries.remove_suppression(tx, body.id)))
        return RemovedSuppression(message=f"Suppression {ended.id} removed")


def _issues(row: Row, suppressions: tuple[Suppression, ...]) -> Iterator[Issue]:
    for finding in msgspec.json.decode(row["findings"], type=tuple[Advice, ...]):
        silenced: UUID | None = rules.silenced_by(finding, suppressions)
        yield Issue(**msgspec.structs.asdict(finding), suppression=silenced)


async def _suppressions(tx: ReadingTransaction) -> tuple[Suppression, ...]:
    return tuple(map(_suppression, await queries.list_suppressions(tx)))


def _audited(tx: WritingTransaction, action: str, row: Row) -> Suppression:
    suppression = _suppression(row)
    details = {"id": str(suppression.id), "code": suppression.code.value}
    tx.audit(AuditEntry(action=action, module=MODULE, details=details))
    return suppression


def _found(row: Row | None) -> Row:
    if row is None:
        raise SuppressionNotFound
    return row


def _suppression(row: Row) -> Suppression:
    return Suppression(
        id=row["id"],
        code=AdviceCode(row["code"]),
        schema=row["schema_name"],
        table=row["table_name"],
        name=row["object_name"],
        reason=row["reason"],
        created_by=row["created_by"],
        created_at=moment(row["created_at"]),
    )
