"""The grammar: what it reads, printed again, reads the same; what it does not read, it refuses."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.errors import Refusal
from headwater.platform.records.errors import UnreadableQuery
from headwater.platform.records.models import (
    Aggregate,
    Column,
    Condition,
    Embed,
    Field,
    Logic,
    MediaType,
    OrderTerm,
    PathStep,
    Preferences,
    Star,
)
from headwater.platform.records.parse import (
    choose_media_type,
    parse_list,
    parse_logic,
    parse_names,
    parse_order,
    parse_preferences,
    parse_range,
    parse_select,
)
from headwater.platform.records.shape import take_apart

NAMES = st.one_of(
    st.from_regex(r"[a-z_][a-z0-9_$]{0,8}", fullmatch=True).filter(lambda n: n not in {"and", "or", "not", "count"}),
    st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=6),
)
STEPS = st.lists(
    st.one_of(
        st.builds(PathStep, st.integers(-99, 99).map(str), st.booleans(), st.just(value=True)),
        st.builds(PathStep, st.text(alphabet='ab"\\.,() ->', min_size=1, max_size=5), st.booleans()),
    ),
    max_size=2,
).map(tuple)
FIELDS = st.builds(Field, NAMES, STEPS)
VALUES = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)
OPERATORS = st.sampled_from(["eq", "neq", "gt", "like", "cs", "isdistinct", "imatch"])


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def print_field(field: Field) -> str:
    arrows = "".join(
        f"{'->>' if step.as_text else '->'}{step.key if step.index else quoted(step.key)}" for step in field.path
    )
    return quoted(field.name) + arrows


@st.composite
def logic_trees(draw: st.DrawFn) -> tuple[str, list[str], Logic]:
    """A tree's text, its values, and the tree."""
    values: list[str] = []

    def part(depth: int) -> tuple[str, Condition | Logic]:
        negated = draw(st.booleans())
        prefix = "not." if negated else ""
        if depth < 3 and draw(st.booleans()):
            text, inner = tree(depth + 1, negated=negated)
            return f"{prefix}{inner.conjunction}{text}", inner
        field = draw(FIELDS)
        kind = draw(st.sampled_from(["value", "in", "is"]))
        if kind == "is":
            word = draw(st.sampled_from(["null", "not_null", "true"]))
            return f"{print_field(field)}.{prefix}is.{word}", Condition(
                field=field, operator="is", negated=negated, word=word
            )
        operator = "in" if kind == "in" else draw(OPERATORS)
        slot = len(values)
        if kind == "in":
            members = draw(st.lists(VALUES, max_size=3))
            values.append("{" + ",".join(map(quoted, members)) + "}")
            operand = "(" + ",".join(map(quoted, members)) + ")"
        else:
            values.append(draw(VALUES))
            operand = quoted(values[-1])
        condition = Condition(field=field, operator=operator, negated=negated, slot=slot)
        return f"{print_field(field)}.{prefix}{operator}.{operand}", condition

    def tree(depth: int, *, negated: bool) -> tuple[str, Logic]:
        texts: list[str] = []
        parts: list[Condition | Logic] = []
        for _ in range(draw(st.integers(1, 3))):
            text, one = part(depth)
            texts.append(text)
            parts.append(one)
        conjunction = "or" if draw(st.booleans()) else "and"
        return f"({','.join(texts)})", Logic(conjunction=conjunction, parts=tuple(parts), negated=negated)

    text, whole = tree(0, negated=False)
    return text, values, whole


@given(printed=logic_trees())
def test_a_printed_tree_reads_as_itself(printed: tuple[str, list[str], Logic]) -> None:
    text, values, tree = printed
    found: list[str] = []
    assert parse_logic(tree.conjunction, text, found) == tree
    assert found == values


@given(members=st.lists(VALUES, max_size=5))
def test_a_printed_list_reads_as_itself(members: list[str]) -> None:
    expected = "{" + ",".join(map(quoted, members)) + "}"
    assert parse_list("(" + ",".join(map(quoted, members)) + ")") == expected
    plain = [member for member in members if member and not set(member) & set('",()\\')]
    if plain:
        assert parse_list(f"({','.join(plain)})") == "{" + ",".join(map(quoted, plain)) + "}"


