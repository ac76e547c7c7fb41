"""Which tables can be made, how column types are called, how parameters are written."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec

from headwater.platform.database.errors import (
    ForbiddenStatement,
    InvalidName,
    InvalidTable,
    SchemaIsInternal,
    SystemColumnRefers,
    UnexplainableSql,
    WrongParameters,
)
from headwater.platform.database.models import ForeignKey, NewColumn, NewTable, Statement, WantedColumn, WantedTable

ParseType = Callable[[str], str]
"""Understands the name of any type of Postgres, or refuses it."""

AUTO_COLUMNS = (
    ("id", "uuid", "primary key default gen_random_uuid()"),
    ("created_at", "timestamptz", "default now()"),
    ("updated_at", "timestamptz", "default now()"),
)
"""What every table has besides its own columns: name, type and constraint."""

AUTO_FIELDS = tuple(name for name, _, _ in AUTO_COLUMNS)
EXPRESSIONS = frozenset({"now()", "gen_random_uuid()"})
"""The defaults that are expressions; every other default is a literal."""

_RESERVED = {"id": "uuid", "created_at": "datetime", "updated_at": "datetime"}
_SQL_TYPES = {
    "string": "text",
    "date": "date",
    "datetime": "timestamptz",
    "integer": "integer",
    "float": "double precision",
    "boolean": "boolean",
    "uuid": "uuid",
    "json": "jsonb",
}
_ALSO_CALLED = {
    "text": "string",
    "varchar": "string",
    "character varying": "string",
    "timestamptz": "datetime",
    "timestamp with time zone": "datetime",
    "timestamp": "datetime",
    "int": "integer",
    "int4": "integer",
    "double precision": "float",
    "double": "float",
    "float8": "float",
    "bool": "boolean",
    "jsonb": "json",
}
_PLAIN_SQL_TYPES = frozenset({"bigint", "smallint", "numeric", "real", "bytea", "time", "interval"})
_TYPE_OF_SQL = {
    "text": "string",
    "date": "date",
    "timestamp with time zone": "datetime",
    "integer": "integer",
    "double precision": "float",
    "boolean": "boolean",
    "uuid": "uuid",
    "jsonb": "json",
}
_SYSTEM_DEFAULTS = {"date": "now()", "datetime": "now()", "boolean": "false", "uuid": "gen_random_uuid()"}
_LONGEST_NAME = 63
_UNSPEAKABLE = re.compile(r'["\x00-\x1f\x7f]')
_LITERAL_DEFAULT = re.compile(r"'((?:[^']|'')*)'::[\w\s\"\[\]().,]+", re.DOTALL)
_LARGEST_EXACT = 2**53


def must_be_a_name(name: str, what: str) -> str:
    """The name as it is, if Postgres can hold all of it.

    Raises `InvalidName` for an empty one, one beyond 63 bytes of UTF-8 (Postgres would cut it silently), and one with
    double quotes or control characters.
    """
    if not name.strip() or len(name.encode("utf-8", "replace")) > _LONGEST_NAME or _UNSPEAKABLE.search(name):
        raise InvalidName(what=what)
    return name


def must_be_a_text(text: str, what: str) -> str:
    """The text as it is, if Postgres can hold it; raises `InvalidTable` for one with a NUL character."""
    if "\0" in text:
        raise InvalidTable(reason=f"{what}: a NUL character cannot be stored")
    return text


def must_be_developers_own(schema: str, internal: Collection[str]) -> None:
    """Let a schema be changed unless it is one of ours or of Postgres; raises `SchemaIsInternal`."""
    if schema in internal or schema.startswith("pg_"):
        raise SchemaIsInternal(schema=schema)


def new_table(wanted: WantedTable, parse_type: ParseType | None = None) -> NewTable:
    """The table that a request asks for, in whichever spelling.

    Columns that every table has are left out where their type agrees. `parse_type` understands types beyond the
    contract's words. Raises `InvalidName`, `InvalidTable` and `SystemColumnRefers`.
    """
    name = must_be_a_name(wanted.table_name or wanted.name or "", "tableName")
    columns = tuple(new_column(column, parse_type) for column in wanted.columns if not is_auto_field(column))
    if not columns:
        raise InvalidTable(reason="columns: a table needs at least one column of its own")
    known = {column.column_name for column in columns}
    if len(known) < len(columns):
        raise InvalidTable(reason="columns: a name is used twice")
    for key in wanted.foreign_keys:
        must_refer_from(key, known)
    return NewTable(
        schema=wanted.schema,
        name=name,
        columns=columns,
        foreign_keys=wanted.foreign_keys,
        row_security=_first(wanted.rls_enabled, wanted.use_rls, otherwise=True),
    )


def referred_table(key: ForeignKey, schema: str) -> tuple[str, str]:
    """Schema and name of the table that a foreign key of a table in `schema` points at."""
    before, dot, name = key.reference_table.partition(".")
    return (before, name) if dot else (schema, before)


def type_called(sql_type: str) -> str:
    """The contract's word for a type of Postgres, or Postgres' own where it has none."""
    return _TYPE_OF_SQL.get(sql_type, sql_type)


def default_called(expression: str) -> str:
    """A column's default as it would be asked for: a literal without its quotes and cast, an expression as it is."""
    literal = _LITERAL_DEFAULT.fullmatch(expression)
    return literal[1].replace("''", "'") if literal else expression


