"""Schemas listed, made and ended."""

from dataclasses import dataclass

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, rules, sql
from headwater.platform.database.models import ChangedObject, EndedSchema, NewSchema, SchemaEntry, SchemaList
from headwater.platform.database.operations.change import change_schema, execute, must_exist


@dataclass(frozen=True)
class Schemas:
    """The schemas of the database; what the developer makes is served at once."""

    catalog: Catalog

    async def list_schemas(self, tx: ReadingTransaction, principal: Principal, body: None) -> SchemaList:
        """Every schema but Postgres' own, and whether it is the server's."""
        names = await queries.list_schemas(tx)
        internal = self.catalog.internal_schemas
        return SchemaList(schemas=tuple(SchemaEntry(name=name, is_protected=name in internal) for name in names))

    async def create_schema(self, transactions: Transactions, principal: Principal, body: NewSchema) -> ChangedObject:
        """Make a schema, whose tables the API serves to whoever has been granted them.

        Raises `SchemaIsInternal`, `InvalidName`, `ObjectExists`.
        """
        rules.must_be_a_name(body.name, "name")
        rules.must_be_developers_own(body.name, self.catalog.internal_schemas)

        async def work(tx: WritingTransaction) -> None:
            for statement in sql.create_schema(body.name, grant_usage=body.grant_usage):
                await execute(tx, statement, f"Schema {body.name}")

        await change_schema(transactions, principal, work, "CREATE_SCHEMA", {"schema": body.name})
        return ChangedObject(message=f"Schema {body.name} created", schema_name=body.name, name=body.name)

    async def drop_schema(self, transactions: Transactions, principal: Principal, body: EndedSchema) -> ChangedObject:
        """End a schema; one that holds something ends only with `cascade`.

        Raises `SchemaIsInternal`, `SchemaNotFound`, `ChangeRefused`.
        """
        rules.must_be_developers_own(body.name, self.catalog.internal_schemas)
        rules.must_not_be_public(body.name)

        async def work(tx: WritingTransaction) -> None:
            await must_exist(tx, body.name)
            await execute(tx, sql.drop_schema(body.name, cascade=body.cascade), f"Schema {body.name}")

        await change_schema(transactions, principal, work, "DROP_SCHEMA", {"schema": body.name})
        return ChangedObject(message=f"Schema {body.name} dropped", schema_name=body.name, name=body.name)
