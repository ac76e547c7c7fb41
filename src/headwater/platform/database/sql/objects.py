"""The statements that make, change and end schemas, functions, indexes, policies and triggers."""

from collections.abc import Sequence

from headwater.platform.database.models import ChangedPolicy, IndexPart, NewIndex, NewPolicy, NewTrigger
from headwater.platform.database.parse import parse_expression
from headwater.platform.database.sql.identifiers import fitted, listed, literal, qualified, quoted

_USERS = "anon, authenticated"
NO_TIMEOUT = "set statement_timeout = 0"
"""For what may take as long as the table is large."""


def create_schema(name: str, *, grant_usage: bool) -> tuple[str, ...]:
    """The statements that make a schema; with `grant_usage` its tables to come are to users as those of `public`."""
    schema = quoted(name)
    if not grant_usage:
        return (f"create schema {schema}",)
    return (
        f"create schema {schema}",
        f"grant usage on schema {schema} to {_USERS}",
        f"alter default privileges in schema {schema} grant select, insert, update, delete on tables to {_USERS}",
        f"alter default privileges in schema {schema} grant usage, select on sequences to {_USERS}",
    )


def drop_schema(name: str, *, cascade: bool) -> str:
    """The statement that ends a schema, and all that is in it if told so."""
    return f"drop schema {quoted(name)}{_cascading(cascade=cascade)}"


def drop_function(signature: str, *, cascade: bool) -> str:
    """The statement that ends a function or procedure; the signature is as Postgres has quoted it."""
    return f"drop routine {signature}{_cascading(cascade=cascade)}"


def index_name(index: NewIndex, parts: Sequence[IndexPart]) -> str:
    """The name asked for, or one that tells the table and the columns."""
    if index.index_name is not None:
        return index.index_name
    return fitted("_".join([index.table_name, *(part.column or "expr" for part in parts), "idx"]))


def create_index(index: NewIndex, parts: Sequence[IndexPart]) -> str:
    """The statement that makes an index; raises `InvalidExpression`."""
    unique = "unique " if index.is_unique else ""
    concurrently = "concurrently " if index.concurrently else ""
    include = f" include ({listed(index.include)})" if index.include else ""
    where = "" if index.where is None else f" where ({parse_expression(index.where, 'where')})"
    return (
        f"create {unique}index {concurrently}{quoted(index_name(index, parts))}"
        f" on {qualified(index.schema, index.table_name)} using {index.method}"
        f" ({', '.join(map(_part, parts))}){include}{where}"
    )


def drop_index(schema: str, name: str, *, concurrently: bool = False, if_exists: bool = False) -> str:
    """The statement that ends an index."""
    words = ("concurrently " if concurrently else "") + ("if exists " if if_exists else "")
    return f"drop index {words}{qualified(schema, name)}"


def create_policy(policy: NewPolicy) -> str:
    """The statement that makes a policy; raises `InvalidExpression`."""
    kind = "permissive" if policy.is_permissive else "restrictive"
    return (
        f"create policy {quoted(policy.policy_name)} on {qualified(policy.schema, policy.table_name)} as {kind}"
        f" for {policy.cmd} to {listed(policy.roles)}{_conditions(policy)}"
    )


def alter_policy(policy: ChangedPolicy) -> tuple[str, ...]:
    """The statements that change a policy, its name last; raises `InvalidExpression`."""
    own = f"alter policy {quoted(policy.name)} on {qualified(policy.schema, policy.table_name)}"
    roles = "" if policy.roles is None else f" to {listed(policy.roles)}"
    changed = f"{roles}{_conditions(policy)}"
    renamed = () if policy.new_policy_name is None else (f"{own} rename to {quoted(policy.new_policy_name)}",)
    return ((own + changed,) if changed else ()) + renamed


def drop_policy(schema: str, table: str, name: str) -> str:
    """The statement that ends a policy."""
    return f"drop policy {quoted(name)} on {qualified(schema, table)}"


def create_trigger(trigger: NewTrigger) -> str:
    """The statement that makes a trigger; raises `InvalidExpression`."""
    events = " or ".join(_event(event, trigger.columns) for event in dict.fromkeys(trigger.events))
    when = "" if trigger.when is None else f" when ({parse_expression(trigger.when, 'when')})"
    return (
        f"create trigger {quoted(trigger.trigger_name)} {trigger.timing} {events}"
        f" on {qualified(trigger.schema, trigger.table_name)} for each {trigger.orientation}{when}"
        f" execute function {qualified(trigger.function_schema, trigger.function_name)}"
        f" ({', '.join(map(literal, trigger.arguments))})"
    )


def switch_trigger(schema: str, table: str, name: str, *, enabled: bool) -> str:
    """The statement that switches a trigger on or off."""
    return f"alter table {qualified(schema, table)} {'enable' if enabled else 'disable'} trigger {quoted(name)}"


def drop_trigger(schema: str, table: str, name: str) -> str:
    """The statement that ends a trigger."""
    return f"drop trigger {quoted(name)} on {qualified(schema, table)}"


def _cascading(*, cascade: bool) -> str:
    return " cascade" if cascade else " restrict"


def _part(part: IndexPart) -> str:
    indexed = quoted(part.column) if part.column is not None else _expression(part.expression or "")
    words = [indexed]
    if part.operator_class is not None:
        words.append(quoted(part.operator_class))
    if part.order is not None:
        words.append(part.order)
    if part.nulls is not None:
        words.append(f"nulls {part.nulls}")
    return " ".join(words)


def _expression(text: str) -> str:
    return f"({parse_expression(text, 'expression')})"


def _conditions(policy: NewPolicy | ChangedPolicy) -> str:
    seen = policy.qual if policy.using is None else policy.using
    using = "" if seen is None else f" using ({parse_expression(seen, 'using')})"
    check = "" if policy.with_check is None else f" with check ({parse_expression(policy.with_check, 'withCheck')})"
    return using + check


def _event(event: str, columns: Sequence[str]) -> str:
    return f"{event} of {listed(columns)}" if event == "UPDATE" and columns else event
