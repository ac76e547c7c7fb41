"""What the statements of a migration may do that is regretted later, read from their syntax alone."""

from collections.abc import Iterator
from typing import Any

from pglast import ast
from pglast.enums import AlterTableType as Alter
from pglast.enums import ConstrType, DropBehavior, ObjectType

from headwater.platform.database.models import Finding, RiskCode
from headwater.platform.database.parse.trees import cut_statements, plain_insert, tree_of

_STABLE_CALLS = frozenset({"now", "transaction_timestamp", "current_setting"})
"""Called once for a whole ALTER TABLE, so that existing rows need no rewriting."""
_ALONE = (ast.VacuumStmt, ast.CreatedbStmt, ast.CreateTableSpaceStmt, ast.AlterSystemStmt)
_LOCKING = {
    Alter.AT_DropConstraint: "its constraint {name}",
    Alter.AT_DisableTrig: "its trigger {name}",
    Alter.AT_AttachPartition: "its partitions",
    Alter.AT_DetachPartition: "its partitions",
}
_SERIALS = frozenset({"serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"})
_RENAMED = {ObjectType.OBJECT_TABLE, ObjectType.OBJECT_COLUMN, ObjectType.OBJECT_VIEW, ObjectType.OBJECT_SCHEMA}


def find_risks(text: str) -> tuple[Finding, ...]:
    """The findings of a text that can be parsed, in the order of its statements.

    Tables that the same text makes are empty when the rest of it runs, so they are no risk but for one thing: made
    without row-level security.
    """
    pieces = [text[piece] for piece in cut_statements(text)]
    statements: list[Any] = [None if plain_insert(piece) else tree_of(piece) for piece in pieces]
    made = {_made_by(node) for node in statements} - {None}
    found = [finding for number, node in enumerate(statements, 1) for finding in _of(node, number)]
    protected = {_protected_by(node) for node in statements} - {None}
    return tuple(
        finding
        for finding in found
        if finding.table not in made or (finding.code is RiskCode.NO_ROW_SECURITY and finding.table not in protected)
    )


def _of(tree: Any, number: int) -> Iterator[Finding]:  # noqa: C901, PLR0912 - one case for each kind of statement
    node: object = tree  # what is matched is narrowed, and pglast's attributes are known by name only
    match node:
        case ast.CreateStmt() if tree.relation.relpersistence != "t" and not tree.partbound:
            yield Finding(code=RiskCode.NO_ROW_SECURITY, statement=number, table=_name(tree.relation))
        case ast.CreateTableAsStmt() if tree.into.rel.relpersistence != "t":
            if tree.objtype is ObjectType.OBJECT_TABLE:
                yield Finding(code=RiskCode.NO_ROW_SECURITY, statement=number, table=_name(tree.into.rel))
        case ast.AlterTableStmt() if tree.objtype is ObjectType.OBJECT_TABLE:
            for command in tree.cmds:
                yield from _of_command(command, number, _name(tree.relation))
        case ast.DropStmt():
            yield from _of_drop(node, number)
        case ast.TruncateStmt():
            for relation in tree.relations:
                yield Finding(code=RiskCode.EMPTIES_TABLE, statement=number, table=_name(relation))
        case ast.DeleteStmt(whereClause=None):
            yield Finding(code=RiskCode.EMPTIES_TABLE, statement=number, table=_name(tree.relation))
        case ast.UpdateStmt(whereClause=None):
            yield Finding(code=RiskCode.CHANGES_EVERY_ROW, statement=number, table=_name(tree.relation))
        case ast.IndexStmt(concurrent=True) | ast.ReindexStmt() | ast.DropdbStmt():
            yield Finding(code=RiskCode.NO_TRANSACTION, statement=number)
        case ast.IndexStmt():
            yield Finding(
                code=RiskCode.BUILDS_INDEX, statement=number, table=_name(tree.relation), subject=tree.idxname or ""
            )
        case ast.ClusterStmt() if tree.relation:
            yield Finding(code=RiskCode.REWRITES_TABLE, statement=number, table=_name(tree.relation))
        case ast.RenameStmt() if tree.renameType in _RENAMED:
            table = _name(tree.relation) if tree.relation else None
            yield Finding(code=RiskCode.RENAMES, statement=number, table=table, subject=tree.subname or "")
        case ast.CreateTrigStmt():
            yield Finding(
                code=RiskCode.LOCKS_TABLE,
                statement=number,
                table=_name(tree.relation),
                subject=f"trigger {tree.trigname}",
            )
        case ast.DoStmt() | ast.CallStmt():
            yield Finding(code=RiskCode.UNSEEN, statement=number)
        case _ if isinstance(tree, _ALONE):
            yield Finding(code=RiskCode.NO_TRANSACTION, statement=number)
        case _:
            return


def _of_drop(node: Any, number: int) -> Iterator[Finding]:
    match node.removeType:
        case ObjectType.OBJECT_TABLE | ObjectType.OBJECT_MATVIEW:
            for parts in node.objects:
                yield Finding(code=RiskCode.DROPS_TABLE, statement=number, table=_name_of_parts(parts))
        case ObjectType.OBJECT_POLICY:
            for parts in node.objects:
                yield Finding(
                    code=RiskCode.DROPS_POLICY,
                    statement=number,
                    table=_name_of_parts(parts[:-1]),
                    subject=parts[-1].sval,
                )
        case ObjectType.OBJECT_INDEX if node.concurrent:
            yield Finding(code=RiskCode.NO_TRANSACTION, statement=number)
        case _ if node.behavior is DropBehavior.DROP_CASCADE:
            yield Finding(code=RiskCode.DROPS_DEPENDENTS, statement=number)
        case _:
            return


