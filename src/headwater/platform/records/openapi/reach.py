"""What of a schema is described: what there is, as far as the caller may use it."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from headwater.kernel.catalog import Function, Relation, Snapshot
from headwater.platform.records.queries import Rights

Schema = dict[str, Any]
"""A JSON object of a description."""

Verb = Literal["get", "post", "patch", "delete"]
_WORDS_OF_RIGHTS: dict[str, Verb] = {"select": "get", "insert": "post", "update": "patch", "delete": "delete"}
ForeignColumn = tuple[str, str, str]
"""Schema, relation and column that a foreign key leads to."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Who describes, and where: `url` is the mount's path or public address, `version` the server's.

    `secured` where the description is to say that a token is needed.
    """

    version: str
    url: str
    secured: bool = False


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What a description tells of: relations with the methods they answer to, functions, keys by their column."""

    schema: str
    comment: str | None
    is_first: bool
    relations: tuple[tuple[Relation, tuple[Verb, ...]], ...]
    functions: Mapping[str, tuple[Function, ...]]
    foreign: Mapping[tuple[str, str], ForeignColumn]


def reach_of(snapshot: Snapshot, schema: str, rights: Rights | None) -> Reach:
    """What of a schema is described to whoever has these rights; to anyone, where they do not matter."""
    functions: dict[str, tuple[Function, ...]] = {}
    for (place, name), overloads in snapshot.functions.items():
        if place == schema and (called := tuple(_callable(overloads, name, rights))):
            functions[name] = called
    return Reach(
        schema=schema,
        comment=snapshot.comments.get(schema),
        is_first=snapshot.exposed_schemas[:1] == (schema,),
        relations=tuple(
            (relation, verbs)
            for relation in snapshot.relations.values()
            if relation.schema == schema and (verbs := tuple(_verbs(relation, rights)))
        ),
        functions=functions,
        foreign=_foreign_columns(snapshot, schema),
    )


def _verbs(relation: Relation, rights: Rights | None) -> Iterator[Verb]:
    """The methods a relation answers to."""
    able = {"get": True, "post": relation.insertable, "patch": relation.updatable, "delete": relation.deletable}
    for right, verb in _WORDS_OF_RIGHTS.items():
        if able[verb] and (rights is None or right in rights.relations.get(relation.name, ())):
            yield verb


def _callable(overloads: tuple[Function, ...], name: str, rights: Rights | None) -> Iterator[Function]:
    permitted = (True,) * len(overloads) if rights is None else rights.functions.get(name, ())
    for function, may in zip(overloads, permitted, strict=False):
        if may and function.callable:
            yield function


def _foreign_columns(snapshot: Snapshot, schema: str) -> dict[tuple[str, str], ForeignColumn]:
    """Where the single columns of a schema's relations lead, through views too, as far as it is served."""
    leads = {
        (key.schema, key.relation, key.columns[0]): (key.target_schema, key.target_relation, key.target_columns[0])
        for key in snapshot.foreign_keys
        if len(key.columns) == 1 and key.target_schema in snapshot.exposed_schemas
    }
    found = {place[1:]: target for place, target in leads.items() if place[0] == schema}
    for each in snapshot.view_columns:
        target = leads.get((each.base_schema, each.base_relation, each.base_column))
        if target is not None and each.schema == schema:
            found[each.view, each.column] = target
    return found
