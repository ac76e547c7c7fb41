"""Developers' migrations: applied once, all or nothing, with a history; tried and undone, with their risks."""

import asyncio
from dataclasses import dataclass

from headwater.kernel.catalog import CATALOG
from headwater.kernel.clock import Clock, moment
from headwater.kernel.database import Database, Login, ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.errors import Refusal
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, rules
from headwater.platform.database.errors import MigrationFailed, MigrationNotNewer, UnparsableSql
from headwater.platform.database.models import (
    AppliedMigration,
    DeveloperMigration,
    DryRun,
    MigrationHistory,
    TriedSql,
    WantedMigration,
)
from headwater.platform.database.operations.change import MODULE
from headwater.platform.database.operations.session import own_connection, run_statements
from headwater.platform.database.parse import find_risks, parse_statements

APPLY_SECONDS = 600.0
APPLY_LOCK_SECONDS = 10.0
TRY_SECONDS = 25.0
TRY_LOCK_SECONDS = 2.0
"""A trial holds the locks of a real migration until it is undone, so it gives up sooner."""


@dataclass(frozen=True)
class Migrations:
    """What the developer changes about the schema, step by step; everything runs as `project_admin`."""

    database: Database
    clock: Clock

    async def list_migrations(self, tx: ReadingTransaction, principal: Principal, body: None) -> MigrationHistory:
        """Every migration that was applied, the newest first."""
        return MigrationHistory(
            migrations=tuple(
                DeveloperMigration(
                    version=row["version"],
                    name=row["name"],
                    statements=tuple(row["statements"]),
                    created_at=moment(row["created_at"]),
                )
                for row in await queries.list_migrations(tx)
            )
        )

    async def apply_migration(
        self, transactions: Transactions, principal: Principal, body: WantedMigration
    ) -> AppliedMigration:
        """Run a migration and write it into the history: all of it, or nothing.

        Of two at once one waits for the other. Raises `UnparsableSql`, `ForbiddenStatement`, `MigrationNotNewer`,
        `MigrationFailed`.
        """
        statements = await asyncio.to_thread(parse_statements, body.sql)
        rules.must_be_harmless(statements)
        texts = rules.trimmed(statements)
        now = self.clock.now()
        await transactions.writing(lambda tx: _announce(tx, body))
        async with own_connection(self.database, Login.ADMIN, principal.claims_json) as connection:
            await queries.limit_waiting(connection, APPLY_SECONDS, APPLY_LOCK_SECONDS)
            await queries.lock_migrations(connection)
            latest = await queries.find_latest_version(connection)
            if latest is not None and int(body.version) <= int(latest):
                raise MigrationNotNewer(version=body.version, latest=latest)
            _, failure = await run_statements(connection, statements)
            if failure is not None:
                line, column = rules.place_in(body.sql, failure.position)
                raise MigrationFailed(
                    number=failure.statement,
                    reason=failure.reason,
                    sqlstate=failure.sqlstate,
                    line=line,
                    column=column,
                )
            await queries.add_migration(connection, body.version, body.name, texts, now)
        return AppliedMigration(
            version=body.version,
            name=body.name,
            statements=texts,
            created_at=moment(now),
            message=f"Migration {body.version} applied",
        )

    async def try_migration(self, transactions: Transactions, principal: Principal, body: TriedSql) -> DryRun:
        """Run SQL as a migration would, undo it, and tell whether it works and what it risks.

        What fails is told with Postgres' own words and where it is. Numbers that sequences gave out stay given out.
        """
        try:
            statements = await asyncio.to_thread(parse_statements, body.sql)
            rules.must_be_harmless(statements)
        except UnparsableSql as refusal:
            return _invalid(body.sql, refusal, position=int(str(refusal.facts["position"])))
        except Refusal as refusal:
            return _invalid(body.sql, refusal, position=None)
        texts = rules.trimmed(statements)
        findings = await asyncio.to_thread(find_risks, body.sql)
        async with own_connection(self.database, Login.ADMIN, principal.claims_json, undo=True) as connection:
            tables = {finding.table for finding in findings if finding.table is not None}
            factors = rules.grade(findings, await queries.estimate_rows(connection, sorted(tables)), texts)
            await queries.limit_waiting(connection, TRY_SECONDS, TRY_LOCK_SECONDS)
            _, failure = await run_statements(connection, statements)
        line, column = rules.place_in(body.sql, failure.position) if failure else (None, None)
        return DryRun(
            valid=failure is None,
            statement_count=len(texts),
            statements=texts,
            risk_level=rules.overall(factors),
            risk_factors=factors,
            error=failure and failure.reason,
            error_statement=failure and failure.statement,
            error_line=line,
            error_column=column,
            sqlstate=failure and failure.sqlstate,
        )


def _invalid(text: str, refusal: Refusal, position: int | None) -> DryRun:
    line, column = rules.place_in(text, position) if position else (None, None)
    return DryRun(
        valid=False,
        statement_count=0,
        statements=(),
        risk_level="DANGER",
        risk_factors=(),
        error=refusal.message,
        error_line=line,
        error_column=column,
    )


async def _announce(tx: WritingTransaction, body: WantedMigration) -> None:
    """The attempt is audited before it is made, so that it stands even where it fails."""
    tx.audit(AuditEntry(action="APPLY_MIGRATION", module=MODULE, details={"version": body.version, "name": body.name}))
    tx.forget(CATALOG)
