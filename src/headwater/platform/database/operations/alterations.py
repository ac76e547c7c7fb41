"""Tables changed: columns, keys, foreign keys, names, comments, row-level security."""

from dataclasses import dataclass

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, rules, sql
from headwater.platform.database.models import AlteredTable, ColumnState, TableChanges, TableState
from headwater.platform.database.operations.change import change_schema, execute, find_own_table


@dataclass(frozen=True)
class Alterations:
    """What the project's admin changes of tables that are there."""

    catalog: Catalog

    async def alter_table(self, transactions: Transactions, principal: Principal, body: TableChanges) -> AlteredTable:
        """Change a table, all of what is asked or nothing; each step is told, in the order they are made.

        First what goes, then what changes, then what comes, the table's new name last. The columns that every table
        has stay as they are. Raises `TableNotFound`, `SchemaIsInternal`, `ChangeRefused`, `SchemaLocked`, and what
        `rules.must_be_possible` raises.
        """

        async def work(tx: WritingTransaction) -> tuple[str, ...]:
            table = await find_own_table(tx, self.catalog, body.schema, body.table)
            await tx.execute(sql.lock_table(body.schema, body.table))
            state = await _state_of(tx, table)
            rules.must_be_possible(body, state)
            needs_policy = body.rls_enabled is True and not await queries.admin_bypasses_row_security(tx)
            if needs_policy:
                needs_policy = not await queries.has_policy(tx, table, sql.ADMIN_POLICY)
            told: list[str] = []
            for step in sql.alter_table(body, state, admin_needs_policy=needs_policy):
                for statement in step.statements:
                    await execute(tx, statement, step.subject)
                told.append(step.told)
            return tuple(told)

        details = {"schema": body.schema, "table": body.table}
        operations = await change_schema(transactions, principal, work, "UPDATE_TABLE", details)
        return AlteredTable(
            schema_name=body.schema,
            message=f"Table {body.table} updated" if operations else f"Table {body.table} stays as it is",
            table_name=body.table,
            operations=operations,
        )


async def _state_of(tx: ReadingTransaction, table: int) -> TableState:
    columns = await queries.list_column_states(tx, table)
    constraints = await queries.list_constraints(tx, table)
    return TableState(
        columns={
            row["name"]: ColumnState(default=row["default"], unique_constraints=tuple(row["unique_constraints"]))
            for row in columns
        },
        foreign_keys=frozenset(row["name"] for row in constraints if row["kind"] == "f"),
        keys=frozenset(row["name"] for row in constraints if row["kind"] != "f"),
    )
