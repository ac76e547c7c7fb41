"""The whole grammar: a request that is printed reads as itself, and whatever is sent is answered or refused in time."""

import random
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headwater.platform.records import RecordsSettings
from headwater.platform.records.models import (
    Aggregate,
    Column,
    Condition,
    Distinct,
    Embed,
    Field,
    Logic,
    Measure,
    Ordered,
    OrderTerm,
    PathStep,
    Scoped,
    SelectItem,
    Shape,
    Star,
    Windowed,
)
from headwater.platform.records.parse import parse
from headwater.platform.records.shape import take_apart
from tests.kit.database import Cluster
from tests.platform.records.cases.case import PRINCIPALS, Case
from tests.platform.records.library import opened_library
from tests.platform.records.test_cases import CASES

TEXTS = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=6)
NAMES = TEXTS.filter(bool)
HINTS = NAMES.filter(lambda name: name not in {"inner", "left"})
TYPES = st.sampled_from(["integer", "text", "double precision", "my_type", "numeric$1"])
STEPS = st.one_of(
    st.builds(PathStep, st.integers(-99, 99).map(str), st.booleans(), st.just(value=True)),
    st.builds(PathStep, TEXTS, st.booleans()),
)
FIELDS = st.builds(Field, NAMES, st.lists(STEPS, max_size=2).map(tuple))
PATHS = st.lists(NAMES, max_size=2).map(tuple)
AGGREGATES = st.builds(Aggregate, st.sampled_from(["avg", "count", "max", "min", "sum"]), st.none() | TYPES)
COLUMNS = st.one_of(
    st.builds(Column, field=FIELDS, alias=st.none() | NAMES, cast=st.none() | TYPES, aggregate=st.none() | AGGREGATES),
    st.builds(
        Column,
        field=st.none(),
        alias=st.none() | NAMES,
        aggregate=st.builds(Aggregate, st.just("count"), st.none() | TYPES),
    ),
)
JOINS = st.sampled_from([None, "inner", "left"])


def embeds_of(items: st.SearchStrategy[SelectItem]) -> st.SearchStrategy[Embed]:
    """Embeds that tell such items; a spread has no alias."""
    inside = st.lists(items, max_size=3).map(tuple)
    plain = st.builds(Embed, relation=NAMES, items=inside, alias=st.none() | NAMES, hint=st.none() | HINTS, join=JOINS)
    spread = st.builds(
        Embed, relation=NAMES, items=inside, hint=st.none() | HINTS, join=JOINS, spread=st.just(value=True)
    )
    return plain | spread


ITEMS: st.SearchStrategy[SelectItem] = st.recursive(st.just(Star()) | COLUMNS, embeds_of, max_leaves=6)
MEASURES = st.one_of(
    st.builds(Measure, aggregate=AGGREGATES, field=FIELDS, cast=st.none() | TYPES),
    st.builds(Measure, aggregate=st.builds(Aggregate, st.just("count"), st.none() | TYPES)),
)
TERMS = st.builds(
    OrderTerm,
    field=FIELDS | MEASURES,
    relation=st.none() | NAMES,
    descending=st.sampled_from([None, True, False]),
    nulls_first=st.sampled_from([None, True, False]),
)


