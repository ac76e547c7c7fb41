"""A component's SQL names only its own schemas."""

import ast
from collections.abc import Iterator
from typing import Any, cast

import pytest
from pglast import ast as pg
from pglast import parse_plpgsql
from pglast.stream import RawStream
from pglast.visitors import Visitor

from tests.house.source import INTERPOLATED, Module, holds_sql, migrations, module, modules, parsed, strings

CATALOGS = {"pg_catalog", "information_schema", INTERPOLATED}
CLAIMS = {"uid", "role", "email", "jwt"}
READS_TOO = {"platform/system": {"system"}}
OWNS_THERE = {
    "platform/database": {
        "system.custom_migrations",
        "system.database_backups",
        "system.database_config",
        "system.advisor_scans",
        "system.advisor_suppressions",
    }
}
"""Tables that a component makes in the kernel's schema, because the contract names them there (docs/decisions/0017)."""
UNQUALIFIED = " names no schema"


class Naming(Visitor):
    """Collects what a tree of SQL names outside the schemas it may name."""

    def __init__(self, own: set[str]) -> None:
        super().__init__()
        self.own = own | CATALOGS
        self.local: set[str] = set()
        self.foreign: list[str] = []

    def visit_CommonTableExpr(self, _ancestors: object, node: Any) -> None:  # noqa: N802 - pglast's dispatch
        """A name given inside the statement is its own."""
        self.local.add(node.ctename)

    def visit_RangeVar(self, ancestors: Any, node: Any) -> None:  # noqa: N802 - pglast's dispatch
        """A table; `auth.users(id)` may be referred to by everyone."""
        constraint = ancestors.node
        columns = [column.sval for column in getattr(constraint, "pk_attrs", None) or ()]
        if (node.schemaname, node.relname, columns) == ("auth", "users", ["id"]):
            return
        if node.schemaname is None and not self._known(node.relname):
            self.foreign.append(node.relname + UNQUALIFIED)
        self._check(node.schemaname, node.relname)

    def visit_FuncCall(self, _ancestors: object, node: Any) -> None:  # noqa: N802 - pglast's dispatch
        """A function; those that read the claims are everyone's."""
        schema, name = _qualified(node.funcname)
        if not (schema == "auth" and name in CLAIMS):
            self._check(schema, name)

    def visit_TypeName(self, _ancestors: object, node: Any) -> None:  # noqa: N802 - pglast's dispatch
        """A type."""
        self._check(*_qualified(node.names))

    def visit_CreateSchemaStmt(self, _ancestors: object, node: Any) -> None:  # noqa: N802 - pglast's dispatch
        """A schema."""
        self._check(node.schemaname, "")

    def visit_CreateFunctionStmt(self, _ancestors: object, node: Any) -> None:  # noqa: N802 - pglast's dispatch
        """A function made here, and the SQL inside it."""
        self._check(*_qualified(node.funcname))
        options = {option.defname: option.arg for option in node.options or ()}
        if "as" not in options:
            return
        body = options["as"][0].sval
        texts = _plpgsql(pg.RawStmt(stmt=node)) if options["language"].sval == "plpgsql" else [body]
        for text in texts:
            self.foreign += foreign_names(text, self.own | self.local)

    def visit_CreateTrigStmt(self, _ancestors: object, node: Any) -> None:  # noqa: N802 - pglast's dispatch
        """The tables in which a trigger's function finds the rows of a statement."""
        self.local.update(transition.name for transition in node.transitionRels or ())

    def _known(self, name: str) -> bool:
        return name in self.local or name in {"new", "old"} or name.startswith(("pg_", INTERPOLATED))

    def _check(self, schema: str | None, name: str) -> None:
        if schema is not None and schema not in self.own:
            self.foreign.append(f"{schema}.{name}")


def _qualified(names: Any) -> tuple[str | None, str]:
    *schema, name = [part.sval for part in names or ()] or [""]
    return (schema[-1] if schema else None), name


def _plpgsql(statement: pg.RawStmt) -> Iterator[str]:
    """The statements and expressions inside a plpgsql function."""
    pending: list[Any] = list(parse_plpgsql(RawStream()(statement)))
    while pending:
        node = pending.pop()
        match node:
            case {"query": str(query)}:
                yield query
            case dict():
                pending += cast("dict[str, Any]", node).values()
            case list():
                pending += cast("list[Any]", node)
            case _:
                pass


