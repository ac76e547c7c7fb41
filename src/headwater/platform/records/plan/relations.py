"""Which schema and which relation a request is about."""

from headwater.kernel.catalog import Relation, Snapshot
from headwater.platform.records.errors import UnknownRelation, UnknownSchema
from headwater.platform.records.plan.hints import nearest

LONGEST_NAME = 63
"""Bytes in a Postgres identifier; what is longer is no relation's name."""


def choose_schema(snapshot: Snapshot, profile: str | None) -> str:
    """The schema a request is about: the profile, or the first served.

    Raises `UnknownSchema` if the profile is not served.
    """
    if profile is None:
        return snapshot.exposed_schemas[0] if snapshot.exposed_schemas else "public"
    if profile not in snapshot.exposed_schemas:
        served = ", ".join(snapshot.exposed_schemas)
        raise UnknownSchema(schema=profile, hint=f"Only the following schemas are exposed: {served}")
    return profile


def find_relation(snapshot: Snapshot, schema: str, name: str) -> Relation:
    """The relation of that name. Raises `UnknownRelation`, with what may have been meant."""
    if relation := snapshot.relations.get((schema, name)):
        return relation
    meant = None
    if len(name) <= LONGEST_NAME:
        meant = nearest(name, (known for place, known in snapshot.relations if place == schema))
    hint = None if meant is None else f"Perhaps you meant the table '{schema}.{meant}'"
    raise UnknownRelation(schema=schema, relation=name, hint=hint)
