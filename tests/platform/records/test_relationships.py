"""Relationships derived from keys, views and functions, without a database."""

import msgspec
import pytest

from headwater.kernel.catalog import Argument, Column, ForeignKey, Function, Relation, Snapshot, ViewColumn
from headwater.platform.records.errors import AmbiguousRelationship, NoRelationship
from headwater.platform.records.models import Embed, Relationship
from headwater.platform.records.plan import KnownRelationships, Relationships
from headwater.platform.records.plan.embedding import find_relationship


def relation(
    name: str, *columns: str, key: tuple[str, ...] = ("id",), schema: str = "public", view: bool = False
) -> Relation:
    made = tuple(Column(name=c, type="integer", base_type="integer", category="N", nullable=True) for c in columns)
    return Relation(schema=schema, name=name, kind="view" if view else "table", columns=made, primary_key=key)


def key(
    name: str,
    origin: str,
    columns: str,
    target: str,
    theirs: str = "id",
    *,
    unique: bool = False,
    schema: str = "public",
) -> ForeignKey:
    return ForeignKey(
        name=name,
        schema=schema,
        relation=origin,
        columns=tuple(columns.split()),
        target_schema="public",
        target_relation=target,
        target_columns=tuple(theirs.split()),
        one_to_one=unique,
    )


def shown(view: str, column: str, base: str, base_column: str) -> ViewColumn:
    return ViewColumn(
        schema="public", view=view, column=column, base_schema="public", base_relation=base, base_column=base_column
    )


def function(name: str, of: str, returns: str | None, *, many: bool = True, rows: float = 1000) -> Function:
    return Function(
        schema="public",
        name=name,
        arguments=(Argument(name="", type=of),),
        returns=returns or "text",
        returns_set=many,
        composite=returns is not None,
        returns_void=False,
        volatility="stable",
        row_of=("public", of),
        returns_relation=None if returns is None else ("public", returns),
        rows=rows,
    )


RELATIONS = (
    relation("a", "id", "b_id", "b_too"),
    relation("b", "id", "up"),
    relation("c", "b_id", key=("b_id",)),
    relation("ab", "a_id", "b_id", key=("a_id", "b_id")),
    relation("loose", "id", "a_id", "b_id"),
    relation("pairs", "x", "y", key=("x", "y")),
    relation("pointing", "id", "x", "y"),
    relation("bv", "number", "over", key=("number",), view=True),
    relation("abv", "a_id", "b_id", key=("a_id", "b_id"), view=True),
    relation("self", "one", "two", key=("one", "two")),
    relation("hidden", "id", "b_id", schema="storage"),
)
SNAPSHOT = Snapshot(
    version=1,
    schemas=("public", "storage"),
    exposed_schemas=("public",),
    relations={(one.schema, one.name): one for one in RELATIONS},
    foreign_keys=(
        key("a_b", "a", "b_id", "b"),
        key("a_b_too", "a", "b_too", "b"),
        key("b_up", "b", "up", "b"),
        key("c_b", "c", "b_id", "b", unique=True),
        key("ab_a", "ab", "a_id", "a"),
        key("ab_b", "ab", "b_id", "b"),
        key("loose_a", "loose", "a_id", "a"),
        key("loose_b", "loose", "b_id", "b"),
        key("pointing_pairs", "pointing", "x y", "pairs", "x y"),
        key("self_one", "self", "one", "c", "b_id"),
        key("self_two", "self", "two", "c", "b_id"),
        key("hidden_b", "hidden", "b_id", "b", schema="storage"),
    ),
    view_columns=(
        shown("bv", "number", "b", "id"),
        shown("bv", "over", "b", "up"),
        shown("abv", "a_id", "ab", "a_id"),
        shown("abv", "b_id", "ab", "b_id"),
    ),
    functions={
        ("public", "loose"): (function("loose", "b", "a"),),
        ("public", "first"): (function("first", "b", "a", rows=1),),
        ("public", "just"): (function("just", "b", "a", many=False),),
        ("public", "word"): (function("word", "b", None, many=False),),
    },
)


def found(origin: str, target: str, hint: str | None = None) -> Relationship:
    embed = Embed(relation=target, items=(), hint=hint)
    return find_relationship(Relationships(SNAPSHOT), ("public", origin), embed)


