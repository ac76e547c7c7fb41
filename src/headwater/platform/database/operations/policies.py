"""Policies listed, made, changed and ended."""

from dataclasses import dataclass

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, rules, sql
from headwater.platform.database.models import (
    ChangedObject,
    ChangedPolicy,
    InSchema,
    NewPolicy,
    OnTable,
    PolicyEntry,
    PolicyList,
)
from headwater.platform.database.operations.change import change_schema, execute, must_exist, must_have


@dataclass(frozen=True)
class Policies:
    """Which rows users may see and write."""

    catalog: Catalog

    async def list_policies(self, tx: ReadingTransaction, principal: Principal, body: InSchema) -> PolicyList:
        """The policies of a schema's tables. Raises `SchemaNotFound`."""
        await must_exist(tx, body.schema)
        rows = await queries.list_policies(tx, body.schema)
        return PolicyList(policies=tuple(PolicyEntry(**dict(row)) for row in rows))

    async def create_policy(self, transactions: Transactions, principal: Principal, body: NewPolicy) -> ChangedObject:
        """Make a policy from expressions that are nothing but expressions.

        Raises `InvalidPolicy`, `InvalidName`, `InvalidExpression`, `SchemaIsInternal`, `TableNotFound`,
        `ObjectExists`, `ChangeRefused`.
        """
        rules.must_be_a_name(body.policy_name, "policyName")
        rules.must_be_roles(body.roles)
        using = body.qual if body.using is None else body.using
        rules.must_have_its_expressions(body.cmd, using, body.with_check)
        statement = sql.create_policy(body)

        async def work(tx: WritingTransaction) -> None:
            await must_have(tx, self.catalog, body.schema, body.table_name)
            await execute(tx, statement, f"Policy {body.policy_name}")

        details = {"schema": body.schema, "table": body.table_name, "policy": body.policy_name}
        await change_schema(transactions, principal, work, "CREATE_POLICY", details)
        return _told("created", body.policy_name, body.schema, body.table_name)

    async def alter_policy(
        self, transactions: Transactions, principal: Principal, body: ChangedPolicy
    ) -> ChangedObject:
        """Change a policy's roles, expressions or name.

        Raises `InvalidName`, `InvalidPolicy`, `InvalidExpression`, `SchemaIsInternal`, `TableNotFound`,
        `ObjectNotFound`, `ObjectExists`, `ChangeRefused`.
        """
        if body.new_policy_name is not None:
            rules.must_be_a_name(body.new_policy_name, "newPolicyName")
        if body.roles is not None:
            rules.must_be_roles(body.roles)
        statements = sql.alter_policy(body)

        async def work(tx: WritingTransaction) -> None:
            await must_have(tx, self.catalog, body.schema, body.table_name)
            for statement in statements:
                await execute(tx, statement, f"Policy {body.name}", ending=True)

        details = {"schema": body.schema, "table": body.table_name, "policy": body.name}
        await change_schema(transactions, principal, work, "UPDATE_POLICY", details)
        return _told("updated", body.new_policy_name or body.name, body.schema, body.table_name)

    async def drop_policy(self, transactions: Transactions, principal: Principal, body: OnTable) -> ChangedObject:
        """End a policy. Raises `SchemaIsInternal`, `TableNotFound`, `ObjectNotFound`."""

        async def work(tx: WritingTransaction) -> None:
            await must_have(tx, self.catalog, body.schema, body.table)
            await execute(tx, sql.drop_policy(body.schema, body.table, body.name), f"Policy {body.name}", ending=True)

        details = {"schema": body.schema, "table": body.table, "policy": body.name}
        await change_schema(transactions, principal, work, "DROP_POLICY", details)
        return _told("dropped", body.name, body.schema, body.table)


def _told(what: str, name: str, schema: str, table: str) -> ChangedObject:
    return ChangedObject(message=f"Policy {name} {what}", schema_name=schema, name=name, table_name=table)
