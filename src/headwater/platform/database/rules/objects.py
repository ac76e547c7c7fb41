"""Which schemas, indexes, policies and triggers can be asked for."""

from collections.abc import Sequence

from headwater.platform.database.errors import InvalidIndex, InvalidPolicy, InvalidTrigger, SchemaIsInternal
from headwater.platform.database.models import Command, IndexPart, NewIndex, NewTrigger
from headwater.platform.database.rules.tables import must_be_a_name, must_be_a_text

_PUBLIC = "public"
_READING = frozenset({"SELECT", "DELETE"})


def must_not_be_public(schema: str) -> None:
    """Let a schema end unless it is the one everything is in by default; raises `SchemaIsInternal`."""
    if schema == _PUBLIC:
        raise SchemaIsInternal(schema=schema)


def parts_of(index: NewIndex) -> tuple[IndexPart, ...]:
    """What is indexed, each part a column or an expression; raises `InvalidIndex` and `InvalidName`."""
    parts = tuple(IndexPart(column=part) if isinstance(part, str) else part for part in index.columns)
    if not parts:
        raise InvalidIndex(reason="columns: an index needs at least one")
    for part in parts:
        if (part.column is None) == (part.expression is None):
            raise InvalidIndex(reason="columns: each part is either a `column` or an `expression`")
        if part.column is not None:
            must_be_a_name(part.column, "column")
        if part.operator_class is not None:
            must_be_a_name(part.operator_class, "operatorClass")
    for column in index.include:
        must_be_a_name(column, "include")
    return parts


def must_have_its_expressions(command: Command, using: str | None, with_check: str | None) -> None:
    """Let a policy say what its command can use, and say something: one without expressions would let all through.

    Raises `InvalidPolicy`.
    """
    if command in _READING and with_check is not None:
        raise InvalidPolicy(reason=f"withCheck: a policy for {command} checks no new row")
    if command == "INSERT" and using is not None:
        raise InvalidPolicy(reason="using: a policy for INSERT sees no old row")
    if command == "INSERT" and with_check is None:
        raise InvalidPolicy(reason="withCheck: say which rows may be inserted (`true` for any)")
    if command != "INSERT" and using is None:
        raise InvalidPolicy(reason="using: say which rows are meant (`true` for all)")


def must_be_roles(roles: Sequence[str]) -> None:
    """Let a policy be for these roles; raises `InvalidPolicy` and `InvalidName`."""
    if not roles:
        raise InvalidPolicy(reason="roles: name at least one, `public` for everybody")
    for role in roles:
        must_be_a_name(role, "roles")


def must_be_a_trigger(trigger: NewTrigger) -> None:
    """Let a trigger be tried whose parts are names and texts.

    Raises `InvalidTrigger`, `InvalidName` and `InvalidTable`.
    """
    must_be_a_name(trigger.trigger_name, "triggerName")
    must_be_a_name(trigger.function_name, "functionName")
    must_be_a_name(trigger.function_schema, "functionSchema")
    if not trigger.events:
        raise InvalidTrigger(reason="events: a trigger waits for at least one")
    if trigger.columns and "UPDATE" not in trigger.events:
        raise InvalidTrigger(reason="columns: only the event UPDATE can be told by columns")
    for column in trigger.columns:
        must_be_a_name(column, "columns")
    for argument in trigger.arguments:
        must_be_a_text(argument, "arguments")
