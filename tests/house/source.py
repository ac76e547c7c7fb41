"""The source tree as the laws read it: every module once, parsed; and every statement of SQL it holds."""

import ast
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pglast import parse_sql
from pglast.ast import RawStmt
from pglast.parser import ParseError

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "headwater"
INTERPOLATED = "interpolated"
"""Stands where an f-string puts a value that only the running program knows."""


class Module(NamedTuple):
    """One module: its path below src/headwater, and its syntax tree."""

    path: str
    tree: ast.Module

    def at(self, node: ast.AST, fault: str) -> str:
        """A violation, where an editor can jump to it."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {fault}"


def module(path: str, text: str) -> Module:
    """A module from its text, as the laws' own tests plant it."""
    return Module(path, ast.parse(text))


@functools.cache
def modules() -> tuple[Module, ...]:
    """Every module of the package but the apps' own tests; the templates of new apps are not Python yet."""
    return tuple(
        module(path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "tests" not in path.relative_to(PACKAGE).parts
    )


def everywhere(violations: Callable[[Module], list[str]]) -> list[str]:
    """What a law finds in the whole package."""
    return [fault for source in modules() for fault in violations(source)]


def migrations() -> Iterator[tuple[str, str]]:
    """Path below src/headwater and text of every SQL file."""
    for path in sorted(PACKAGE.rglob("*.sql")):
        yield path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8")


def holds_sql(path: str) -> bool:
    """Whether a module is one of SQL's homes."""
    parts = Path(path).with_suffix("").parts
    return parts[-1] in {"queries", "sql"} or "queries" in parts[:-1] or "sql" in parts[:-1]


def docstrings(tree: ast.AST) -> set[ast.AST]:
    """The nodes of a tree that are prose: docstrings, also those of fields."""
    return {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def strings(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Every string of a tree that is not prose, f-strings and concatenations with their unknown parts named."""
    prose = docstrings(tree)
    inner: set[ast.AST] = set()
    for node in ast.walk(tree):
        if node in inner or node in prose or not isinstance(node, ast.expr):
            continue
        text = _text(node)
        if text is not None:
            inner.update(ast.walk(node))
            yield node, text


def _text(node: ast.expr) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(value) or INTERPOLATED for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            halves = _text(left), _text(right)
            return None if halves == (None, None) else "".join(half or INTERPOLATED for half in halves)
        case _:
            return None


def parsed(text: str) -> tuple[RawStmt, ...] | None:
    """The statements of a text, or None if Postgres would not understand it."""
    try:
        return parse_sql(text)
    except ParseError:
        return None