FOUND = [
    ("a", "b", "a_b", "many-to-one", (("b_id", "id"),)),
    ("a", "b", "b_too", "many-to-one", (("b_too", "id"),)),
    ("a", "b_id", None, "many-to-one", (("b_id", "id"),)),
    ("a", "a_b_too", None, "many-to-one", (("b_too", "id"),)),
    ("b", "a", "b_id", "one-to-many", (("id", "b_id"),)),
    ("b", "a_b", None, "one-to-many", (("id", "b_id"),)),
    ("b", "b", None, "one-to-many", (("id", "up"),)),
    ("b", "b", "up", "one-to-many", (("id", "up"),)),
    ("b", "up", None, "many-to-one", (("up", "id"),)),
    ("b", "c", None, "one-to-one", (("id", "b_id"),)),
    ("c", "b", None, "one-to-one", (("b_id", "id"),)),
    ("a", "b", "ab", "many-to-many", ()),
    ("a", "b", "ab_b", "many-to-many", ()),
    ("a", "loose", None, "one-to-many", (("id", "a_id"),)),
    ("pointing", "pairs", None, "many-to-one", (("x", "x"), ("y", "y"))),
    ("pairs", "pointing", None, "one-to-many", (("x", "x"), ("y", "y"))),
    ("a", "b", "b_id", "many-to-one", (("b_id", "id"),)),
    ("a", "bv", "b_id", "many-to-one", (("b_id", "number"),)),
    ("bv", "a", "a_b", "one-to-many", (("number", "b_id"),)),
    ("bv", "b", None, "one-to-many", (("number", "up"),)),
    ("bv", "bv", None, "one-to-many", (("number", "over"),)),
    ("bv", "c", None, "one-to-one", (("number", "b_id"),)),
    ("ab", "bv", None, "many-to-one", (("b_id", "number"),)),
    ("abv", "a", None, "many-to-one", (("a_id", "id"),)),
    ("b", "loose", None, "one-to-many", ()),
    ("b", "first", None, "many-to-one", ()),
    ("b", "just", "whatever", "many-to-one", ()),
]


@pytest.mark.parametrize(("origin", "target", "hint", "cardinality", "pairs"), FOUND)
def test_the_one_that_is_meant(
    origin: str, target: str, hint: str | None, cardinality: str, pairs: tuple[tuple[str, str], ...]
) -> None:
    one = found(origin, target, hint)
    assert (one.cardinality, one.pairs) == (cardinality, pairs)


def test_a_function_goes_before_keys_of_its_name() -> None:
    assert found("b", "loose").function == ("public", "loose")
    assert found("a", "loose").function is None


def test_a_junction_is_preferred_to_the_view_that_shows_it() -> None:
    one, by_view = found("a", "b", "ab"), found("a", "b", "abv")
    assert one.through is not None
    assert (one.through.place, one.through.near, one.through.far) == (
        ("public", "ab"),
        (("id", "a_id"),),
        (("b_id", "id"),),
    )
    assert by_view.through is not None
    assert by_view.through.place == ("public", "abv")


@pytest.mark.parametrize(
    ("origin", "target", "ways"),
    [
        ("a", "b", ["a_b", "a_b_too", "ab", "abv"]),
        ("b", "a", ["a_b", "a_b_too", "ab", "abv"]),
        ("c", "c", ["self_two", "self_one"]),
    ],
)
def test_more_than_one_is_ambiguous(origin: str, target: str, ways: list[str]) -> None:
    with pytest.raises(AmbiguousRelationship) as refused:
        found(origin, target)
    assert refused.value.hint is not None
    listed = ", ".join(f"'{target}!{way}'" for way in ways)
    assert refused.value.hint.startswith(f"Try changing '{target}' to one of the following: {listed}.")
    assert [set(one) for one in msgspec.convert(refused.value.details, list[dict[str, str]])] == [
        {"cardinality", "embedding", "relationship"}
    ] * len(ways)


@pytest.mark.parametrize(
    ("origin", "target", "hint"),
    [
        ("a", "c", None),
        ("a", "b", "nothing"),
        ("b", "hidden", None),
        ("b", "hidden_b", None),
        ("b", "word", None),
        ("bv", "number", None),
        ("a", "id", None),
    ],
)
def test_nothing_of_that_name(origin: str, target: str, hint: str | None) -> None:
    with pytest.raises(NoRelationship):
        found(origin, target, hint)


def test_a_junctions_keys_must_lie_in_its_primary_key() -> None:
    assert "loose" not in {one.through.place[1] for one in Relationships(SNAPSHOT).of(("public", "a")) if one.through}


def test_every_relationship_has_its_other_side() -> None:
    known = Relationships(SNAPSHOT)
    for place in [place for place in SNAPSHOT.relations if place[0] == "public"]:
        for one in known.of(place):
            if one.through is None:
                back = [(b.constraint, tuple((o, t) for t, o in b.pairs)) for b in known.of(one.target)]
                assert (one.constraint, one.pairs) in back
            else:
                junctions = [b.through.place for b in known.of(one.target) if b.through and b.target == place]
                assert one.through.place in junctions


def test_they_are_derived_once_for_a_snapshot() -> None:
    known = KnownRelationships()
    first = known.of(SNAPSHOT)
    assert known.of(SNAPSHOT) is first
    assert first.of(("public", "a")) is first.of(("public", "a"))
    newer = Snapshot(version=2)
    assert known.of(newer) is not first
    assert known.of(newer).of(("public", "a")) == ()
