"""Which relationship an embed means."""

from collections.abc import Iterable

from headwater.platform.records.errors import AmbiguousRelationship, NoRelationship
from headwater.platform.records.models import Embed, Pair, Place, Relationship
from headwater.platform.records.plan.hints import nearest
from headwater.platform.records.plan.relationships import Relationships

_TABLES = frozenset({"table", "partitioned table", "foreign table"})


def find_relationship(relationships: Relationships, origin: Place, embed: Embed) -> Relationship:
    """The relationship that an embed in rows of `origin` means; a function of that name goes before all keys.

    Raises `NoRelationship` and `AmbiguousRelationship`.
    """
    if computed := relationships.computed(origin, embed.relation):
        return computed
    known = [one for one in relationships.of(origin) if one.target[0] == origin[0]]
    named = [one for one in known if _is_named(relationships, one, embed.relation)]
    meant = _preferred(relationships, named if embed.hint is None else _hinted(named, embed.hint))
    if not meant:
        raise _unknown(origin, embed, known)
    if len(meant) > 1:
        raise _ambiguous(origin, embed, meant)
    return meant[0]


def _is_named(relationships: Relationships, one: Relationship, name: str) -> bool:
    """By the target's name; or, where the target is a table, by the foreign key's name or the column that holds it."""
    if name == one.target[1]:
        return True
    if one.through is not None or not _is_table(relationships, one.target):
        return False
    return name == one.constraint or (one.outgoing and _only_column(one.pairs, 0) == name)


def _hinted(named: Iterable[Relationship], hint: str) -> list[Relationship]:
    """Those whose junction, or whose foreign key or its column at either end, the hint names.

    Where it names none, it may be the junction's key that leads to the target: that tells the two directions of a
    relation's many-to-many with itself apart.
    """
    listed = list(named)
    return [one for one in listed if hint in _ways(one)] or [one for one in listed if hint in _far_ways(one)]


def _ways(one: Relationship) -> tuple[str | None, ...]:
    if one.through is not None:
        return (one.through.place[1],)
    return one.constraint, _only_column(one.pairs, 0), _only_column(one.pairs, 1)


def _far_ways(one: Relationship) -> tuple[str | None, ...]:
    return () if one.through is None else (one.through.far_constraint, _only_column(one.through.far, 0))


def _is_table(relationships: Relationships, place: Place) -> bool:
    return relationships.snapshot.relations[place].kind in _TABLES


def _only_column(pairs: tuple[Pair, ...], side: int) -> str | None:
    return pairs[0][side] if len(pairs) == 1 else None


def _preferred(relationships: Relationships, found: list[Relationship]) -> list[Relationship]:
    """Of a key from a relation to itself the side with many; of a junction and the views that show it, the junction."""
    if len(found) == 2 and found[0].constraint == found[1].constraint != "" and found[0].outgoing != found[1].outgoing:
        return [one for one in found if not one.outgoing]
    if len(found) > 1 and all(one.through is not None for one in found):
        tables = [one for one in found if one.through and _is_table(relationships, one.through.place)]
        return tables or found
    return found


def _unknown(origin: Place, embed: Embed, known: Iterable[Relationship]) -> NoRelationship:
    by_hint = "" if embed.hint is None else f" using the hint '{embed.hint}'"
    meant = nearest(embed.relation, dict.fromkeys(one.target[1] for one in known))
    return NoRelationship(
        origin=origin[1],
        target=embed.relation,
        details=f"Searched for a foreign key relationship between '{origin[1]}' and '{embed.relation}'{by_hint} in the "
        f"schema '{origin[0]}', but no matches were found.",
        hint=None if meant in {None, embed.relation} else f"Perhaps you meant '{meant}' instead of '{embed.relation}'.",
    )


def _ambiguous(origin: Place, embed: Embed, meant: list[Relationship]) -> AmbiguousRelationship:
    junctions = [one.through.place for one in meant if one.through is not None]
    ways: list[str] = []
    for one in meant:
        way = one.constraint
        if one.through is not None:
            way = one.through.far_constraint if junctions.count(one.through.place) > 1 else one.through.place[1]
        ways.append(f"'{embed.relation}!{way}'")
    return AmbiguousRelationship(
        origin=origin[1],
        target=embed.relation,
        details=[_described(one) for one in meant],
        hint=f"Try changing '{embed.relation}' to one of the following: {', '.join(ways)}. "
        "Find the desired relationship in the 'details' key.",
    )


def _described(one: Relationship) -> dict[str, str]:
    if one.through is not None:
        near = f"{one.through.near_constraint}({_columns(one.through.near, 1)})"
        far = f"{one.through.far_constraint}({_columns(one.through.far, 0)})"
        relationship = f"{one.through.place[1]} using {near} and {far}"
    else:
        own = f"{one.origin[1]}({_columns(one.pairs, 0)})"
        relationship = f"{one.constraint} using {own} and {one.target[1]}({_columns(one.pairs, 1)})"
    return {
        "cardinality": one.cardinality,
        "embedding": f"{one.origin[1]} with {one.target[1]}",
        "relationship": relationship,
    }


def _columns(pairs: tuple[Pair, ...], side: int) -> str:
    return ", ".join(pair[side] for pair in pairs)
