"""SQL texts taken apart by Postgres' own grammar, so that what they would do is known before they run."""

from collections.abc import Iterator
from typing import Any

from pglast import ast
from pglast.enums import VariableSetKind
from pglast.parser import ParseError

from headwater.platform.database.errors import UnparsableSql
from headwater.platform.database.models import Statement
from headwater.platform.database.parse.trees import cut_statements, plain_insert, tree_of

_GUARDED_SETTINGS = frozenset({"role", "session_authorization", "search_path", "statement_timeout", "client_encoding"})
_ROWS_ONLY = (ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt, ast.VariableShowStmt)
_FORBIDDEN: dict[type[ast.Node], str] = {
    ast.TransactionStmt: "Transaction control",
    ast.CreateRoleStmt: "CREATE ROLE",
    ast.AlterRoleStmt: "ALTER ROLE",
    ast.AlterRoleSetStmt: "ALTER ROLE",
    ast.DropRoleStmt: "DROP ROLE",
    ast.GrantRoleStmt: "Granting roles",
    ast.DropdbStmt: "DROP DATABASE",
    ast.AlterDatabaseSetStmt: "ALTER DATABASE … SET",
    ast.DiscardStmt: "DISCARD",
}


def parse_statements(text: str) -> tuple[Statement, ...]:
    """The statements of a text, each with what it would do.

    What functions and DO blocks run inside themselves cannot be seen here; the login they run under holds them.
    Raises `UnparsableSql` with Postgres' message and the position, in characters from 1.
    """
    if "\0" in text:
        raise UnparsableSql(reason="a NUL character", position=text.index("\0") + 1)
    start = 0
    statements: list[Statement] = []
    try:
        for piece in cut_statements(text):
            start = piece.start
            statements.append(_statement(text[piece], start))
    except ParseError as error:
        reason, place = (*error.args, 0)[:2]
        raise UnparsableSql(reason=reason, position=start + _position(text[start:], place)) from error
    except UnicodeEncodeError as error:
        raise UnparsableSql(reason="half of a surrogate pair", position=error.start + 1) from error
    return tuple(statements)


def _position(text: str, place: int | None) -> int:
    """Where Postgres points to, from 1; pglast takes its characters for bytes and turns them into too few."""
    return len(text[: place or 0].encode()) + 1


def _statement(text: str, start: int) -> Statement:
    if plain_insert(text):
        return Statement(text=text, start=start, is_select=False, changes_schema=False, forbidden=None)
    node = tree_of(text)
    return Statement(
        text=text,
        start=start,
        is_select=_is_plain_select(node),
        changes_schema=not _touches_rows_only(node),
        forbidden=_forbidden(node),
    )


def _is_plain_select(node: ast.Node | None) -> bool:
    return isinstance(node, ast.SelectStmt) and node.intoClause is None


def _touches_rows_only(node: ast.Node | None) -> bool:
    if isinstance(node, ast.ExplainStmt):
        return _touches_rows_only(node.query)
    return isinstance(node, _ROWS_ONLY) and (not isinstance(node, ast.SelectStmt) or _is_plain_select(node))


def _forbidden(node: ast.Node | None) -> str | None:
    """What a statement does that nobody may do here, in words."""
    if isinstance(node, tuple(_FORBIDDEN)):
        return _FORBIDDEN[type(node)]
    match node:
        case ast.VariableSetStmt(kind=VariableSetKind.VAR_RESET_ALL):
            return "RESET ALL"
        case ast.VariableSetStmt(kind=VariableSetKind.VAR_SET_MULTI):
            return "Transaction control"
        case ast.VariableSetStmt(name=str(name)) if name.lower() in _GUARDED_SETTINGS:
            return f"Setting {name.lower()}"
        case ast.CopyStmt(filename=None):
            return "COPY with a client's stream"
        case _:
            return next((f"Setting {name}" for name in _set_by_call(node) if name in _GUARDED_SETTINGS), None)


def _set_by_call(node: ast.Node | None) -> Iterator[str]:
    """The settings that calls of `set_config` name."""
    for inner in nodes_of(node):
        match inner:
            case ast.FuncCall(
                funcname=(*_, ast.String(sval="set_config")),
                args=(ast.A_Const(val=ast.String(sval=str(name))), *_),
            ):
                yield name.lower()
            case _:
                pass


def nodes_of(node: object) -> Iterator[ast.Node]:
    """A node, or the nodes of a tuple, and every node below; walked without recursion, because SQL may nest deeply."""
    pending: list[object] = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, tuple):
            pending += item
        elif isinstance(item, ast.Node):
            yield item
            pending += [getattr(item, attribute) for attribute in item]


def written_tables(text: str) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Schema and name of the tables that a text makes, and of those that it inserts into."""
    made: set[tuple[str, str]] = set()
    written: set[tuple[str, str]] = set()
    for piece in cut_statements(text):
        if table := plain_insert(text[piece]):
            written.add(table)
            continue
        match tree_of(text[piece]):
            case ast.CreateStmt() as node:
                made.add(_table(node.relation))
            case ast.InsertStmt() as node:
                written.add(_table(node.relation))
            case _:
                pass
    return made, written


def _table(relation: Any) -> tuple[str, str]:
    return relation.schemaname or "public", relation.relname
