"""What a write fills, and what happens where its key is taken."""

from headwater.kernel.catalog import Relation
from headwater.platform.records.errors import NotImplementedHere, PutNeedsKey, UnknownColumn
from headwater.platform.records.models import Asked, Condition, Conflict, Writing, Written


def plan_writing(asked: Asked, relation: Relation) -> Writing | None:
    """The change a request asks for, or None for one that only reads.

    Raises `UnknownColumn`, `PutNeedsKey` and `NotImplementedHere`.
    """
    if asked.method in {"GET", "HEAD"}:
        return None
    if asked.method in {"PATCH", "DELETE"} and (asked.limited or asked.shifted):
        raise NotImplementedHere(
            details="PATCH and DELETE change every row their filters match; a limit would not hold them back",
            hint="Filter by the keys of the rows that are meant",
        )
    if asked.method == "DELETE":
        return Writing(kind="delete")
    columns = _columns(asked, relation)
    if asked.method == "PATCH":
        return Writing(kind="update", columns=columns, from_array=asked.body_is_array)
    conflict = _put_conflict(asked, relation) if asked.method == "PUT" else _conflict(asked, relation)
    return Writing(
        kind="insert",
        columns=columns,
        from_array=asked.body_is_array,
        fill_missing=asked.preferences.missing == "default",
        conflict=conflict,
        counts_inserted=conflict is not None and conflict.merge and relation.kind == "table",
        located_by=relation.primary_key if asked.preferences.representation == "headers-only" else (),
        replaces=asked.method == "PUT",
    )


def _columns(asked: Asked, relation: Relation) -> tuple[Written, ...]:
    known = {column.name: column for column in relation.columns}
    written: list[Written] = []
    for name in asked.body_columns if asked.columns is None else asked.columns:
        column = known.get(name)
        if column is None:
            raise UnknownColumn(column=name, relation=relation.name)
        written.append(Written(name=name, type=column.base_type, default=column.default))
    return tuple(written)


def _conflict(asked: Asked, relation: Relation) -> Conflict | None:
    """An upsert's conflict; without a key to find it by, the rows are plainly inserted."""
    target = asked.on_conflict or relation.primary_key
    if asked.preferences.resolution is None or not target:
        return None
    return Conflict(target=target, merge=asked.preferences.resolution == "merge-duplicates")


def _put_conflict(asked: Asked, relation: Relation) -> Conflict:
    """The row a PUT replaces: the one its filters name by the whole primary key."""
    named: set[str] = set()
    for scoped in asked.filters:
        condition = scoped.filter
        if not isinstance(condition, Condition) or scoped.path or condition.field.path:
            raise PutNeedsKey
        if condition.operator != "eq" or condition.negated or condition.quantifier:
            raise PutNeedsKey
        named.add(condition.field.name)
    if not relation.primary_key or named != set(relation.primary_key) or len(asked.filters) != len(named):
        raise PutNeedsKey
    return Conflict(target=relation.primary_key, merge=True)