def _of_command(command: Any, number: int, table: tuple[str, str]) -> Iterator[Finding]:  # noqa: C901 - see _of
    def found(code: RiskCode, subject: str = "") -> Finding:
        return Finding(code=code, statement=number, table=table, subject=subject)

    match command.subtype:
        case Alter.AT_AddColumn:
            yield from (found(code, command.def_.colname) for code in _of_column(command.def_))
        case Alter.AT_DropColumn:
            yield found(RiskCode.DROPS_COLUMN, command.name)
        case Alter.AT_AlterColumnType:
            yield found(RiskCode.CHANGES_TYPE, command.name)
            yield found(RiskCode.REWRITES_TABLE, command.name)
        case Alter.AT_SetNotNull | Alter.AT_ValidateConstraint:
            yield found(RiskCode.SCANS_TABLE, command.name)
        case Alter.AT_SetLogged | Alter.AT_SetUnLogged | Alter.AT_SetAccessMethod | Alter.AT_SetTableSpace:
            yield found(RiskCode.REWRITES_TABLE)
        case Alter.AT_AddIdentity:
            yield found(RiskCode.LOCKS_TABLE, command.name)
        case Alter.AT_DisableRowSecurity:
            yield found(RiskCode.NO_ROW_SECURITY)
        case Alter.AT_AddConstraint:
            yield from (found(code, command.def_.conname or "") for code in _of_constraint(command.def_))
        case subtype if subtype in _LOCKING:
            yield found(RiskCode.LOCKS_TABLE, _LOCKING[subtype].format(name=command.name))
        case _:
            return


def _of_column(column: Any) -> Iterator[RiskCode]:
    constraints = {constraint.contype: constraint for constraint in column.constraints or ()}
    fills_itself = {
        ConstrType.CONSTR_DEFAULT,
        ConstrType.CONSTR_IDENTITY,
        ConstrType.CONSTR_GENERATED,
    } & constraints.keys() or column.typeName.names[-1].sval in _SERIALS
    required = {ConstrType.CONSTR_NOTNULL, ConstrType.CONSTR_PRIMARY} & constraints.keys()
    if required and not fills_itself:
        yield RiskCode.NOT_NULL_WITHOUT_DEFAULT
    default = constraints.get(ConstrType.CONSTR_DEFAULT)
    if (
        ConstrType.CONSTR_IDENTITY in constraints
        or column.typeName.names[-1].sval in _SERIALS
        or _is_stored(constraints.get(ConstrType.CONSTR_GENERATED))
        or (default is not None and _may_differ_by_row(default.raw_expr))
    ):
        yield RiskCode.REWRITES_TABLE
    if {ConstrType.CONSTR_UNIQUE, ConstrType.CONSTR_PRIMARY} & constraints.keys():
        yield RiskCode.BUILDS_INDEX
    if {ConstrType.CONSTR_CHECK, ConstrType.CONSTR_FOREIGN} & constraints.keys():
        yield RiskCode.SCANS_TABLE


def _of_constraint(constraint: Any) -> Iterator[RiskCode]:
    match constraint.contype:
        case ConstrType.CONSTR_FOREIGN | ConstrType.CONSTR_CHECK | ConstrType.CONSTR_NOTNULL:
            if not constraint.skip_validation:
                yield RiskCode.SCANS_TABLE
        case ConstrType.CONSTR_UNIQUE | ConstrType.CONSTR_PRIMARY | ConstrType.CONSTR_EXCLUSION:
            if not constraint.indexname:
                yield RiskCode.BUILDS_INDEX
        case _:
            return


def _is_stored(constraint: Any) -> bool:
    return constraint is not None and constraint.generated_kind == "s"


def _may_differ_by_row(expression: Any) -> bool:
    """Whether a default calls a function that may answer differently for each row, as far as its name tells."""
    pending: list[Any] = [expression]
    while pending:
        node = pending.pop()
        match node:
            case ast.FuncCall(funcname=(*_, ast.String(sval=str(name)))) if name.lower() not in _STABLE_CALLS:
                return True
            case tuple():
                pending += node
            case ast.Node():
                pending += [getattr(node, attribute) for attribute in node]
            case _:
                pass
    return False


def _made_by(node: Any) -> tuple[str, str] | None:
    """The table that a statement makes."""
    if isinstance(node, ast.CreateStmt):
        return _name(node.relation)
    return _name(node.into.rel) if isinstance(node, ast.CreateTableAsStmt) and node.into else None


def _protected_by(node: Any) -> tuple[str, str] | None:
    """The table whose row-level security a statement turns on."""
    commands: Any = node.cmds if isinstance(node, ast.AlterTableStmt) else ()
    is_on = any(command.subtype is Alter.AT_EnableRowSecurity for command in commands)
    return _name(node.relation) if is_on else None


def _name(relation: Any) -> tuple[str, str]:
    return relation.schemaname or "public", relation.relname


def _name_of_parts(parts: Any) -> tuple[str, str]:
    *schema, name = [part.sval for part in parts]
    return (schema[-1] if schema else "public"), name
