"""Requests of one shape share one SQL text, which holds none of their values."""

from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.catalog import Column, Relation, Snapshot
from headwater.platform.records.models import Shape
from headwater.platform.records.parse import parse
from headwater.platform.records.plan import plan
from headwater.platform.records.shape import JSON, KnownShapes, read_body, take_apart
from headwater.platform.records.sql import write_statement


def column(name: str, kind: str, category: str) -> Column:
    return Column(name=name, type=kind, base_type=kind, category=category, nullable=True)


TODOS = Relation(
    schema="public",
    name="todos",
    kind="table",
    columns=(column("id", "bigint", "N"), column("title", "text", "S"), column("extra", "jsonb", "U")),
    primary_key=("id",),
    insertable=True,
    updatable=True,
    deletable=True,
)
SNAPSHOT = Snapshot(version=1, schemas=("public",), exposed_schemas=("public",), relations={("public", "todos"): TODOS})


def shape_of(query: str, method: str = "GET", columns: tuple[str, ...] = ()) -> Shape:
    parameters, _, window = take_apart(query)
    return Shape(method, "public", "todos", "", "", parameters, window.limit is not None, window.offset > 0, columns)


def sql_of(query: str, method: str = "GET", columns: tuple[str, ...] = ()) -> str:
    return write_statement(plan(parse(shape_of(query, method, columns)), SNAPSHOT)).sql


def test_other_values_are_the_same_shape() -> None:
    pairs = [
        ("id=eq.1", "id=eq.2"),
        ("id=in.(1,2)", "id=in.(3)"),
        ("limit=5&offset=5", "limit=9&offset=1"),
        ("or=(id.eq.1,title.like.a*)", "or=(id.eq.2,title.like.*b)"),
        ("select=id&title=not.ilike.x&order=id", "select=id&title=not.ilike.y&order=id"),
        ("select=title&having=(count().gt.1)&distinct=(*)", "select=title&having=(count().gt.2)&distinct=(*)"),
        ("todos=count.gt.1", "todos=count.gt.2"),
    ]
    for one, other in pairs:
        assert shape_of(one) == shape_of(other)
        assert hash(shape_of(one)) == hash(shape_of(other))


def test_another_question_is_another_shape() -> None:
    queries = ["", "id=eq.1", "id=gt.1", "id=not.eq.1", "title=eq.1", "id=is.null", "id=is.true", "order=id", "limit=1"]
    assert len({shape_of(query) for query in queries}) == len(queries)


@given(value=st.text(alphabet=st.characters(exclude_characters="\0&%+=", exclude_categories=("Cs",)), max_size=20))
def test_no_value_is_in_the_text(value: str) -> None:
    marked = f"zq{value}zq"
    assert sql_of(f"title=eq.{marked}&extra->>k=like.{marked}") == sql_of("title=eq.x&extra->>k=like.x")


NASTY = st.text(alphabet="a\"'\\$; -()`ü", min_size=1, max_size=10)


@given(name=NASTY)
def test_names_are_quoted_whole(name: str) -> None:
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    sql = sql_of(f"select={quoted.replace('+', '%2B')}")
    wanted = '"' + name.replace('"', '""') + '"'
    assert f"select r.{wanted} as {wanted} from" in sql
    key = sql_of(f"select=extra->{quoted}")
    literal = "'" + name.replace("'", "''") + "'"
    assert f'(r."extra"->{literal}) as' in key


def test_a_value_used_twice_is_one_parameter() -> None:
    shape = shape_of("id=eq.1&limit=1")._replace(prefer="count=exact")
    statement = write_statement(plan(parse(shape), SNAPSHOT))
    assert statement.slots == (0,)
    assert statement.sql.count("$3::text") == 2


def test_the_memory_is_bounded_and_belongs_to_one_catalog() -> None:
    known = KnownShapes[str]()
    assert known.find(1, "a") is None
    for shape in ("a", "b", "c"):
        known.keep(1, shape, shape.upper(), most=3)
    assert known.find(1, "a") == "A"
    known.keep(1, "d", "D", most=3)
    assert [known.find(1, shape) for shape in "abcd"] == ["A", None, "C", "D"]
    assert known.find(2, "a") is None
    assert len(known) == 0
    known.keep(1, "a", "A", most=3)
    assert known.find(1, "a") is None
    assert known.find(2, "a") is None


def test_bodies_are_left_as_they_came() -> None:
    raw = b' {"title": "a",\n "id": 1} '
    body = read_body(raw, JSON, None, columns_given=False)
    assert (body.text, body.is_array, body.columns) == (raw.decode().strip(), False, ("title", "id"))
    listed = read_body(b'[{"id": 1}, {"nothing": []}]', JSON, None, columns_given=True)
    assert (listed.text, listed.columns) == ('[{"id": 1}, {"nothing": []}]', ())


def test_empty_texts_are_dropped_where_they_are_no_text() -> None:
    raw = b'[{"id": "", "title": "", "other": "", "extra": {"x": ""}}]'
    body = read_body(raw, JSON, TODOS, columns_given=True, lenient=True)
    assert body.text == '[{"title":"","extra":{"x": ""}}]'