def quoted(text: str) -> str:
    """A name or a value that is taken as it is."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def array(members: list[str]) -> str:
    """Members as Postgres writes an array of texts."""
    return "{" + ",".join(map(quoted, members)) + "}"


def print_field(field: Field) -> str:
    """`"name"->"key"->>0`."""
    arrows = "".join(f"->{'>' * step.as_text}{step.key if step.index else quoted(step.key)}" for step in field.path)
    return f"{quoted(field.name)}{arrows}"


def print_cast(name: str | None) -> str:
    """`::type`."""
    return "" if name is None else f"::{name}"


def print_item(item: SelectItem) -> str:
    """An item of `select`."""
    match item:
        case Star():
            return "*"
        case Column(field=field, alias=alias, cast=cast, aggregate=aggregate):
            named = "" if alias is None else f"{quoted(alias)}:"
            what = "" if field is None else f"{print_field(field)}{print_cast(cast)}"
            dot = "." if field is not None else ""
            told = "" if aggregate is None else f"{dot}{aggregate.function}(){print_cast(aggregate.cast)}"
            return f"{named}{what}{told}"
        case Embed(relation=relation, items=items, alias=alias, hint=hint, join=join, spread=spread):
            named = "..." if spread else "" if alias is None else f"{quoted(alias)}:"
            ways = "".join(f"!{way}" for way in (None if hint is None else quoted(hint), join) if way is not None)
            return f"{named}{quoted(relation)}{ways}({','.join(map(print_item, items))})"


def print_subject(subject: Field | Measure) -> str:
    """A field, or an aggregate."""
    if isinstance(subject, Field):
        return print_field(subject)
    before = "" if subject.field is None else f"{print_field(subject.field)}{print_cast(subject.cast)}."
    return f"{before}{subject.aggregate.function}(){print_cast(subject.aggregate.cast)}"


def print_term(term: OrderTerm) -> str:
    """A term of `order`."""
    place = print_subject(term.field)
    place = place if term.relation is None else f"{quoted(term.relation)}({place})"
    direction = "" if term.descending is None else ".desc" if term.descending else ".asc"
    nulls = "" if term.nulls_first is None else ".nullsfirst" if term.nulls_first else ".nullslast"
    return f"{place}{direction}{nulls}"


class Printed:
    """A query under way: its parameters as text, and what they must be read as."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.parameters: list[tuple[str, str]] = []
        self.values: list[str] = []
        self.select: tuple[SelectItem, ...] = (Star(),)
        self.filters: list[Scoped] = []
        self.orders: list[Ordered] = []
        self.windows: list[Windowed] = []
        self.distincts: list[Distinct] = []
        self.having: list[Logic] = []

    def add_select(self) -> None:
        """`select=`, once."""
        if not any(key == "select" for key, _ in self.parameters):
            self.select = tuple(self.draw(st.lists(ITEMS, max_size=4)))
            self.parameters.append(("select", ",".join(map(print_item, self.select))))

    def add_order(self) -> None:
        """`relation.order=`."""
        path, terms = self.draw(PATHS), self.draw(st.lists(TERMS, max_size=3))
        self.orders.append(Ordered(path, tuple(terms)))
        self.parameters.append((self.key(path, "order"), ",".join(map(print_term, terms))))

    def add_window(self) -> None:
        """`relation.limit=` of an embed."""
        path = (*self.draw(PATHS), self.draw(NAMES))
        number, limits = self.draw(st.integers(0, 99)), self.draw(st.booleans())
        self.windows.append(Windowed(path, "limit" if limits else "offset", self.slot(str(number))))
        self.parameters.append((self.key(path, "limit" if limits else "offset"), str(number)))

    def add_filter(self) -> None:
        """`relation.column=not.operator.value`."""
        path, field = self.draw(PATHS), self.draw(FIELDS)
        condition, text = self.condition(field, lambda value: value)
        self.filters.append(Scoped(path, condition))
        self.parameters.append((self.key(path, print_field(field)), text))

    def add_logic(self) -> None:
        """`relation.not.or=(…)`."""
        path = self.draw(PATHS)
        tree, text = self.logic(0, FIELDS)
        words = f"{'not.' * tree.negated}{tree.conjunction}"
        self.filters.append(Scoped(path, tree))
        self.parameters.append((self.key(path, words), text))

    def add_distinct(self) -> None:
        """`relation.distinct=(…)`."""
        path, fields = self.draw(PATHS), self.draw(st.lists(FIELDS, max_size=2))
        self.distincts.append(Distinct(path, tuple(fields)))
        self.parameters.append((self.key(path, "distinct"), f"({','.join(map(print_field, fields)) or '*'})"))

    def add_having(self) -> None:
        """`having=(…)`."""
        tree, text = self.logic(0, MEASURES)
        self.having.append(Logic(conjunction="and", parts=tree.parts))
        self.parameters.append(("having", text))

    def logic(self, depth: int, subjects: st.SearchStrategy[Any]) -> tuple[Logic, str]:
        """A tree, and the text of its brackets."""
        parts: list[Condition | Logic] = []
        texts: list[str] = []
        for _ in range(self.draw(st.integers(1, 3))):
            if depth < 3 and self.draw(st.booleans()):
                tree, text = self.logic(depth + 1, subjects)
                parts.append(tree)
                texts.append(f"{'not.' * tree.negated}{tree.conjunction}{text}")
            else:
                subject = self.draw(subjects)
                condition, text = self.condition(subject, quoted)
                parts.append(condition)
                texts.append(f"{print_subject(subject)}.{text}")
        conjunction = "or" if self.draw(st.booleans()) else "and"
        space = self.draw(st.sampled_from(["", " "]))
        text = f"({space}{f'{space},{space}'.join(texts)}{space})"
        return Logic(conjunction=conjunction, parts=tuple(parts), negated=self.draw(st.booleans())), text

    def condition(self, field: Field | Measure, print_value: Callable[[str], str]) -> tuple[Condition, str]:
        """A condition, and the text of its operator and value."""
        negated = self.draw(st.booleans())
        sign = "not." * negated
        kinds = ["plain", "in", "is", "quantified", "search"]
        kind = self.draw(st.sampled_from([*kinds, "count"] if isinstance(field, Field) and not field.path else kinds))
        if kind == "is":
            word = self.draw(st.sampled_from(["null", "not_null", "true", "false", "unknown"]))
            return Condition(field=field, operator="is", negated=negated, word=word), f"{sign}is.{word}"
        if kind == "in":
            members = self.draw(st.lists(TEXTS, max_size=3))
            slot = self.slot(array(members))
            text = f"{sign}in.({','.join(map(quoted, members))})"
            return Condition(field=field, operator="in", negated=negated, slot=slot), text
        value = self.draw(TEXTS)
        slot = self.slot(value)
        if kind == "count":
            operator = self.draw(st.sampled_from(["eq", "neq", "gt", "gte", "lt", "lte"]))
            condition = Condition(field=field, operator=operator, negated=negated, slot=slot, counted=True)
            return condition, f"{sign}count.{operator}.{print_value(value)}"
        if kind == "quantified":
            operator, quantifier = self.draw(st.sampled_from(["eq", "lte", "ilike", "match"])), "any"
            if self.draw(st.booleans()):
                quantifier = "all"
            condition = Condition(field=field, operator=operator, negated=negated, quantifier=quantifier, slot=slot)
            return condition, f"{sign}{operator}({quantifier}).{print_value(value)}"
        if kind == "search":
            operator = self.draw(st.sampled_from(["fts", "wfts"]))
            language = self.draw(st.sampled_from([None, "german"]))
            condition = Condition(field=field, operator=operator, negated=negated, language=language, slot=slot)
            spoken = "" if language is None else f"({language})"
            return condition, f"{sign}{operator}{spoken}.{print_value(value)}"
        operator = self.draw(st.sampled_from(["eq", "neq", "gt", "like", "cs", "adj", "isdistinct", "imatch"]))
        condition = Condition(field=field, operator=operator, negated=negated, slot=slot)
        return condition, f"{sign}{operator}.{print_value(value)}"

    def slot(self, value: str) -> int:
        """Where the value stands among the values."""
        self.values.append(value)
        return len(self.values) - 1

    def key(self, path: tuple[str, ...], last: str) -> str:
        """`"relation"."relation".last`."""
        return ".".join([*map(quoted, path), last])


