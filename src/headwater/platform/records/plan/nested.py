"""How rows that carry rows of other relations are added: in which order, and which keys fill which columns."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from headwater.kernel.catalog import Relation, Snapshot
from headwater.platform.records.errors import NestedTooDeep, NotNestable
from headwater.platform.records.models import (
    Addition,
    Asked,
    Embed,
    Level,
    LevelShape,
    Linking,
    Nested,
    Pair,
    Place,
    RecordsSettings,
    Relationship,
    SelectItem,
    Tie,
    Writing,
)
from headwater.platform.records.parse import label_of
from headwater.platform.records.plan.embedding import find_relationship
from headwater.platform.records.plan.relationships import Relationships
from headwater.platform.records.plan.writes import written_columns


class _Branch:
    """A level while it is planned: where its rows go, and which of their columns others need."""

    def __init__(self, relation: Relation, label: str, above: int, relationship: Relationship | None) -> None:
        self.relation = relation
        self.label = label
        self.above = above
        self.relationship = relationship
        self.returned: dict[str, None] = {}

    @property
    def outgoing(self) -> bool:
        return self.relationship is not None and self.relationship.outgoing


def plan_nested(
    asked: Asked, relation: Relation, writing: Writing, relationships: Relationships, settings: RecordsSettings
) -> tuple[Nested, Writing]:
    """The levels of a nested insert, whose first does what `writing` says, and how its rows are found again.

    Raises `NestedTooDeep`, `NotNestable`, `NoRelationship`, `AmbiguousRelationship` and `UnknownColumn`.
    """
    _must_be_nestable(asked)
    branches = [_Branch(relation, "", -1, None)]
    _add_branches(branches, 0, asked.nested, relationships, settings.nested_depth, settings.nested_depth)
    told = asked.preferences.representation == "representation" or writing.located_by
    key = _key_of(relation) if told else ()
    for branch in branches:
        _need(branches, branch)
    branches[0].returned |= dict.fromkeys(key)
    snapshot = relationships.snapshot
    shapes = asked.levels if asked.columns is None else ((asked.columns, False), *asked.levels[1:])
    levels = [_level(branches, number, own, snapshot, writing) for number, own in enumerate(shapes)]
    tie = _tie([(column, column) for column in key], branches[0].returned)
    found = msgspec.structs.replace(
        writing,
        columns=(),
        from_array=True,
        counts_inserted=False,
        found_by=written_columns(key, relation, snapshot, plainly=True),
    )
    return Nested(tuple(levels), tuple(_in_order(branches, 0)), tie), found


def without_levels(asked: Asked) -> Asked:
    """What is asked, whose list of columns names no members that are rows of their own; clients list all members."""
    labels = {label_of(embed) for embed in asked.nested}
    columns = None if asked.columns is None else tuple(name for name in asked.columns if name not in labels)
    return msgspec.structs.replace(asked, columns=columns)


def _must_be_nestable(asked: Asked) -> None:
    if asked.preferences.resolution == "ignore-duplicates":
        raise NotNestable(reason="rows that resolution=ignore-duplicates leaves out could carry nothing")
    if asked.media.explained is not None:
        raise NotNestable(reason="there is no one plan of several statements")


def _add_branches(
    branches: list[_Branch],
    above: int,
    items: Iterable[SelectItem],
    relationships: Relationships,
    left: int,
    most: int,
) -> None:
    """The levels below one, each before those inside it, as a body is read."""
    origin = branches[above].relation
    for embed in items:
        if not isinstance(embed, Embed):
            continue
        if left == 0:
            raise NestedTooDeep(most=most)
        relationship = _relationship(relationships, origin, embed)
        target = relationships.snapshot.relations[relationship.target]
        if not target.insertable:
            raise NotNestable(reason=f"'{target.name}' takes no new rows")
        branches.append(_Branch(target, label_of(embed), above, relationship))
        _add_branches(branches, len(branches) - 1, embed.items, relationships, left - 1, most)


def _relationship(relationships: Relationships, origin: Relation, embed: Embed) -> Relationship:
    label = label_of(embed)
    if any(column.name == label for column in origin.columns):
        hint = f"Give it an alias, as in nested=(its_{label}:{embed.relation})"
        raise NotNestable(reason=f"'{label}' is a column of '{origin.name}'", hint=hint)
    relationship = find_relationship(relationships, (origin.schema, origin.name), embed)
    if relationship.function is not None:
        raise NotNestable(reason=f"'{embed.relation}' is a function, which says nothing of keys")
    return relationship


def _need(branches: list[_Branch], branch: _Branch) -> None:
    """Note what the levels at both ends of a relationship must give back for it."""
    if branch.relationship is None:
        return
    above, through = branches[branch.above], branch.relationship.through
    if through is not None:
        above.returned |= dict.fromkeys(own for own, _ in through.near)
        branch.returned |= dict.fromkeys(theirs for _, theirs in through.far)
    elif branch.outgoing:
        branch.returned |= dict.fromkeys(theirs for _, theirs in branch.relationship.pairs)
    else:
        above.returned |= dict.fromkeys(own for own, _ in branch.relationship.pairs)


def _level(branches: list[_Branch], number: int, own: LevelShape, snapshot: Snapshot, asked: Writing) -> Level:
    """A level whose rows have these columns of their own; those of the body itself are written as is `asked`."""
    branch = branches[number]
    relationship = branch.relationship
    tie = linking = None
    if relationship is not None and relationship.through is not None:
        linking = _linking(branches, branch, relationship, snapshot)
    elif relationship is not None and branch.outgoing:
        tie = _tie(relationship.pairs, branch.returned)
    elif relationship is not None:
        tie = _tie([(theirs, own) for own, theirs in relationship.pairs], branches[branch.above].returned)
    filled = [] if tie is None or branch.outgoing else list(tie.columns)
    for other in branches:
        if other.above == number and other.outgoing and other.relationship is not None:
            filled += [column for column, _ in other.relationship.pairs]
    names = [name for name in own[0] if name not in filled]
    columns = written_columns(names, branch.relation, snapshot, level=number)
    columns += written_columns(dict.fromkeys(filled), branch.relation, snapshot, plainly=True)
    writing = Writing(
        kind="insert",
        columns=columns,
        from_array=True,
        fill_missing=asked.fill_missing or (own[1] and number > 0),
        conflict=asked.conflict if number == 0 else None,
        counts_inserted=asked.counts_inserted and number == 0,
    )
    return Level(
        label=branch.label,
        above=branch.above,
        many=relationship is None or relationship.many,
        addition=_addition((branch.relation.schema, branch.relation.name), writing, branch.returned),
        outgoing=branch.outgoing,
        tie=tie,
        linking=linking,
    )


def _linking(
    branches: list[_Branch], branch: _Branch, relationship: Relationship, snapshot: Snapshot
) -> Linking | None:
    """The rows of the junction between a level and the one above."""
    through = relationship.through
    if through is None:
        return None
    junction = snapshot.relations[through.place]
    near = _tie([(theirs, own) for own, theirs in through.near], branches[branch.above].returned)
    far = _tie(through.far, branch.returned)
    columns = written_columns(dict.fromkeys((*near.columns, *far.columns)), junction, snapshot, plainly=True)
    writing = Writing(kind="insert", columns=columns, from_array=True)
    return Linking(addition=_addition(through.place, writing, ()), near=near, far=far)


def _addition(place: Place, writing: Writing, returned: Iterable[str]) -> Addition:
    return Addition(place=place, writing=writing, returned=tuple(returned))


def _tie(pairs: Sequence[Pair], returned: Iterable[str]) -> Tie:
    """How columns, the first of each pair, are filled from those that the others' insert gives back."""
    given = list(returned)
    return Tie(tuple(column for column, _ in pairs), tuple(given.index(other) for _, other in pairs))


def _in_order(branches: list[_Branch], number: int) -> Iterator[int]:
    """The levels in the order in which they are added: what a row refers to, the row, what refers to it."""
    below = [place for place, branch in enumerate(branches) if branch.above == number]
    for place in below:
        if branches[place].outgoing:
            yield from _in_order(branches, place)
    yield number
    for place in below:
        if not branches[place].outgoing:
            yield from _in_order(branches, place)


def _key_of(relation: Relation) -> tuple[str, ...]:
    """The key by which new rows are found again, to be told."""
    required = {column.name for column in relation.columns if not column.nullable}
    whole = next((key for key in relation.unique_keys if required.issuperset(key)), ())
    key = relation.primary_key or whole
    if not key:
        hint = "Prefer return=minimal"
        raise NotNestable(reason=f"'{relation.name}' has no key by which its new rows could be told", hint=hint)
    return key