def foreign_names(text: str, own: set[str]) -> list[str]:
    """What a text of SQL names that is not its own; nothing if Postgres would not understand the text."""
    naming = Naming(own)
    for statement in parsed(text) or ():
        naming(statement)
    local = naming.local
    return [name for name in naming.foreign if name.removesuffix(UNQUALIFIED) not in local]


def owner_of(path: str) -> str:
    """The component or kernel room that a file belongs to."""
    floor, _, rest = path.partition("/")
    return f"{floor}/{rest.split('/')[0]}" if floor in {"apps", "platform"} else floor


def schemas_of(sources: tuple[Module, ...]) -> dict[str, set[str]]:
    """Each component's own schemas, as its COMPONENT says; the kernel's is `system`."""
    owned = {"kernel": {"system"}}
    for source in sources:
        for node in ast.walk(source.tree):
            match node:
                case ast.Call(func=ast.Name(id="Component"), keywords=keywords):
                    stated = {k.arg: k.value for k in keywords}.get("schemas", ast.Tuple(elts=[]))
                    owned[owner_of(source.path)] = set(ast.literal_eval(stated))
                case _:
                    pass
    return owned


def violations(path: str, texts: list[str], owned: dict[str, set[str]]) -> list[str]:
    """Foreign names in the texts of one file."""
    owner = owner_of(path)
    own = owned.get(owner, set()) | READS_TOO.get(owner, set())
    there = OWNS_THERE.get(owner, set())
    found = [name for text in texts for name in foreign_names(text, own) if name not in there]
    if path.endswith("/sql.py") or "/sql/" in path:
        # Statements are composed there: a piece may name what another piece's `with` defines.
        found = [name for name in found if not name.endswith(UNQUALIFIED)]
    return [f"{path}: {name}" for name in found]


def test_sql_names_only_its_own_schemas() -> None:
    owned = schemas_of(modules())
    written = [(s.path, [text for _, text in strings(s.tree)]) for s in modules() if holds_sql(s.path)]
    written += [(path, [text]) for path, text in migrations()]
    assert [fault for path, texts in written for fault in violations(path, texts, owned)] == []


@pytest.mark.parametrize(
    "planted",
    [
        "select * from messages.messages",
        "select * from notes",
        "insert into system.jobs values (1)",
        "select credits.charge($1)",
        "select * from auth.users",
        "create table notes.a (user_id uuid references auth.users (email))",
        "create function notes.f() returns int language sql as $$ select count(*) from credits.balances $$",
        "create function notes.f() returns int language plpgsql as $$ begin delete from credits.balances; end $$",
    ],
)
def test_planted_names_are_found(planted: str) -> None:
    assert violations("apps/notes/queries.py", [planted], {"apps/notes": {"notes"}})


@pytest.mark.parametrize(
    "honest",
    [
        "with mine as (select * from notes.notes where owner = auth.uid()) select count(*) from mine",
        "create table notes.notes (owner uuid not null references auth.users (id) on delete cascade)",
        "select relname from pg_class join information_schema.tables on true",
        f"select * from {INTERPOLATED}",
        "create function notes.f() returns int language plpgsql as $$ begin delete from notes.notes; return 1; end $$",
        (
            "create function notes.t() returns trigger language plpgsql as $$ begin perform count(*) from gone; end $$;"
            "create trigger t after delete on notes.notes referencing old table as gone execute function notes.t()"
        ),
    ],
)
def test_own_names_are_welcome(honest: str) -> None:
    assert violations("apps/notes/queries.py", [honest], {"apps/notes": {"notes"}}) == []


def test_system_may_read_the_kernels_schema() -> None:
    text = "select count(*) from system.jobs"
    assert violations("platform/system/queries.py", [text], {"platform/system": set()}) == []
    assert violations("platform/records/queries.py", [text], {"platform/records": set()})


def test_schemas_are_read_from_the_declaration() -> None:
    card = module("apps/notes/__init__.py", 'COMPONENT = Component(name="notes", schemas=("notes", "drafts"))')
    assert schemas_of((card,)) == {"kernel": {"system"}, "apps/notes": {"notes", "drafts"}}
