"""What a policy's expression costs: which calls it makes for every row, and by which columns it picks rows."""

from collections.abc import Collection, Iterator

from pglast import ast
from pglast.enums import A_Expr_Kind, SubLinkType
from pglast.parser import parse_sql, scan

from headwater.platform.database.parse.statements import nodes_of

_CLAIMS = frozenset({"uid", "jwt", "role", "email"})
_SELECT = "select "
_EQUALITIES = frozenset({A_Expr_Kind.AEXPR_OP, A_Expr_Kind.AEXPR_OP_ANY, A_Expr_Kind.AEXPR_IN})


def calls_per_row(expression: str) -> tuple[str, ...]:
    """The calls for the claims, as they are written, that Postgres makes anew for every row.

    In a scalar sub-select of their own they would be made once. `expression` is as Postgres writes it.
    """
    return tuple(expression[start:end] for start, end in _places(expression))


def wrap_calls(expression: str) -> str:
    """The same expression, with each such call in a scalar sub-select."""
    for start, end in sorted(_places(expression), reverse=True):
        expression = f"{expression[:start]}({_SELECT}{expression[start:end]}){expression[end:]}"
    return expression


def compared_columns(expression: str, table: str, columns: Collection[str]) -> tuple[str, ...]:
    """The columns of a policy's own table that are compared for equality with what the caller or other rows say.

    Constants do not count: few of them pick few rows. Columns inside sub-selects are qualified by Postgres.
    """
    found: dict[str, None] = {}
    for node in _outside_of_subselects(_parsed(expression)):
        for column, other in _comparisons(node):
            name = _own_column(column, table, columns)
            if name is not None and not _is_of(other, table, columns) and not _is_constant(other):
                found[name] = None
    return tuple(found)


def _parsed(expression: str) -> ast.Node | None:
    match parse_sql(f"{_SELECT}{expression}")[0].stmt:
        case ast.SelectStmt(targetList=(ast.ResTarget(val=ast.Node() as value),)):
            return value
        case _:
            return None


def _places(expression: str) -> list[tuple[int, int]]:
    """Where the calls stand, as slices of the expression."""
    tokens = [(token.start, token.end, token.name) for token in scan(f"{_SELECT}{expression}")]
    places: list[tuple[int, int]] = []
    for call in _calls(_parsed(expression)):
        start, depth = call.location or 0, 0
        for _, last, name in (token for token in tokens if token[0] >= start):
            depth += {"ASCII_40": 1, "ASCII_41": -1}.get(name, 0)
            if name == "ASCII_41" and depth == 0:
                places.append((start - len(_SELECT), last + 1 - len(_SELECT)))
                break
    return places


def _calls(root: ast.Node | None) -> Iterator[ast.FuncCall]:
    """The calls for the claims that are not in a scalar sub-select from nowhere, and not inside each other."""
    pending: list[object] = [root]
    while pending:
        item = pending.pop()
        if isinstance(item, tuple):
            pending += item
        elif isinstance(item, ast.FuncCall) and _asks_for_claims(item):
            yield item
        elif isinstance(item, ast.Node) and not _is_made_once(item):
            pending += [getattr(item, attribute) for attribute in item]


def _asks_for_claims(call: ast.FuncCall) -> bool:
    """Whether a call gives the same for every row of a statement: its arguments are no columns."""
    match call.funcname:
        case (ast.String(sval="auth"), ast.String(sval=str(name))) if name in _CLAIMS:
            pass
        case (*_, ast.String(sval="current_setting")):
            pass
        case _:
            return False
    return not any(isinstance(node, ast.ColumnRef) for node in nodes_of(call))


def _is_made_once(node: ast.Node) -> bool:
    match node:
        case ast.SubLink(subLinkType=SubLinkType.EXPR_SUBLINK, subselect=ast.SelectStmt(fromClause=None)):
            return True
        case _:
            return False


def _outside_of_subselects(root: ast.Node | None) -> Iterator[ast.Node]:
    """The nodes of an expression, and the tests before its sub-selects, but nothing within those."""
    pending: list[object] = [root]
    while pending:
        item = pending.pop()
        if isinstance(item, tuple):
            pending += item
        elif isinstance(item, ast.Node):
            yield item
            pending += [getattr(item, attribute) for attribute in item if attribute != "subselect"]


def _comparisons(node: ast.Node) -> Iterator[tuple[object, object]]:
    """Both sides of an equality, either way round."""
    match node:
        case ast.A_Expr(kind=kind, name=(ast.String(sval="="),), lexpr=left, rexpr=right) if kind in _EQUALITIES:
            yield left, right
            if kind is A_Expr_Kind.AEXPR_OP:
                yield right, left
        case ast.SubLink(subLinkType=SubLinkType.ANY_SUBLINK, testexpr=tested, subselect=subselect):
            yield tested, subselect
        case _:
            pass


def _own_column(node: object, table: str, columns: Collection[str]) -> str | None:
    match node:
        case ast.ColumnRef(fields=(ast.String(sval=str(name)),)) if name in columns:
            return name
        case ast.ColumnRef(fields=(*_, ast.String(sval=str(owner)), ast.String(sval=str(name)))) if owner == table:
            return name
        case _:
            return None


def _is_of(side: object, table: str, columns: Collection[str]) -> bool:
    """Whether a side of a comparison says something of the very row; in a sub-select only what is qualified does."""
    return any(_own_column(node, table, columns) is not None for node in nodes_of(side))


def _is_constant(side: object) -> bool:
    """Whether a side is written out: no call, no column, no sub-select."""
    telling = (ast.FuncCall, ast.ColumnRef, ast.SelectStmt, ast.SQLValueFunction)
    return not any(isinstance(node, telling) for node in nodes_of(side))
