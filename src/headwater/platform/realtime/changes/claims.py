"""Which claims a policy reads, as far as its text tells."""

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from pglast import ast
from pglast.enums import A_Expr_Kind
from pglast.parser import ParseError, parse_sql

from headwater.platform.realtime.models import Relation

_CLAIM_OF = {"uid": "sub", "role": "role", "email": "email"}
_SETTING = "request.jwt.claims"
_PICKING = frozenset({"->", "->>"})
_TELLING = (
    "current_setting",
    "set_config",
    "_to_xml",
    "_to_xmlschema",
    "_to_xml_and_xmlschema",
    "pg_read_",
    "lo_get",
    "ts_stat",
    "ts_rewrite",
)
"""Functions of Postgres itself that may tell anything, by how their names end or begin."""


class Opaque(Exception):
    """What a policy reads does not stand in its text."""


class Reading:
    """What the policies that hold for a role read: claims (None: perhaps any), and names that may be columns."""

    __slots__ = ("claims", "names")

    def __init__(self, claims: frozenset[str] | None, names: frozenset[str]) -> None:
        self.claims = claims
        self.names = names


def read_by(relations: Iterable[Relation], role: str, enumerations: Collection[str] = ()) -> Reading:
    """What the policies of a table read for a role, together with those of the tables that they look into.

    A cast to a type that is neither Postgres' own nor one of `enumerations` may run anybody's function.
    """
    known = {(each.schema, each.name): each for each in relations}
    waiting = [each for each in known.values() if each.itself]
    seen: set[tuple[str, str]] = set()
    claims: set[str] | None = set()
    names: set[str] = set()
    while waiting:
        relation = waiting.pop()
        key = (relation.schema, relation.name)
        if key in seen or role not in relation.guarded:
            continue
        seen.add(key)
        for policy in relation.policies:
            if role not in policy.roles:
                continue
            found = _read_in(policy.statement)
            names |= found.names
            looked_into = [known.get(each) for each in found.tables]
            unclear = any(each is None or not each.plain for each in looked_into)
            if found.claims is None or unclear or not found.types.issubset(enumerations):
                claims = None
            elif claims is not None:
                claims |= found.claims
            waiting += [each for each in looked_into if each is not None]
    return Reading(None if claims is None else frozenset(claims), frozenset(names))


class _Found:
    """What stands in one expression."""

    __slots__ = ("claims", "names", "tables", "types")

    def __init__(self, statement: str) -> None:
        self.names: set[str] = set()
        self.tables: set[tuple[str, str]] = set()
        self.types: set[str] = set()
        claims: set[str] = set()
        self.claims: set[str] | None = claims
        try:
            for claim in self._claims_in(parse_sql(statement)):
                claims.add(claim)
        except (Opaque, ParseError):
            self.claims = None
            self._note_names(statement)

    def _note_names(self, statement: str) -> None:
        """Know the columns even so: any word of the text may be one."""
        self.names.update(statement.replace('"', " ").replace(".", " ").replace("(", " ").replace(")", " ").split())

    def _claims_in(self, node: object) -> Iterator[str]:
        claim = _picked(node)
        if claim is not None:
            yield claim
            return
        match node:
            case ast.FuncCall():
                yield from _claims_of(node)
            case ast.RangeVar():
                self.tables.add((node.schemaname or "", node.relname or ""))
            case ast.ColumnRef():
                self.names.update(each.sval or "" for each in node.fields or () if isinstance(each, ast.String))
            case ast.A_Expr() | ast.SortBy() | ast.SubLink() if _is_foreign(node):
                raise Opaque
            case ast.TypeName() if not _is_of_postgres(node):
                self.types.add(_qualified(node))
            case _:
                pass
        for child in _children(node):
            yield from self._claims_in(child)


@lru_cache(1024)
def _read_in(statement: str) -> _Found:
    return _Found(statement)


def _claims_of(call: ast.FuncCall) -> Iterator[str]:
    """The claim that a function tells, none for one of Postgres' own; of any other nobody can say."""
    *schema, name = [part.sval for part in call.funcname or ()]
    if schema == ["auth"] and name in _CLAIM_OF:
        yield _CLAIM_OF[name]
    elif schema not in ([], ["pg_catalog"]) or name.startswith(_TELLING) or name.endswith(_TELLING):
        raise Opaque


def _picked(node: object) -> str | None:
    """The claim in `auth.jwt() ->> 'x'`, or in the setting's text taken as JSON."""
    match node:
        case ast.A_Expr(
            name=(ast.String(sval=operator),),
            lexpr=source,
            rexpr=ast.TypeCast(arg=ast.A_Const(val=ast.String(sval=key))),
        ) if operator in _PICKING and _is_claims(source):
            return key
        case ast.A_Expr(
            name=(ast.String(sval=operator),), lexpr=source, rexpr=ast.A_Const(val=ast.String(sval=key))
        ) if operator in _PICKING and _is_claims(source):
            return key
        case _:
            return None


def _is_claims(node: object) -> bool:
    """Whether an expression is all the claims: `auth.jwt()`, the setting cast to JSON, or a subquery of either."""
    match node:
        case ast.FuncCall(funcname=(ast.String(sval="auth"), ast.String(sval="jwt"))):
            return True
        case ast.FuncCall(funcname=(ast.String(sval="current_setting"),), args=(first, *_)):
            return _text(first) == _SETTING
        case ast.A_Expr(kind=A_Expr_Kind.AEXPR_NULLIF, lexpr=first, rexpr=second):
            return _is_claims(first) and _text(second) is not None
        case ast.TypeCast(arg=inner, typeName=ast.TypeName() as kind):
            return _is_of_postgres(kind) and _is_claims(inner)
        case ast.SubLink(
            testexpr=None, subselect=ast.SelectStmt(targetList=(ast.ResTarget(val=inner),), fromClause=None)
        ):
            return _is_claims(inner)
        case _:
            return False


def _text(node: object) -> str | None:
    match node:
        case ast.TypeCast(arg=inner, typeName=ast.TypeName() as kind) if _is_of_postgres(kind):
            return _text(inner)
        case ast.A_Const(val=ast.String(sval=text)):
            return text
        case _:
            return None


def _is_foreign(node: ast.A_Expr | ast.SortBy | ast.SubLink) -> bool:
    """Whether an operator is none of Postgres' own: it is written with its schema."""
    names = {ast.A_Expr: "name", ast.SortBy: "useOp", ast.SubLink: "operName"}
    return len(getattr(node, names[type(node)]) or ()) > 1


def _is_of_postgres(kind: ast.TypeName) -> bool:
    """Whether a type is Postgres' own, so that no cast to it runs a function of the developer's."""
    return [part.sval for part in kind.names or ()][:-1] in ([], ["pg_catalog"])


def _qualified(kind: ast.TypeName) -> str:
    """A type's name with its schema."""
    return ".".join(part.sval or "" for part in kind.names or ())


def _children(node: object) -> Iterator[object]:
    if isinstance(node, ast.Node):
        for name in node:
            yield getattr(node, name)
    elif isinstance(node, tuple | list):
        yield from node  # pyright: ignore[reportUnknownVariableType]
