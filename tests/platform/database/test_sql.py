"""DDL: whatever the names and defaults, Postgres reads the one statement that was meant."""

from hypothesis import given
from hypothesis import strategies as st
from pglast import ast
from pglast.parser import parse_sql

from headwater.platform.database import sql
from headwater.platform.database.models import ColumnReference, ForeignKey, NewColumn, NewTable

NAMES = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=15)
TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))


@given(schema=NAMES, name=NAMES, column=NAMES, default=TEXTS)
def test_names_and_literals_cannot_break_out(schema: str, name: str, column: str, default: str) -> None:
    made = NewColumn(
        column_name=column, type="string", sql_type="text", is_nullable=True, is_unique=False, default_value=default
    )
    table = NewTable(schema=schema, name=name, columns=(made,), foreign_keys=(), row_security=True)
    create, *_, trigger = sql.create_table(table, admin_needs_policy=True)
    (parsed,) = parse_sql(create)
    assert isinstance(parsed.stmt, ast.CreateStmt)
    relation, elements = parsed.stmt.relation, parsed.stmt.tableElts
    assert relation is not None and elements is not None
    assert (relation.schemaname, relation.relname) == (schema, name)
    own = elements[1]
    assert own.colname == column
    (constraint,) = own.constraints
    if default not in {"now()", "gen_random_uuid()"}:
        assert constraint.raw_expr.val.sval == default
    (stamped,) = parse_sql(trigger)
    assert isinstance(stamped.stmt, ast.CreateTrigStmt)


@given(NAMES, NAMES)
def test_ending_and_counting_name_the_one_table(schema: str, name: str) -> None:
    (dropped,) = parse_sql(sql.drop_table(schema, name))
    assert isinstance(dropped.stmt, ast.DropStmt) and dropped.stmt.objects is not None
    assert [part.sval for part in dropped.stmt.objects[0]] == [schema, name]
    (counted,) = parse_sql(sql.count_rows(schema, name))
    assert isinstance(counted.stmt, ast.SelectStmt) and counted.stmt.fromClause is not None
    assert counted.stmt.fromClause[0].relname == name


def test_generated_names_say_what_they_join_and_never_exceed_what_postgres_keeps() -> None:
    def constraint(source: str, table: str) -> str:
        key = ForeignKey(
            reference_table=table,
            reference_columns=(ColumnReference(source_column=source, reference_column="id"),),
        )
        column = NewColumn(column_name=source, type="uuid", sql_type="uuid", is_nullable=True, is_unique=False)
        made = NewTable(schema="public", name="t", columns=(column,), foreign_keys=(key,), row_security=False)
        (parsed,) = parse_sql(sql.create_table(made, admin_needs_policy=False)[0])
        assert isinstance(parsed.stmt, ast.CreateStmt) and parsed.stmt.tableElts is not None
        return parsed.stmt.tableElts[-1].conname

    assert constraint("user_id", "auth.users") == "fk_user_id_auth_users_id"
    long = [constraint("ü" * 30, "a" * 60), constraint("ü" * 30, "b" * 60)]
    assert all(len(name.encode()) <= 63 for name in long)
    assert long[0] != long[1]