@given(names=st.lists(NAMES, unique=True, max_size=4))
def test_printed_names_read_as_themselves(names: list[str]) -> None:
    assert parse_names(",".join(map(quoted, names)), "columns") == tuple(names)


def refused(read: Callable[[str], object], text: str) -> int:
    """The status with which a text is refused, or 0."""
    try:
        read(text)
    except Refusal as refusal:
        return refusal.status
    return 0


@given(text=st.text(alphabet="ab1.,()\"\\{}*:!->%=&\x00ü ;'", max_size=30))
def test_anything_is_read_or_refused(text: str) -> None:
    for read in (parse_select, parse_order, parse_list, parse_range, choose_media_type, take_apart):
        assert refused(read, text) in {0, 400, 406, 416}
    assert parse_preferences(text).resolution is None


SELECTS = [
    ("", ()),
    ("*", (Star(),)),
    ("a,b", (Column(field=Field("a")), Column(field=Field("b")))),
    (" a , b ", (Column(field=Field("a")), Column(field=Field("b")))),
    ("a-b", (Column(field=Field("a-b")),)),
    ('"a,b"', (Column(field=Field("a,b")),)),
    ("x:a::int", (Column(field=Field("a"), alias="x", cast="int"),)),
    ("a->b->>0", (Column(field=Field("a", (PathStep("b"), PathStep("0", as_text=True, index=True)))),)),
    ("a->0\n", (Column(field=Field("a", (PathStep("0\n"),))),)),
    ("count()", (Column(field=None, aggregate=Aggregate("count")),)),
    ("n:count()::text", (Column(field=None, alias="n", aggregate=Aggregate("count", "text")),)),
    ("a::int.sum()::text", (Column(field=Field("a"), cast="int", aggregate=Aggregate("sum", "text")),)),
    ("r()", (Embed(relation="r", items=()),)),
    (
        "x:r!fk!inner(*,s(b))",
        (
            Embed(
                relation="r",
                alias="x",
                hint="fk",
                join="inner",
                items=(Star(), Embed(relation="s", items=(Column(field=Field("b")),))),
            ),
        ),
    ),
    ("...r!left(a)", (Embed(relation="r", items=(Column(field=Field("a")),), join="left", spread=True),)),
]


@pytest.mark.parametrize(("text", "items"), SELECTS)
def test_select(text: str, items: object) -> None:
    assert parse_select(text) == items


def test_order() -> None:
    assert parse_order("a,b.desc, c->>k.asc.nullslast,r(d).nullsfirst") == (
        OrderTerm(field=Field("a")),
        OrderTerm(field=Field("b"), descending=True),
        OrderTerm(field=Field("c", (PathStep("k", as_text=True),)), descending=False, nulls_first=False),
        OrderTerm(field=Field("d"), relation="r", nulls_first=True),
    )


def test_preferences() -> None:
    header = "return=representation, count=exact, return=minimal,resolution=odd , max-affected=5, timezone=Europe/Rome"
    assert parse_preferences(header) == Preferences(
        representation="representation",
        count="exact",
        max_affected=5,
        timezone="Europe/Rome",
        unknown=("resolution=odd",),
    )


def test_media_types() -> None:
    assert choose_media_type("text/html;q=0.9, application/vnd.pgrst.object+json;nulls=stripped") == MediaType(
        name="application/vnd.pgrst.object+json", strip_nulls=True
    )
    assert choose_media_type("application/vnd.pgrst.object+json;q=0.1, */*;q=0.2") == MediaType()


def test_a_refusal_says_where() -> None:
    with pytest.raises(UnreadableQuery) as refused:
        parse_select("id,ti;tle")
    assert refused.value.message == '"failed to parse select parameter (id,ti;tle)" (line 1, column 6)'
    assert refused.value.details == 'unexpected ";" expecting end of input'


def test_braces_without_end_are_read_in_time() -> None:
    values: list[str] = []
    parse_logic("or", "(" + ",".join(["a.cs.{"] * 5_000) + ")", values)
    assert values == ["{"] * 5_000
