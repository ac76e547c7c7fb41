"""The advisor's kept scans, and what it is to be silent about."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction
from headwater.platform.database.models import Advice, WantedSuppression

_COLUMNS = "id, code, schema_name, table_name, object_name, reason, created_by, created_at"


async def add_scan(tx: WritingTransaction, scan: UUID, findings: Sequence[Advice]) -> None:
    """Write down what a scan found now."""
    await tx.execute(
        "insert into system.advisor_scans (id, findings, scanned_by, scanned_at) values ($1, $2::jsonb, $3, $4)",
        scan,
        msgspec.json.encode(findings).decode(),
        tx.origin.actor,
        tx.now,
    )


async def remove_scans_but(tx: WritingTransaction, count: int) -> None:
    """Remove all but the newest scans."""
    await tx.execute(
        """
        delete from system.advisor_scans where id not in (
          select id from system.advisor_scans order by number desc limit $1
        )
        """,
        count,
    )


async def find_latest_scan(tx: ReadingTransaction) -> Row | None:
    """The newest scan, its findings as JSON text."""
    return await tx.row(
        """
        select id, findings::text as findings, scanned_by, scanned_at from system.advisor_scans
        order by number desc limit 1
        """
    )


async def list_suppressions(tx: ReadingTransaction) -> list[Row]:
    """Every suppression, the oldest first."""
    return await tx.rows(f"select {_COLUMNS} from system.advisor_suppressions order by number")


async def add_suppression(tx: WritingTransaction, suppression: UUID, wanted: WantedSuppression) -> Row | None:
    """Write a suppression down, unless there is the same one."""
    return await tx.row(
        f"""
        insert into system.advisor_suppressions ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict do nothing returning {_COLUMNS}
        """,
        suppression,
        wanted.code.value,
        wanted.schema,
        wanted.table,
        wanted.name,
        wanted.reason,
        tx.origin.actor,
        tx.now,
    )


async def explain_suppression(tx: WritingTransaction, suppression: UUID, reason: str | None) -> Row | None:
    """Change the reason of a suppression, if there is one of this id."""
    return await tx.row(
        f"update system.advisor_suppressions set reason = $2 where id = $1 returning {_COLUMNS}", suppression, reason
    )


async def remove_suppression(tx: WritingTransaction, suppression: UUID) -> Row | None:
    """End a suppression; what it was, if it was there."""
    return await tx.row(f"delete from system.advisor_suppressions where id = $1 returning {_COLUMNS}", suppression)
