"""What comes in and goes out of developers' migrations: the SQL, its history, its risks."""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

Level = Literal["WARNING", "DANGER"]
RiskLevel = Literal["SAFE", "WARNING", "DANGER"]


class WantedMigration(msgspec.Struct, frozen=True, kw_only=True):
    """A migration to be made: one more step of the schema, applied once."""

    version: Annotated[
        str, msgspec.Meta(pattern=r"^[0-9]{1,64}$(?!\n)", description="Digits; higher than earlier ones")
    ]
    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,255}$(?!\n)")]
    sql: Annotated[str, msgspec.Meta(min_length=1)]


class TriedSql(msgspec.Struct, frozen=True, kw_only=True):
    """SQL that is to be tried and undone."""

    sql: Annotated[str, msgspec.Meta(min_length=1)]


class DeveloperMigration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A migration that was applied; `created_at` in ISO 8601 with milliseconds."""

    version: str
    name: str
    statements: tuple[str, ...]
    created_at: str


class AppliedMigration(DeveloperMigration, frozen=True, kw_only=True, rename="camel"):
    """The answer to a migration's making."""

    message: str


class MigrationHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Every migration that was applied, the newest first."""

    migrations: tuple[DeveloperMigration, ...]


class RiskCode(StrEnum):
    """What a statement may do that is regretted later."""

    DROPS_TABLE = "DROPS_TABLE"
    DROPS_COLUMN = "DROPS_COLUMN"
    DROPS_DEPENDENTS = "DROPS_DEPENDENTS"
    DROPS_POLICY = "DROPS_POLICY"
    EMPTIES_TABLE = "EMPTIES_TABLE"
    CHANGES_EVERY_ROW = "CHANGES_EVERY_ROW"
    CHANGES_TYPE = "CHANGES_TYPE"
    REWRITES_TABLE = "REWRITES_TABLE"
    NOT_NULL_WITHOUT_DEFAULT = "NOT_NULL_WITHOUT_DEFAULT"
    SCANS_TABLE = "SCANS_TABLE"
    LOCKS_TABLE = "LOCKS_TABLE"
    BUILDS_INDEX = "BUILDS_INDEX"
    RENAMES = "RENAMES"
    NO_ROW_SECURITY = "NO_ROW_SECURITY"
    NO_TRANSACTION = "NO_TRANSACTION"
    UNSEEN = "UNSEEN"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement would do to a table, as its text says, before anyone knows how large the table is.

    `statement` counts from 1; `table` is None where the risk is not a table's; `subject` is what else is concerned.
    """

    code: RiskCode
    statement: int
    table: tuple[str, str] | None = None
    subject: str = ""


class RiskFactor(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A risk in words: what would happen, how bad that is, and what to do instead; statements count from 1."""

    code: RiskCode
    description: str
    level: Level
    advice: str
    statement_number: int
    statement: str


class TrialFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a statement failed; its number and its place in the whole SQL, from 1."""

    reason: str
    statement: int
    position: int
    sqlstate: str


class DryRun(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What came of SQL that was tried and undone; `error` with its statement, line and column where it failed."""

    valid: bool
    statement_count: int
    statements: tuple[str, ...]
    risk_level: RiskLevel
    risk_factors: tuple[RiskFactor, ...]
    error: str | None = None
    error_statement: int | None = None
    error_line: int | None = None
    error_column: int | None = None
    sqlstate: str | None = None
