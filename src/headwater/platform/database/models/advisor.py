"""What the advisor is asked and what it finds."""

from enum import StrEnum
from typing import Literal

import msgspec

Severity = Literal["error", "warning", "info"]
Category = Literal["security", "performance"]


class AdviceCode(StrEnum):
    """What can be amiss."""

    ROW_SECURITY_OFF = "row_security_off"
    NO_POLICY = "no_policy"
    VIEW_BYPASSES_POLICIES = "view_bypasses_policies"
    OPEN_SEARCH_PATH = "open_search_path"
    POLICY_PER_ROW = "policy_per_row"
    UNINDEXED_POLICY_COLUMN = "unindexed_policy_column"
    UNINDEXED_FOREIGN_KEY = "unindexed_foreign_key"
    DUPLICATE_INDEX = "duplicate_index"
    INVALID_INDEX = "invalid_index"
    NO_PRIMARY_KEY = "no_primary_key"


class AskedAdvice(msgspec.Struct, frozen=True, kw_only=True):
    """Which findings are wanted: all, or those of a schema, a severity, a category."""

    schema: str | None = None
    severity: Severity | None = None
    category: Category | None = None


class AdvisedObject(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a finding is about; a policy, constraint or index is told with its table."""

    kind: Literal["table", "view", "policy", "constraint", "index", "function"]
    schema: str
    name: str
    table: str | None = None


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """One finding: how bad it is, what it is about, a sentence, and the SQL that mends it."""

    code: AdviceCode
    severity: Severity
    category: Category
    object: AdvisedObject
    message: str
    sql: str


class AdviceReport(msgspec.Struct, frozen=True, kw_only=True):
    """Every finding, the worst first, and how many there are of each severity."""

    findings: tuple[Advice, ...]
    summary: dict[Severity, int]
