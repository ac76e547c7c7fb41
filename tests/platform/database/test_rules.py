"""Names, tables and parameters, decided without a database."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.errors import Refusal
from headwater.platform.database import rules
from headwater.platform.database.errors import InvalidName, InvalidTable, SchemaIsInternal
from headwater.platform.database.models import WantedTable


@given(st.text())
def test_a_name_is_kept_whole_or_refused(name: str) -> None:
    try:
        assert rules.must_be_a_name(name, "tableName") == name
    except InvalidName:
        long = len(name.encode("utf-8", "replace")) > 63
        assert long or not name.strip() or '"' in name or any(ord(c) < 32 or ord(c) == 127 for c in name)
    else:
        assert 0 < len(name.encode()) <= 63 and '"' not in name and "\0" not in name


@pytest.mark.parametrize("schema", ["auth", "system", "pg_catalog", "pg_temp_3"])
def test_schemas_of_ours_and_of_postgres_stay_as_they_are(schema: str) -> None:
    with pytest.raises(SchemaIsInternal):
        rules.must_be_developers_own(schema, {"auth", "system"})
    rules.must_be_developers_own("public", {"auth", "system"})


@pytest.mark.parametrize(
    ("column", "type_", "sql_type", "default"),
    [
        ({"type": "string"}, "string", "text", None),
        ({"type": "TEXT"}, "string", "text", None),
        ({"type": "Double  Precision"}, "float", "double precision", None),
        ({"type": "bigint"}, "bigint", "bigint", None),
        ({"type": "json", "default": "{}"}, "json", "jsonb", "{}"),
        ({"type": "integer", "defaultValue": 5}, "integer", "integer", "5"),
        ({"type": "integer", "defaultValue": 0}, "integer", "integer", "0"),
        ({"type": "boolean", "default": False}, "boolean", "boolean", "false"),
        ({"type": "string", "defaultValue": ""}, "string", "text", ""),
        ({"type": "integer", "defaultValue": ""}, "integer", "integer", None),
        ({"type": "datetime"}, "datetime", "timestamptz", None),
        ({"type": "datetime", "nullable": False}, "datetime", "timestamptz", "now()"),
        ({"type": "uuid", "isNullable": False, "defaultValue": "x"}, "uuid", "uuid", "x"),
    ],
)
def test_a_column_in_either_spelling(column: dict[str, object], type_: str, sql_type: str, default: str | None) -> None:
    wanted = msgspec.convert({"name": "t", "columns": [{"name": "c", **column}]}, WantedTable)
    (made,) = rules.new_table(wanted).columns
    assert (made.type, made.sql_type, made.default_value) == (type_, sql_type, default)


def test_columns_that_every_table_has_are_left_out() -> None:
    columns = [{"columnName": "id", "type": "uuid"}, {"columnName": "created_at", "type": "timestamptz"}]
    wanted = msgspec.convert(
        {"tableName": "t", "columns": [*columns, {"columnName": "a", "type": "string"}]}, WantedTable
    )
    assert [column.column_name for column in rules.new_table(wanted).columns] == ["a"]
    with pytest.raises(InvalidTable):
        rules.new_table(msgspec.convert({"tableName": "t", "columns": columns}, WantedTable))


@given(st.builds(dict[str, object]))
def test_a_table_without_columns_is_refused_politely(extra: dict[str, object]) -> None:
    with pytest.raises(Refusal):
        rules.new_table(msgspec.convert({"name": "t", "columns": [], **extra}, WantedTable))


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("'it''s'::text", "it's"),
        ("'{}'::jsonb", "{}"),
        ("'x'::character varying(20)", "x"),
        ("'ok'::public.mood", "ok"),
        ("now()", "now()"),
        ("5", "5"),
        ("lower('A'::text)", "lower('A'::text)"),
        ("('a'::text || 'b'::text)", "('a'::text || 'b'::text)"),
        ("'a'::text || 'b'::text", "'a'::text || 'b'::text"),
    ],
)
def test_a_default_is_told_as_it_would_be_asked_for(expression: str, told: str) -> None:
    assert rules.default_called(expression) == told
