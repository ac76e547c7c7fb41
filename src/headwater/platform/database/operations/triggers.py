"""Triggers listed, made, switched and ended."""

from dataclasses import dataclass

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, rules, sql
from headwater.platform.database.models import (
    ChangedObject,
    InSchema,
    NewTrigger,
    OnTable,
    SwitchedTrigger,
    TriggerEntry,
    TriggerList,
)
from headwater.platform.database.operations.change import change_schema, execute, must_exist, must_have


@dataclass(frozen=True)
class Triggers:
    """What happens when rows change."""

    catalog: Catalog

    async def list_triggers(self, tx: ReadingTransaction, principal: Principal, body: InSchema) -> TriggerList:
        """The triggers of a schema's tables and views, each once for every event. Raises `SchemaNotFound`."""
        await must_exist(tx, body.schema)
        rows = await queries.list_triggers(tx, body.schema)
        return TriggerList(triggers=tuple(TriggerEntry(**dict(row)) for row in rows))

    async def create_trigger(self, transactions: Transactions, principal: Principal, body: NewTrigger) -> ChangedObject:
        """Make a trigger that calls a function.

        Raises `InvalidTrigger`, `InvalidName`, `InvalidExpression`, `SchemaIsInternal`, `TableNotFound`,
        `ObjectExists`, `ChangeRefused`.
        """
        rules.must_be_a_trigger(body)
        statement = sql.create_trigger(body)

        async def work(tx: WritingTransaction) -> None:
            await must_have(tx, self.catalog, body.schema, body.table_name)
            await execute(tx, statement, f"Trigger {body.trigger_name}")

        details = {"schema": body.schema, "table": body.table_name, "trigger": body.trigger_name}
        await change_schema(transactions, principal, work, "CREATE_TRIGGER", details)
        return _told("created", body.trigger_name, body.schema, body.table_name)

    async def switch_trigger(
        self, transactions: Transactions, principal: Principal, body: SwitchedTrigger
    ) -> ChangedObject:
        """Switch a trigger on or off. Raises `SchemaIsInternal`, `TableNotFound`, `ObjectNotFound`."""
        statement = sql.switch_trigger(body.schema, body.table_name, body.name, enabled=body.enabled)

        async def work(tx: WritingTransaction) -> None:
            await must_have(tx, self.catalog, body.schema, body.table_name)
            await execute(tx, statement, f"Trigger {body.name}", ending=True)

        details = {
            "schema": body.schema,
            "table": body.table_name,
            "trigger": body.name,
            "enabled": body.enabled,
        }
        await change_schema(transactions, principal, work, "UPDATE_TRIGGER", details)
        return _told("enabled" if body.enabled else "disabled", body.name, body.schema, body.table_name)

    async def drop_trigger(self, transactions: Transactions, principal: Principal, body: OnTable) -> ChangedObject:
        """End a trigger. Raises `SchemaIsInternal`, `TableNotFound`, `ObjectNotFound`."""

        async def work(tx: WritingTransaction) -> None:
            await must_have(tx, self.catalog, body.schema, body.table)
            await execute(tx, sql.drop_trigger(body.schema, body.table, body.name), f"Trigger {body.name}", ending=True)

        details = {"schema": body.schema, "table": body.table, "trigger": body.name}
        await change_schema(transactions, principal, work, "DROP_TRIGGER", details)
        return _told("dropped", body.name, body.schema, body.table)


def _told(what: str, name: str, schema: str, table: str) -> ChangedObject:
    return ChangedObject(message=f"Trigger {name} {what}", schema_name=schema, name=name, table_name=table)
