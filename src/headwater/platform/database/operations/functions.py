"""Functions listed, made and ended."""

from dataclasses import dataclass

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.principal import Principal
from headwater.platform.database import queries, rules, sql
from headwater.platform.database.errors import AmbiguousFunction, ObjectNotFound
from headwater.platform.database.models import (
    ChangedObject,
    EndedFunction,
    FunctionEntry,
    FunctionList,
    InSchema,
    NewFunction,
)
from headwater.platform.database.operations.change import change_schema, execute, must_exist
from headwater.platform.database.parse import parse_function


@dataclass(frozen=True)
class Functions:
    """The functions and procedures that SQL and the API can call."""

    catalog: Catalog

    async def list_functions(self, tx: ReadingTransaction, principal: Principal, body: InSchema) -> FunctionList:
        """A schema's functions and procedures with their definitions. Raises `SchemaNotFound`."""
        await must_exist(tx, body.schema)
        rows = await queries.list_functions(tx, body.schema)
        return FunctionList(functions=tuple(FunctionEntry(**dict(row)) for row in rows))

    async def create_function(
        self, transactions: Transactions, principal: Principal, body: NewFunction
    ) -> ChangedObject:
        """Make a function or procedure, or make it anew with `create or replace`.

        Raises `InvalidDefinition`, `SchemaIsInternal`, `ObjectExists`, `ChangeRefused`.
        """
        wanted = parse_function(body.definition)
        rules.must_be_developers_own(wanted.schema, self.catalog.internal_schemas)

        async def work(tx: WritingTransaction) -> None:
            await must_exist(tx, wanted.schema)
            await execute(tx, wanted.text, f"Function {wanted.name}")

        details = {"schema": wanted.schema, "function": wanted.name}
        await change_schema(transactions, principal, work, "CREATE_FUNCTION", details)
        return ChangedObject(message=f"Function {wanted.name} created", schema_name=wanted.schema, name=wanted.name)

    async def drop_function(
        self, transactions: Transactions, principal: Principal, body: EndedFunction
    ) -> ChangedObject:
        """End a function or procedure; of several with one name, that with the arguments given.

        Raises `SchemaIsInternal`, `ObjectNotFound`, `AmbiguousFunction`, `ChangeRefused`.
        """
        rules.must_be_developers_own(body.schema, self.catalog.internal_schemas)

        async def work(tx: WritingTransaction) -> None:
            signature = await _signature_of(tx, body)
            await execute(tx, sql.drop_function(signature, cascade=body.cascade), f"Function {body.name}")

        details = {"schema": body.schema, "function": body.name, "arguments": body.arguments}
        await change_schema(transactions, principal, work, "DROP_FUNCTION", details)
        return ChangedObject(message=f"Function {body.name} dropped", schema_name=body.schema, name=body.name)


async def _signature_of(tx: ReadingTransaction, body: EndedFunction) -> str:
    """The one function that is meant, as Postgres writes it."""
    found = {row["arguments"]: row["signature"] for row in await queries.list_signatures(tx, body.schema, body.name)}
    if body.arguments is not None:
        found = {arguments: text for arguments, text in found.items() if arguments == body.arguments}
    if not found:
        raise ObjectNotFound(subject=f"Function {body.name}")
    if len(found) > 1:
        raise AmbiguousFunction(name=body.name, choices=" | ".join(f"({arguments})" for arguments in found))
    return next(iter(found.values()))
