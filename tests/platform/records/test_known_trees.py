"""What is known of earlier queries never changes how a later one is read."""

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.platform.records.errors import RecordsRefusal
from headwater.platform.records.models import Logic, Parameter
from headwater.platform.records.parse import parse_is_word, parse_list, parse_logic, split_condition
from headwater.platform.records.shape import outline, take_apart
from headwater.platform.records.shape.trees import read_tree

FIELDS = st.sampled_from(
    [
        "a",
        "a b",
        '"a"',
        '"a,b.eq.1"',
        '"a\\"b"',
        "a->b",
        "a->>0",
        'a->"b.eq.c"',
        "eq",
        "in",
        "and",
        "not",
        "a::text",
        "",
    ]
)
HEADS = st.sampled_from(
    ["eq", "not.eq", "ilike", "eq(any)", "like(all)", "fts(german)", "fts(a-b)", "in", "not.in", "cs", "ov", "is",
     "not.is", "isdistinct", "what", "not", "EQ", "eq(some)", "eq()"]
)  # fmt: skip
WORDS = st.sampled_from(["null", "true", "NULL", "unknown", "maybe"])
PLAIN = st.text(alphabet="ab1.*-: ü\\'+%&=", max_size=6)
ANYTHING = st.text(alphabet='ab.,()"\\{} *\0ü\n', max_size=8)


