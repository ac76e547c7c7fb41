"""How bad a risk is, and what to do instead."""

from collections.abc import Mapping, Sequence

from headwater.platform.database.models import Finding, Level, RiskCode, RiskFactor, RiskLevel

MANY_ROWS = 100_000
"""From here on a scan under a lock is felt: about a tenth of a second."""

_SENTENCES: dict[RiskCode, tuple[str, str]] = {
    RiskCode.DROPS_TABLE: ("{table} is dropped with {rows}", "Rename it, and drop it when nobody has missed it"),
    RiskCode.DROPS_COLUMN: (
        "The column {subject} of {table} is dropped with its values in {rows}",
        "Stop using it first, and keep a backup: `headwater backup`",
    ),
    RiskCode.DROPS_DEPENDENTS: (
        "CASCADE drops whatever depends on it, and does not say what",
        "Drop each by its name, without CASCADE",
    ),
    RiskCode.DROPS_POLICY: (
        "The policy {subject} of {table} is dropped: rows it showed are hidden, or rows it hid are shown",
        "Create its successor in the same migration, or use ALTER POLICY",
    ),
    RiskCode.EMPTIES_TABLE: ("Every row of {table} is deleted: {rows}", "Say which with WHERE"),
    RiskCode.CHANGES_EVERY_ROW: (
        "Every row of {table} is changed, {rows}, and locked until the end",
        "Say which with WHERE, and change many rows in parts",
    ),
    RiskCode.CHANGES_TYPE: (
        "The values of {subject} in {table} are converted, which may fail or lose what the new type cannot hold",
        "Add a column of the new type, fill it in parts, then change over",
    ),
    RiskCode.REWRITES_TABLE: (
        "{table} is written anew, {rows}, and nobody reads or writes it meanwhile (ACCESS EXCLUSIVE)",
        "Add a nullable column, fill it in parts, and add the default or the constraint afterwards",
    ),
    RiskCode.NOT_NULL_WITHOUT_DEFAULT: (
        "{subject} must have a value and has no default, so it cannot be added to {table} with {rows}",
        "Give it a DEFAULT, or add it nullable, fill it, then SET NOT NULL",
    ),
    RiskCode.SCANS_TABLE: (
        "Every row of {table} is checked, {rows}, while others wait for the lock",
        "Add the constraint NOT VALID, and VALIDATE it in a later migration",
    ),
    RiskCode.LOCKS_TABLE: (
        "Writers of {table} wait until the migration ends, because of {subject}",
        "Put it into a short migration of its own",
    ),
    RiskCode.BUILDS_INDEX: (
        "An index is built over {rows} of {table}, and nobody writes meanwhile",
        "Run CREATE INDEX CONCURRENTLY with psql, outside of a migration; a constraint can then use that index",
    ),
    RiskCode.RENAMES: (
        "{subject} of {table} gets another name, and clients still use the old one",
        "Add the new name, move the clients, then drop the old one",
    ),
    RiskCode.NO_ROW_SECURITY: (
        "{table} is without row-level security: everybody with a key reads and writes every row",
        "ALTER TABLE … ENABLE ROW LEVEL SECURITY in the same migration, and create policies",
    ),
    RiskCode.NO_TRANSACTION: (
        "This statement cannot run inside a transaction, and a migration is one",
        "Run it with psql; in a migration, leave CONCURRENTLY away",
    ),
    RiskCode.UNSEEN: (
        "What this runs is decided when it runs, so nobody can tell its risks beforehand",
        "Write its statements out where you can",
    ),
}
_ALWAYS_DANGER = frozenset(
    {RiskCode.DROPS_COLUMN, RiskCode.NO_ROW_SECURITY, RiskCode.NO_TRANSACTION, RiskCode.DROPS_DEPENDENTS}
)
_DANGER_WITH_ROWS = frozenset(
    {RiskCode.DROPS_TABLE, RiskCode.EMPTIES_TABLE, RiskCode.CHANGES_EVERY_ROW, RiskCode.NOT_NULL_WITHOUT_DEFAULT}
)
_DANGER_WITH_MANY = frozenset({RiskCode.REWRITES_TABLE, RiskCode.SCANS_TABLE, RiskCode.BUILDS_INDEX})
_NOTHING_WITHOUT_ROWS = _DANGER_WITH_MANY | {
    RiskCode.NOT_NULL_WITHOUT_DEFAULT,
    RiskCode.CHANGES_EVERY_ROW,
    RiskCode.CHANGES_TYPE,
    RiskCode.LOCKS_TABLE,
}


def grade(
    findings: Sequence[Finding], rows: Mapping[tuple[str, str], int], statements: Sequence[str]
) -> tuple[RiskFactor, ...]:
    """The findings that are risks, in words; `rows` are the estimated rows of the tables that exist."""
    graded: list[RiskFactor] = []
    for finding in findings:
        count = rows.get(finding.table, 0) if finding.table else 0
        if not count and finding.code in _NOTHING_WITHOUT_ROWS:
            continue
        description, advice = _SENTENCES[finding.code]
        graded.append(
            RiskFactor(
                code=finding.code,
                description=description.format(
                    table=".".join(finding.table or ()),
                    subject=finding.subject or "it",
                    rows=f"about {count:,} rows" if count else "no rows",
                ),
                level=_level(finding.code, count),
                advice=advice,
                statement_number=finding.statement,
                statement=statements[finding.statement - 1],
            )
        )
    return tuple(graded)


def overall(factors: Sequence[RiskFactor]) -> RiskLevel:
    """The worst of several risks."""
    levels = {factor.level for factor in factors}
    return "DANGER" if "DANGER" in levels else "WARNING" if levels else "SAFE"


def _level(code: RiskCode, count: int) -> Level:
    danger = (
        code in _ALWAYS_DANGER
        or (code in _DANGER_WITH_ROWS and count > 0)
        or (code in _DANGER_WITH_MANY and count >= MANY_ROWS)
    )
    return "DANGER" if danger else "WARNING"


def place_in(text: str, position: int) -> tuple[int, int]:
    """Line and column, from 1, of a character position, from 1."""
    before = text[: max(position - 1, 0)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
