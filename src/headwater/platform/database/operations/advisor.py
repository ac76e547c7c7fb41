"""The advisor: what of the developer's schemas is unsafe or slow, and the SQL that mends it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import ReadingTransaction, Row
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, sql
from headwater.platform.database.models import Advice, AdviceCode, AdviceReport, AdvisedObject, AskedAdvice, Severity
from headwater.platform.database.operations.change import must_exist
from headwater.platform.database.parse import calls_per_row, compared_columns

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True)
class Advisor:
    """Looks at the schema as it is now; nothing is kept, nothing is changed."""

    catalog: Catalog

    async def advise(self, tx: ReadingTransaction, principal: Principal, body: AskedAdvice) -> AdviceReport:
        """What is unsafe or slow, the worst first, each with the SQL that mends it. Raises `SchemaNotFound`."""
        if body.schema is not None:
            await must_exist(tx, body.schema)
        found = await find_all(tx, self.catalog, body.schema)
        wanted = [
            finding
            for finding in found
            if body.severity in {None, finding.severity} and body.category in {None, finding.category}
        ]
        counts = Counter(finding.severity for finding in wanted)
        return AdviceReport(findings=tuple(wanted), summary={severity: counts[severity] for severity in SEVERITIES})


async def find_all(tx: ReadingTransaction, catalog: Catalog, schema: str | None) -> list[Advice]:
    """Everything that is amiss in a schema, or in all of the developer's, the worst first."""
    internal = sorted(catalog.internal_schemas)
    found: list[Advice] = []
    for row in await queries.list_advised_tables(tx, internal, schema):
        found += _of_table(row)
    for row in await queries.list_bypassing_views(tx, internal, schema):
        found.append(_of_view(row))
    for row in await queries.list_open_functions(tx, internal, schema):
        found.append(_of_function(row))
    for row in await queries.list_advised_policies(tx, internal, schema):
        found += _of_policy(row)
    for row in await queries.list_unindexed_foreign_keys(tx, internal, schema):
        found.append(_of_foreign_key(row))
    for row in await queries.list_duplicate_indexes(tx, internal, schema):
        found.append(_of_twin(row))
    for row in await queries.list_invalid_indexes(tx, internal, schema):
        found.append(_of_remainder(row))
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _of_table(row: Row) -> Iterator[Advice]:
    schema, name = row["schema"], row["name"]
    table = AdvisedObject(kind="table", schema=schema, name=name)
    if row["reachable"] and not row["row_security"]:
        yield Advice(
            code=AdviceCode.ROW_SECURITY_OFF,
            severity="error",
            category="security",
            object=table,
            message=f"Row-level security of {name} is off: everybody with a key reads or writes all of its rows",
            sql=sql.turn_row_security_on(schema, name),
        )
    if row["reachable"] and row["row_security"] and not row["policies"]:
        suggestion = "the SQL lets users at their own" if row["owner"] else "the SQL says that this is meant"
        yield Advice(
            code=AdviceCode.NO_POLICY,
            severity="info",
            category="security",
            object=table,
            message=f"Row-level security of {name} is on without a policy: users see none of its rows; {suggestion}",
            sql=sql.say_whose_rows(schema, name, row["owner"]),
        )
    if not row["primary_key"]:
        yield Advice(
            code=AdviceCode.NO_PRIMARY_KEY,
            severity="warning",
            category="performance",
            object=table,
            message=f"{name} has no primary key: its rows cannot be told apart, replicated or updated one by one",
            sql=sql.add_primary_key(schema, name, row["columns"], row["unique_key"]),
        )


def _of_view(row: Row) -> Advice:
    return Advice(
        code=AdviceCode.VIEW_BYPASSES_POLICIES,
        severity="error",
        category="security",
        object=AdvisedObject(kind="view", schema=row["schema"], name=row["name"]),
        message=f"The view {row['name']} reads tables as its owner: users see rows that policies hide from them",
        sql=sql.look_as_the_caller(row["schema"], row["name"]),
    )


def _of_function(row: Row) -> Advice:
    return Advice(
        code=AdviceCode.OPEN_SEARCH_PATH,
        severity="warning",
        category="security",
        object=AdvisedObject(kind="function", schema=row["schema"], name=row["name"]),
        message=f"{row['signature']} has its owner's rights, and its caller's search_path says what names in it mean",
        sql=sql.fix_search_path(row["schema"], row["signature"]),
    )


def _of_policy(row: Row) -> Iterator[Advice]:
    schema, table, name = row["schema"], row["table"], row["name"]
    policy = AdvisedObject(kind="policy", schema=schema, name=name, table=table)
    expressions: list[str] = [text for text in (row["qual"], row["with_check"]) if text is not None]
    calls = list(dict.fromkeys(call for text in expressions for call in calls_per_row(text)))
    if calls:
        yield Advice(
            code=AdviceCode.POLICY_PER_ROW,
            severity="warning",
            category="performance",
            object=policy,
            message=f"The policy {name} of {table} calls {', '.join(calls)} for every row; in a sub-select once does",
            sql=sql.ask_once(schema, table, name, row["qual"], row["with_check"]),
        )
    for column in compared_columns(row["qual"] or "null", table, row["columns"]):
        if column not in row["indexed"]:
            yield Advice(
                code=AdviceCode.UNINDEXED_POLICY_COLUMN,
                severity="warning",
                category="performance",
                object=policy,
                message=f"The policy {name} picks rows of {table} by {column}, which leads no index: queries read all",
                sql=sql.index_columns(schema, table, (column,)),
            )


def _of_foreign_key(row: Row) -> Advice:
    columns = ", ".join(row["columns"])
    return Advice(
        code=AdviceCode.UNINDEXED_FOREIGN_KEY,
        severity="warning",
        category="performance",
        object=AdvisedObject(kind="constraint", schema=row["schema"], name=row["name"], table=row["table"]),
        message=f"The foreign key {row['name']} has no index on {columns}: joins and deletes read all rows",
        sql=sql.index_columns(row["schema"], row["table"], row["columns"]),
    )


def _of_twin(row: Row) -> Advice:
    return Advice(
        code=AdviceCode.DUPLICATE_INDEX,
        severity="warning",
        category="performance",
        object=AdvisedObject(kind="index", schema=row["schema"], name=row["name"], table=row["table"]),
        message=f"The index {row['name']} does nothing that {row['twin']} does not do; each write keeps both",
        sql=sql.drop_twin(row["schema"], row["table"], row["name"], row["constraint_name"]),
    )


def _of_remainder(row: Row) -> Advice:
    return Advice(
        code=AdviceCode.INVALID_INDEX,
        severity="warning",
        category="performance",
        object=AdvisedObject(kind="index", schema=row["schema"], name=row["name"], table=row["table"]),
        message=f"The index {row['name']} is the remainder of a build that failed: writes keep it, no query uses it",
        sql=sql.drop_index(row["schema"], row["name"]),
    )
