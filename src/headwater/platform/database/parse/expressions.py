"""Expressions and types of a caller's, taken as what they claim to be, or refused."""

from pglast import ast
from pglast.parser import ParseError, scan

from headwater.platform.database.errors import InvalidExpression, InvalidType
from headwater.platform.database.parse.statements import nodes_of
from headwater.platform.database.parse.trees import cut_statements, tree_of

_FOREIGN_TOKENS = frozenset({"SQL_COMMENT", "C_COMMENT", "ASCII_59"})
"""Comments and the semicolon: no expression needs them."""
_NOT_FIRST = frozenset({"ALL", "DISTINCT"})
"""Words that belong to SELECT, not to what is selected."""
_LONGEST = 20_000
"""Characters; nobody writes so long an expression by hand, and its tokens are read on the event loop."""
_OF_EVERY_SELECT = frozenset({"targetList", "groupDistinct", "limitOption", "op", "all"})
_SETTERS = frozenset({"set_config"})


def parse_expression(text: str, what: str) -> str:
    """The text, if it is one expression and nothing more, so that in parentheses it stays one.

    Comments are refused, because one could swallow what follows, and so is `set_config`, whose effect would outlive
    the statement. Raises `InvalidExpression`, naming `what`.
    """
    value = _only_target(text, InvalidExpression(what=what, reason="must be one SQL expression"))
    if isinstance(value, ast.SetToDefault) or any(_is_setter(node) for node in nodes_of(value)):
        raise InvalidExpression(what=what, reason="set_config and DEFAULT are not allowed here")
    return text.strip()


def parse_type(text: str) -> str:
    """The text, if it is the name of a type, such as `numeric(10, 2)`, `text[]` or `public.mood`.

    Whether there is such a type, Postgres says. Raises `InvalidType`.
    """
    refusal = InvalidType(type=text)
    match _only_target(f"null::{text}", refusal):
        case ast.TypeCast(arg=ast.A_Const(), typeName=ast.TypeName()):
            return text.strip()
        case _:
            raise refusal


def _only_target(text: str, refusal: InvalidExpression | InvalidType) -> ast.Node:
    """What a text selects, if it selects one thing from nowhere, unnamed."""
    if len(text) > _LONGEST:
        raise refusal
    query = f"select {text}"
    try:
        tokens = [token.name for token in scan(query)]
        statements = [tree_of(query[piece]) for piece in cut_statements(query)]
    except (ParseError, UnicodeEncodeError) as failure:
        raise refusal from failure
    if "\0" in text or _FOREIGN_TOKENS.intersection(tokens) or _NOT_FIRST.intersection(tokens[1:2]):
        raise refusal
    match statements:
        case [ast.SelectStmt(targetList=(ast.ResTarget(name=None, val=ast.Node() as value),)) as found]:
            extras = [name for name in found if name not in _OF_EVERY_SELECT and getattr(found, name)]
            if not extras and not _is_star(value):
                return value
        case _:
            pass
    raise refusal


def _is_star(value: ast.Node) -> bool:
    return isinstance(value, ast.ColumnRef) and isinstance((value.fields or (None,))[-1], ast.A_Star)


def _is_setter(node: ast.Node) -> bool:
    match node:
        case ast.FuncCall(funcname=(*_, ast.String(sval=str(name)))):
            return name in _SETTERS
        case _:
            return False