def must_be_harmless(statements: Sequence[Statement]) -> None:
    """Let SQL run unless a statement of it is forbidden; raises `ForbiddenStatement`."""
    for statement in statements:
        if statement.forbidden is not None:
            raise ForbiddenStatement(statement=statement.forbidden)


def must_be_explainable(statements: Sequence[Statement]) -> None:
    """Let one SELECT be explained, and nothing else; raises `UnexplainableSql`."""
    if len(statements) != 1 or not statements[0].is_select:
        raise UnexplainableSql


def must_be_alone(statements: Sequence[Statement], parameters: Sequence[object]) -> None:
    """Parameters belong to one statement; raises `WrongParameters` if there are several."""
    if parameters and len(statements) > 1:
        raise WrongParameters(reason="parameters can be given to a single statement only")


def must_match(parameters: Sequence[object], expected: int) -> None:
    """As many parameters as the statement names; raises `WrongParameters`."""
    if len(parameters) != expected:
        raise WrongParameters(reason=f"the statement takes {expected}, got {len(parameters)}")


def written_for_postgres(value: object, sql_type: str) -> str | None:
    """A JSON value as the text that Postgres reads for a type, the way node-pg writes it.

    Lists are array literals (JSON for a JSON type), objects are JSON, texts stay as they are.
    """
    if isinstance(value, dict) or (isinstance(value, list) and sql_type in {"json", "jsonb"}):
        return msgspec.json.encode(value).decode()
    if isinstance(value, list):
        return _array_literal(value)  # pyright: ignore[reportUnknownArgumentType] - a JSON array, of whatever
    return scalar_text(value)


def scalar_text(value: object) -> str | None:
    """A single JSON value as the text that Postgres reads; a whole number is one, however JSON wrote it."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < _LARGEST_EXACT:
            return str(int(value))
        case _:
            return str(value)


def _array_literal(items: Iterable[object]) -> str:
    return "{" + ",".join(_array_item(item) for item in items) + "}"


def _array_item(item: object) -> str:
    if item is None:
        return "NULL"
    if isinstance(item, list):
        return _array_literal(item)  # pyright: ignore[reportUnknownArgumentType] - a JSON array, of whatever
    text = msgspec.json.encode(item).decode() if isinstance(item, dict) else scalar_text(item) or ""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def is_auto_field(column: WantedColumn) -> bool:
    """Whether a column is one that every table has; raises `InvalidTable` if it has their name and another type."""
    name = column.column_name or column.name or ""
    wanted = _RESERVED.get(name)
    if wanted is None:
        return False
    if known_type(column.type) != wanted:
        raise InvalidTable(reason=f"columns: {name} is managed by the server and is of type {wanted}")
    return True


def new_column(column: WantedColumn, parse_type: ParseType | None = None) -> NewColumn:
    """The column that a request asks for; raises `InvalidName`, `InvalidTable` and what `parse_type` raises."""
    name = must_be_a_name(column.column_name or column.name or "", "columnName")
    kind = known_type(column.type, parse_type)
    nullable = _first(column.is_nullable, column.nullable, otherwise=True)
    return NewColumn(
        column_name=name,
        type=kind,
        sql_type=sql_type_of(kind),
        is_nullable=nullable,
        is_unique=_first(column.is_unique, column.unique, otherwise=False),
        default_value=_default_of(column, kind, nullable=nullable),
    )


def _default_of(column: WantedColumn, kind: str, *, nullable: bool) -> str | None:
    asked = scalar_text(column.default if column.default_value is None else column.default_value)
    if asked is None or (asked == "" and kind != "string"):
        return None if nullable else _SYSTEM_DEFAULTS.get(kind)
    return must_be_a_text(asked, "defaultValue")


def sql_type_of(kind: str) -> str:
    """What Postgres calls a type that `known_type` gave."""
    return _SQL_TYPES.get(kind, kind)


def known_type(name: str, parse_type: ParseType | None = None) -> str:
    """The contract's word for a type asked for, or a type of Postgres as `parse_type` has understood it.

    Raises `InvalidTable`, and what `parse_type` raises.
    """
    lowered = " ".join(name.lower().split())
    kind = _ALSO_CALLED.get(lowered, lowered)
    if kind in _SQL_TYPES or kind in _PLAIN_SQL_TYPES:
        return kind
    if parse_type is None:
        raise InvalidTable(reason=f"columns: type {name!r} is none of {', '.join(_SQL_TYPES)}")
    return parse_type(name)


def must_refer_from(key: ForeignKey, columns: Collection[str]) -> None:
    """Let a foreign key start from columns of its table; raises `InvalidTable`, `InvalidName`, `SystemColumnRefers`."""
    if not key.reference_columns:
        raise InvalidTable(reason="foreignKeys: a foreign key needs at least one pair of columns")
    for pair in key.reference_columns:
        if pair.source_column in AUTO_FIELDS:
            raise SystemColumnRefers(column=pair.source_column)
        if pair.source_column not in columns:
            raise InvalidTable(reason=f"foreignKeys: {pair.source_column!r} is no column of this table")
        must_be_a_name(pair.reference_column, "referenceColumn")
    for part in referred_table(key, "public"):
        must_be_a_name(part, "referenceTable")
    if key.constraint_name is not None:
        must_be_a_name(key.constraint_name, "constraintName")


def _first(*choices: bool | None, otherwise: bool) -> bool:
    return next((choice for choice in choices if choice is not None), otherwise)
