"""What comes in and goes out of schemas, functions, indexes, policies and triggers."""

from typing import Annotated, Literal

import msgspec

from headwater.platform.database.models.tables import SchemaName

TableName = Annotated[str, msgspec.Meta(description="The table it belongs to", extra={"in": "query"})]
Cascade = Annotated[bool, msgspec.Meta(description="Whether what depends on it ends too", extra={"in": "query"})]
Concurrently = Annotated[bool, msgspec.Meta(description="Without holding up writers", extra={"in": "query"})]
Command = Literal["ALL", "SELECT", "INSERT", "UPDATE", "DELETE"]
Timing = Literal["BEFORE", "AFTER", "INSTEAD OF"]
TriggerEvent = Literal["INSERT", "UPDATE", "DELETE", "TRUNCATE"]
Orientation = Literal["ROW", "STATEMENT"]
IndexMethod = Literal["btree", "hash", "gin", "gist", "spgist", "brin", "hnsw", "ivfflat"]


class InSchema(msgspec.Struct, frozen=True, kw_only=True):
    """Which schema's objects are wanted."""

    schema: SchemaName = "public"


class ChangedObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The answer to an object's making, change or end."""

    message: str
    schema_name: str
    name: str
    table_name: str | None = None


class SchemaEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A schema; a protected one is the server's, and changes only with it."""

    name: str
    is_protected: bool


class SchemaList(msgspec.Struct, frozen=True, kw_only=True):
    """The schemas there are, by name."""

    schemas: tuple[SchemaEntry, ...]


class NewSchema(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A schema to be made; with `grant_usage` the API's users get the rights there that they have in `public`."""

    name: str
    grant_usage: bool = False


class EndedSchema(msgspec.Struct, frozen=True, kw_only=True):
    """A schema to be dropped."""

    name: str
    cascade: Cascade = False


class FunctionEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A function or procedure; `kind` is `f` or `p`, `arguments` tells overloads apart."""

    function_name: str
    function_def: str
    kind: str
    arguments: str
    language: str
    is_security_definer: bool


class FunctionList(msgspec.Struct, frozen=True, kw_only=True):
    """A schema's functions and procedures, by name."""

    functions: tuple[FunctionEntry, ...]


class NewFunction(msgspec.Struct, frozen=True, kw_only=True):
    """A function to be made: one `create [or replace] function` or `procedure`."""

    definition: str


class FunctionDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """What a definition says it makes; the schema is `public` where it names none."""

    schema: str
    name: str
    text: str


class EndedFunction(msgspec.Struct, frozen=True, kw_only=True):
    """A function to be dropped; `arguments`, as listed, are needed where several have the name."""

    name: str
    schema: SchemaName = "public"
    arguments: Annotated[str | None, msgspec.Meta(extra={"in": "query"})] = None
    cascade: Cascade = False


class IndexEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An index; one that is not valid is a remainder of a build that failed."""

    table_name: str
    index_name: str
    index_def: str
    is_unique: bool
    is_primary: bool
    is_valid: bool


class IndexList(msgspec.Struct, frozen=True, kw_only=True):
    """A schema's indexes, by table and name."""

    indexes: tuple[IndexEntry, ...]


class IndexPart(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A column or an expression that is indexed, and in which order."""

    column: str | None = None
    expression: str | None = None
    order: Literal["asc", "desc"] | None = None
    nulls: Literal["first", "last"] | None = None
    operator_class: str | None = None


class NewIndex(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An index to be made; `columns` are names or parts, `where` is an expression."""

    table_name: str
    columns: tuple[str | IndexPart, ...]
    schema: SchemaName = "public"
    index_name: str | None = None
    is_unique: bool = False
    method: IndexMethod = "btree"
    include: tuple[str, ...] = ()
    where: str | None = None
    concurrently: bool = False


class EndedIndex(msgspec.Struct, frozen=True, kw_only=True):
    """An index to be dropped."""

    name: str
    schema: SchemaName = "public"
    concurrently: Concurrently = False


class PolicyEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A policy; `qual` is its USING expression."""

    table_name: str
    policy_name: str
    cmd: str
    roles: tuple[str, ...]
    qual: str | None
    with_check: str | None
    is_permissive: bool


class PolicyList(msgspec.Struct, frozen=True, kw_only=True):
    """A schema's policies, by table and name."""

    policies: tuple[PolicyEntry, ...]


class NewPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A policy to be made; `qual`, or `using`, says which rows are seen, `with_check` which may be written."""

    table_name: str
    policy_name: str
    schema: SchemaName = "public"
    cmd: Command = "ALL"
    roles: tuple[str, ...] = ("public",)
    qual: str | None = None
    using: str | None = None
    with_check: str | None = None
    is_permissive: bool = True


class ChangedPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to become of a policy; whatever is left out stays."""

    name: str
    table_name: str
    schema: SchemaName = "public"
    roles: tuple[str, ...] | None = None
    qual: str | None = None
    using: str | None = None
    with_check: str | None = None
    new_policy_name: str | None = None


class OnTable(msgspec.Struct, frozen=True, kw_only=True):
    """A policy or trigger, which is named within its table."""

    name: str
    table: TableName
    schema: SchemaName = "public"


class TriggerEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A trigger, once for each event it waits for."""

    table_name: str
    trigger_name: str
    action_timing: str
    event_manipulation: str
    action_orientation: str
    action_condition: str | None
    action_statement: str
    is_enabled: bool


class TriggerList(msgspec.Struct, frozen=True, kw_only=True):
    """A schema's triggers, by table and name."""

    triggers: tuple[TriggerEntry, ...]


class NewTrigger(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A trigger to be made; `columns` are those whose update it waits for, `when` is an expression of NEW and OLD."""

    table_name: str
    trigger_name: str
    function_name: str
    events: tuple[TriggerEvent, ...]
    schema: SchemaName = "public"
    function_schema: str = "public"
    timing: Timing = "BEFORE"
    orientation: Orientation = "ROW"
    columns: tuple[str, ...] = ()
    when: str | None = None
    arguments: tuple[str, ...] = ()


class SwitchedTrigger(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A trigger to be switched on or off."""

    name: str
    table_name: str
    enabled: bool
    schema: SchemaName = "public"
