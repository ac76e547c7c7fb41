"""What a write fills, and what happens where its key is taken."""

from collections.abc import Iterable

from headwater.kernel.catalog import Relation, Snapshot
from headwater.platform.records.errors import NoSuchKey, NotImplementedHere, PutNeedsKey, UnknownColumn, UnreadableBody
from headwater.platform.records.models import Asked, Condition, Conflict, Field, Writing, Written


def plan_writing(asked: Asked, relation: Relation, snapshot: Snapshot) -> Writing | None:
    """The change a request asks for, or None for one that only reads.

    Raises `UnknownColumn`, `PutNeedsKey`, `NoSuchKey`, `UnreadableBody` and `NotImplementedHere`.
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
    columns = _columns(asked, relation, snapshot)
    fill_missing = asked.preferences.missing == "default"
    if asked.method == "PATCH":
        return Writing(
            kind="update",
            columns=columns,
            from_array=asked.body_is_array,
            fill_missing=fill_missing,
            by=_key(asked, relation, columns),
        )
    conflict = _put_conflict(asked, relation) if asked.method == "PUT" else _conflict(asked, relation)
    return Writing(
        kind="insert",
        columns=columns,
        from_array=asked.body_is_array,
        fill_missing=fill_missing,
        conflict=conflict,
        counts_inserted=conflict is not None and conflict.merge and relation.kind == "table",
        located_by=relation.primary_key if asked.preferences.representation == "headers-only" else (),
        replaces=asked.method == "PUT",
    )


def _columns(asked: Asked, relation: Relation, snapshot: Snapshot) -> tuple[Written, ...]:
    return written_columns(asked.body_columns if asked.columns is None else asked.columns, relation, snapshot)


def written_columns(
    names: Iterable[str], relation: Relation, snapshot: Snapshot, *, plainly: bool = False, level: int = 0
) -> tuple[Written, ...]:
    """The columns of these names as a body fills them; `plainly` where it has them as Postgres writes them.

    Raises `UnknownColumn`, which tells the `level` of a nested body.
    """
    known = {column.name: column for column in relation.columns}
    written: list[Written] = []
    for name in names:
        column = known.get(name)
        if column is None:
            raise UnknownColumn(column=name, relation=relation.name, level=level)
        domain = None if plainly else column.domain
        own_form = snapshot.representations.get(domain) if domain is not None else None
        heard_by = own_form.from_json if own_form is not None else None
        kind = column.base_type if heard_by is None else "json"
        written.append(Written(name=name, type=kind, default=column.default, heard_by=heard_by))
    return tuple(written)


def _key(asked: Asked, relation: Relation, columns: tuple[Written, ...]) -> tuple[str, ...]:
    """The unique key that `by` names, which the body must carry; raises `NoSuchKey`, `UnreadableBody`."""
    if asked.by is None:
        return ()
    keys = {frozenset(key) for key in (relation.primary_key, *relation.unique_keys) if key}
    if frozenset(asked.by) not in keys:
        raise NoSuchKey(relation=relation.name, columns=", ".join(asked.by), hint=_hint_of_keys(relation))
    missing = set(asked.by) - {column.name for column in columns}
    if missing and columns:
        raise UnreadableBody(reason=f"Every row must carry its key: {', '.join(sorted(missing))} is missing")
    return asked.by


def _hint_of_keys(relation: Relation) -> str | None:
    keys = dict.fromkeys(key for key in (relation.primary_key, *relation.unique_keys) if key)
    told = ", ".join("by=({})".format(",".join(key)) for key in keys)
    return f"Its keys are: {told}" if told else None


def _conflict(asked: Asked, relation: Relation) -> Conflict | None:
    """An upsert's conflict; without a key to find it by, the rows are plainly inserted."""
    target = asked.on_conflict or relation.primary_key
    if asked.preferences.resolution is None or not target:
        return None
    return Conflict(target=target, merge=asked.preferences.resolution == "merge-duplicates")


def _put_conflict(asked: Asked, relation: Relation) -> Conflict:
    """The row a PUT replaces: the one its filters name by the whole primary key."""
    named: set[str] = set()
    own = [scoped.filter for scoped in asked.filters if not scoped.path]
    for condition in own:
        if not isinstance(condition, Condition) or not isinstance(condition.field, Field) or condition.field.path:
            raise PutNeedsKey
        if condition.operator != "eq" or condition.negated or condition.quantifier or condition.counted:
            raise PutNeedsKey
        named.add(condition.field.name)
    if not relation.primary_key or named != set(relation.primary_key) or len(own) != len(named):
        raise PutNeedsKey
    return Conflict(target=relation.primary_key, merge=True)