@st.composite
def queries(draw: st.DrawFn) -> Printed:
    """Queries with parameters of every kind, in any order."""
    printed = Printed(draw)
    kinds = [
        printed.add_select,
        printed.add_order,
        printed.add_window,
        printed.add_filter,
        printed.add_logic,
        printed.add_distinct,
        printed.add_having,
    ]
    for add in draw(st.lists(st.sampled_from(kinds), max_size=5)):
        add()
    return printed


@given(printed=queries())
def test_a_printed_request_reads_as_itself(printed: Printed) -> None:
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in printed.parameters)
    parameters, values, _ = take_apart(query)
    asked = parse(Shape("GET", "public", "t", "", "", parameters))
    assert asked.select == printed.select
    assert asked.filters == tuple(printed.filters)
    assert asked.orders == tuple(printed.orders)
    assert asked.windows == tuple(printed.windows)
    assert asked.distincts == tuple(printed.distincts)
    assert asked.having == tuple(printed.having)
    assert values == printed.values


# What follows sends what cases send, mutilated and mixed.
REQUESTS = 10_000
LONGEST = 10.0
"""Seconds one answer may take on a busy machine; the statements themselves are stopped by Postgres before that."""
LEFT_OUT = ("raise_", "bad_", "rpc/numbers", "rpc/squares", "/rest/v1/")
"""What fails on purpose, gives as much as it is asked for, or is no table."""
FAILURES_OF_THE_CONTRACT = {"21000"}
"""A row that one upsert would touch twice is a 500 in the dialect."""
PUT_BACK = frozenset({"notes", "pairs", "words", "loose", "lists", "items", "diary", "open_notes"})
"""What is really changed, for it can be put back; all other changes are undone by their own transactions."""
PIECES = (
    "(", ")", ",", ".", ":", "::", "->", "->>", "!", "!inner", "...", "*", '"', "\\", "{", "}", "%", "%00", "%ff", "+",
        "&", "=",
    "not.", "or=(", "and(", "eq.", "in.(", "is.null", "select=", "order=", "limit=", "offset=", "columns=",
        "on_conflict=",
    "count()", ".sum()", "ü", "\u2028", "'", ";", "--", "$1", "-1", "99999999999999999999", "a" * 300, " ", "null",
        "id", "authors",
    "by=(id)", "distinct=(*)", "distinct=(id)", "having=(count().gt.0)", "having=(", "nested=(authors)", "nested=(",
    "count.gt.", "books(count())",
)  # fmt: skip
HEADERS = {
    "prefer": ["count=exact", "count=planned", "return=representation", "return=headers-only", "handling=strict",
               "resolution=merge-duplicates", "missing=default", "max-affected=1", "timezone=Europe/Rome",
               "tx=rollback", "=", ",,", "a"],
    "accept": ["*/*", "text/csv", "application/vnd.pgrst.object+json", "application/vnd.pgrst.plan",
               "application/x-ndjson", "a/b;q=x", ";",
        ",", "*"],
    "range": ["0-1", "5-", "-", "1-0", "a-b", "99999999999999999999-"],
    "accept_profile": ["archive", "public", "", "auth", '"'],
    "content_profile": ["archive", "absent"],
    "content_type": ["application/json", "text/csv", "text/plain", "application/x-www-form-urlencoded", "x", ";"],
}  # fmt: skip
BODIES = [
    b"", b"{", b"[]", b"[[]]", b"[1]", b"null", b"true", b'"a"', b'{"id":1}', b'[{"id":1},{"id":1}]',
        b'{"id":{"a":[1]}}', b"\xff\xfe",
    b'{"title":"\\u0000"}', b'{"a\\u0000":1}', b'{"id":1e400}', b"[" * 5_000, b'{"":1}', b"a,b\n1", b"id=1&id=2",
        b'{"id":1,"id":2}',
    b'[{"title":"a"},7]', b'{"n":99999999999999999999}',
]  # fmt: skip


