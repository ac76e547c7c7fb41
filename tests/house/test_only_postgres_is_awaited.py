"""While a connection is held, only Postgres is awaited: a slow neighbour must not empty the pool."""

import ast
from collections.abc import Iterator

import pytest

from tests.house.source import Module, everywhere, module

HELD = "tx"
TRANSACTION_TYPES = {"ReadingTransaction", "WritingTransaction", "Transaction"}
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def violations(source: Module) -> list[str]:
    """Awaits that neither call the transaction nor hand it on, wherever one is held."""
    found = list(_misnamed(source))
    for node in ast.walk(source.tree):
        match node:
            case ast.AsyncFunctionDef(body=body) if _holds(node):
                found += [source.at(outside, f"{node.name} awaits more than Postgres") for outside in _outside(body)]
            case ast.Lambda(body=body) if _holds(node):
                found += [source.at(outside, "a lambda awaits more than Postgres") for outside in _outside([body])]
            case ast.AsyncWith(items=items, body=body) if any(_binds(item) for item in items):
                found += [source.at(outside, "awaited while a connection is held") for outside in _outside(body)]
            case _:
                pass
    return found


def _misnamed(source: Module) -> Iterator[str]:
    """A transaction under another name would hide from this law."""
    for node in ast.walk(source.tree):
        match node:
            case ast.arg(arg=name, annotation=ast.expr() as kind) if (
                _last_name(kind) in TRANSACTION_TYPES and name != HELD
            ):
                yield source.at(node, f"a transaction is called {HELD}, not {name}")
            case _:
                pass


def _holds(function: Function) -> bool:
    return any(a.annotation is None or _last_name(a.annotation) != "Transactions" for a in _named(function))


def _named(function: Function) -> list[ast.arg]:
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return [argument for argument in every if argument.arg == HELD]


def _binds(item: ast.withitem) -> bool:
    return isinstance(item.optional_vars, ast.Name) and item.optional_vars.id == HELD


def _last_name(annotation: ast.expr) -> str:
    return ast.unparse(annotation).strip("'\"").rpartition(".")[2]


def _outside(body: list[ast.stmt] | list[ast.expr]) -> Iterator[ast.AST]:
    """What is waited for in a body that is not the transaction's; functions with a `tx` of their own are their own."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, Function) and _named(node):
            continue
        match node:
            case ast.Await(value=waited) | ast.AsyncFor(iter=waited):
                if not _is_the_transactions(waited):
                    yield node
            case ast.AsyncWith(items=items):
                if not all(_is_the_transactions(item.context_expr) for item in items):
                    yield node
            case _:
                pass
        pending += ast.iter_child_nodes(node)


def _is_the_transactions(waited: ast.expr) -> bool:
    if not isinstance(waited, ast.Call):
        return False
    called = waited.func
    while isinstance(called, ast.Attribute):
        called = called.value
    passed = [*waited.args, *(keyword.value for keyword in waited.keywords)]
    return any(ast.unparse(value) in {HELD, f"{HELD}.connection"} for value in [called, *passed])


def test_nothing_else_is_awaited() -> None:
    assert everywhere(violations) == []


@pytest.mark.parametrize(
    "planted",
    [
        "async def add(self, tx, body):\n    await self.mail.send(body)",
        "async def add(self, tx, body):\n    async with self.gate:\n        pass",
        "async def add(self, tx):\n    await asyncio.gather(a(tx), b(tx))",
        "async def add(self):\n    async with self.database.writing() as tx:\n        await self.http.fetch()",
        "async def add(self):\n    return await self.run(lambda tx: (await self.http.fetch()))",
        "async def add(self, transaction: WritingTransaction): ...",
        "async def add(self, tx):\n    async def later():\n        await self.fetch()\n    return await run(tx, later)",
    ],
)
def test_planted_awaits_are_found(planted: str) -> None:
    assert violations(module("apps/notes/operations.py", planted))


@pytest.mark.parametrize(
    "honest",
    [
        "async def add(self, tx, body):\n    row = await tx.row(Q)\n    return await queries.add_note(tx, row)",
        "async def add(self, tx: Transactions, body):\n    await self.mail.send(body)",
        "async def add(self):\n    await self.hash()\n    async with self.writing() as tx:\n        await add_note(tx)",
    ],
)
def test_honest_waiting_is_left_alone(honest: str) -> None:
    assert violations(module("apps/notes/operations.py", honest)) == []