def quoted(text: str) -> str:
    """A value that is taken as it is."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


VALUES = st.one_of(
    PLAIN,
    WORDS,
    ANYTHING,
    st.builds(quoted, ANYTHING),
    st.builds("({})".format, st.lists(PLAIN | st.builds(quoted, ANYTHING), max_size=3).map(",".join)),
    st.builds("({})".format, ANYTHING),
    st.builds("{{{}}}".format, st.lists(PLAIN | st.builds(quoted, PLAIN), max_size=3).map(",".join)),
    st.builds("{{{}}}".format, ANYTHING),
    st.sampled_from(
        ["b.eq.1", "x,b.eq.1", '"x",b.eq."', "(1),b.in.(2", "{x,b.eq.}", "[1,2)", "not.eq.1", '"x"y', "{x}y"]
    ),
)


@st.composite
def trees(draw: st.DrawFn) -> list[str]:
    """A tree in which every value is missing: what stands before, between and behind the values."""
    pieces = [draw(st.sampled_from(["(", "(", "(", " (", "", "(("]))]
    for _ in range(draw(st.integers(1, 4))):
        opened = draw(st.sampled_from(["", "", "and(", "not.or(", "or (", "and(x.is.null,"]))
        pieces[-1] += f"{opened}{draw(FIELDS)}.{draw(HEADS)}."
        pieces.append(")" * bool(opened) + draw(st.sampled_from([",", ",", ",", " , ", ",,", ")", ""])))
    pieces[-1] = draw(st.sampled_from([")", ")", ")", ") ", "", "))", "),"]))
    return pieces


@st.composite
def alike(draw: st.DrawFn) -> list[str]:
    """Texts that differ by what stands in place of their values."""
    pieces = draw(trees())
    texts: list[str] = []
    for _ in range(3):
        values = [draw(VALUES) for _ in pieces[1:]]
        texts.append("".join(f"{piece}{value}" for piece, value in zip(pieces, [*values, ""], strict=True)))
    return texts


Told = tuple[Logic, list[str]] | tuple[type[RecordsRefusal], str]


def by_the_parser(words: str, text: str, before: list[str]) -> Told:
    """The tree and the values, or the refusal, of the whole text parsed."""
    values = before.copy()
    try:
        return parse_logic(words, text, values), values
    except RecordsRefusal as refusal:
        return type(refusal), str(refusal.details)


def by_what_is_known(words: str, text: str, before: list[str]) -> Told:
    """The same the short way."""
    values = before.copy()
    try:
        return read_tree(words, text, values), values
    except RecordsRefusal as refusal:
        return type(refusal), str(refusal.details)


@given(texts=alike(), words=st.sampled_from(["and", "or", "not.or"]), before=st.sampled_from([[], ["x", "y"]]))
@example(texts=['("x,a.eq.5,".eq.1,b.eq.2)', '("x,a.eq.6,".eq.1,b.eq.2)'], words="or", before=[])
@example(texts=["(a.eq.1,b.eq.2)", '(a.eq."1,b.eq.2)'], words="or", before=[])
@example(texts=["(a.eq.x,b.cs.{y})", "(a.eq.{x,b.cs.{y})", "(a.eq.x},b.cs.{y})"], words="or", before=[])
@example(texts=["(a.in.(1,2))", "(a.in.1,2))", '(a.in.("1",2))', "(a.in.())", "(a.in.(\\,'))"], words="or", before=[])
@example(texts=["(a.eq.\0,b.eq.1)", '(a.eq."\0",b.eq.1)', '("a.eq.1".eq.\0)'], words="or", before=[])
def test_a_tree_is_read_as_if_no_other_had_been(texts: list[str], words: str, before: list[str]) -> None:
    for text in texts:
        assert by_what_is_known(words, text, before) == by_the_parser(words, text, before), text


@given(text=st.text(alphabet='ab.,()"\\{} eqin\0', max_size=40))
def test_so_is_any_text(text: str) -> None:
    for each in (text, f"({text})", text.replace("a", "b")):
        assert by_what_is_known("or", each, []) == by_the_parser("or", each, []), each


def test_a_known_tree_is_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    known = read_tree("or", '(z.eq.1,not.and(b.in.(1,2),c.cs.{x,y}),d->>e.ilike."a,b",f.eq(any).{1},g.is.null)', ["x"])
    monkeypatch.delattr("headwater.platform.records.shape.trees.parse_logic")
    values = ["y"]
    text = '(z.eq.-1.5,not.and(b.in.(3, \\),c.cs.{}),d->>e.ilike."c\\"(",f.eq(any).it\'s,g.is.null)'
    assert read_tree("or", text, values) is known
    assert values == ["y", "-1.5", '{"3"," \\\\"}', "{}", 'c"(', "it's"]


def test_few_and_short_queries_are_remembered_and_no_values() -> None:
    known = outline._known
    take_apart("select=remembered&limit=3")
    assert "select=remembered&limit=3" in known
    for query in ("a=eq.5", "b.limit=5", "or=(a.eq.5)", f"select={'a' * 600}"):
        take_apart(query)
        assert query not in known
    for number in range(2000):
        take_apart(f"offset={number}")
    assert len(known) <= 512
    assert take_apart("offset=1999") == ((), [], (None, 1999))


def taken_apart_at_length(query: list[tuple[str, str]]) -> tuple[tuple[Parameter, ...], list[str]]:
    """The parameters and values of a decoded query, every part parsed."""
    parameters: list[Parameter] = []
    values: list[str] = []
    for key, text in query:
        if key == "select":
            parameters.append((key, text, -1))
        elif key == "or":
            parameters.append((key, parse_logic("or", text, values), -1))
        else:
            head, operand = split_condition(text, key)
            if head.removeprefix("not.") == "is":
                parameters.append((key, f"{head}.{parse_is_word(operand)}", -1))
            else:
                values.append(parse_list(operand) if head.removeprefix("not.") == "in" else operand)
                parameters.append((key, head, len(values) - 1))
    return tuple(parameters), values


PARTS = st.one_of(
    st.tuples(st.just("select"), st.text(alphabet="ab,:->()", max_size=6)),
    st.tuples(st.sampled_from(["a", "t.a", "a->>b"]), st.builds("{}.{}".format, HEADS, VALUES)),
    alike().map(lambda texts: ("or", texts[0])),
)


@given(parts=st.lists(PARTS, min_size=1, max_size=4), plus=st.booleans(), again=st.booleans())
def test_a_query_is_taken_apart_as_if_no_other_had_been(parts: list[tuple[str, str]], plus: bool, again: bool) -> None:
    parts = [(key, text) for key, text in parts if "\0" not in text]
    spell = quote_plus if plus else quote
    safe = ["", ",().*:", "", "{}"]
    query = "&".join(f"{spell(key)}={spell(text, safe=kept)}" for (key, text), kept in zip(parts, safe, strict=False))
    for _ in range(1 + again):
        try:
            parameters, values, _ = take_apart(query)
        except RecordsRefusal:
            try:
                taken_apart_at_length(parts)
            except RecordsRefusal:
                continue
            raise
        assert (parameters, values) == taken_apart_at_length(parts)
        values.append("changed by whoever asked")