def mutilated(chance: random.Random, text: str) -> str:
    """The text with pieces cut out, doubled, put in or changed."""
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        at = chance.randint(0, len(text))
        to = min(len(text), at + chance.randint(0, 6))
        piece = chance.choice((chance.choice(PIECES), "", text[at:to] * 2))
        text = text[:at] + piece + text[to:]
    return text


def mixed(chance: random.Random, cases: list[Case]) -> tuple[str, str, object, dict[str, str]]:
    """A request made of pieces of cases: its method, its target, its body, its headers."""
    one, other = chance.choice(cases), chance.choice(cases)
    path, _, query = one.target.partition("?")
    query = mutilated(
        chance, chance.choice((query, other.target.partition("?")[2], f"{query}&{other.target.partition('?')[2]}"))
    )
    method = chance.choice(
        (one.method, one.method, "GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "QUERY")
    )
    if "rpc/" in path and method in {"PATCH", "PUT", "DELETE"}:
        method = "POST"
    sent = chance.choice((one.sent, one.sent, other.sent, chance.choice(BODIES)))
    if sent is not None and chance.random() < 0.2:
        whole = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
        sent = mutilated(chance, whole.decode("latin-1")).encode("utf-8", "replace")
    headers = {**one.request}
    if method == "QUERY" and chance.random() < 0.8:
        query, sent = mutilated(chance, ""), query.encode()
        headers["content_type"] = "application/x-www-form-urlencoded"
    for name, values in HEADERS.items():
        if chance.random() < 0.15:
            headers[name] = mutilated(chance, ", ".join(chance.sample(values, chance.randint(1, 2))))
    return method, f"{path}?{query}", sent, headers


async def test_whatever_is_sent_is_answered_or_refused(
    cluster: Cluster, template: str, seeded: random.Random, scaled: Callable[[int], int]
) -> None:
    cases = [case for _, case in CASES if not any(word in case.target for word in LEFT_OUT)]
    usual = RecordsSettings(max_rows=100)
    undoing = RecordsSettings(max_rows=100, tx_end="rollback")
    statuses: dict[int, int] = {}
    async with opened_library(cluster, template) as library:
        for _ in range(scaled(REQUESTS)):
            method, target, sent, headers = mixed(seeded, cases)
            who = seeded.choice(list(PRINCIPALS))
            changes = method in {"POST", "PUT", "PATCH", "DELETE"}
            kept = target.partition("?")[0] in PUT_BACK
            ask = library.asking(undoing if changes and not kept else usual)
            begun = time.perf_counter()
            try:
                reply = await ask(method, target, sent, as_=PRINCIPALS[who], **headers)
                if reply.stream is not None:
                    async for _ in reply.stream:
                        pass
            except Exception as failure:
                failure.add_note(f"{who}: {method} {target} {headers} {sent!r}")
                raise
            told = f"{who}: {method} {target} {headers} {sent!r} -> {reply.status} {reply.body[:500]!r}"
            assert time.perf_counter() - begun < LONGEST, told
            if reply.status >= 500:
                assert msgspec.json.decode(reply.body)["code"] in FAILURES_OF_THE_CONTRACT, told
            if changes and kept and reply.status < 300:
                await library.restore()
            statuses[reply.status] = statuses.get(reply.status, 0) + 1
    assert statuses[200] > scaled(REQUESTS) / 20, statuses
    assert statuses[400] > scaled(REQUESTS) / 20, statuses
