"""A request's meaning in this database."""

import msgspec

from headwater.kernel.catalog import Relation, Snapshot
from headwater.platform.records.errors import WrongTableMethod
from headwater.platform.records.models import Asked, Plan, RecordsSettings
from headwater.platform.records.plan.handlers import for_handler
from headwater.platform.records.plan.nested import plan_nested, without_levels
from headwater.platform.records.plan.relations import find_relation
from headwater.platform.records.plan.relationships import Relationships
from headwater.platform.records.plan.scopes import whole_scope
from headwater.platform.records.plan.sources import Sources
from headwater.platform.records.plan.writes import plan_writing


def plan(
    asked: Asked,
    snapshot: Snapshot,
    relationships: Relationships | None = None,
    settings: RecordsSettings | None = None,
) -> Plan:
    """What to run for what is asked.

    Whoever plans often keeps the snapshot's `relationships`. Raises `UnknownRelation`, `UnknownColumn`, `PutNeedsKey`,
    what `Sources` and `plan_nested` raise and, where a limit is to hold a change back, `NotImplementedHere`.
    """
    relation = find_relation(snapshot, asked.schema, asked.relation)
    asked = without_levels(asked) if asked.nested else asked
    relationships, settings = relationships or Relationships(snapshot), settings or RecordsSettings()
    sources = Sources(snapshot, relationships, settings)
    source, _ = sources.of_relation(relation, asked.select, whole_scope(asked))
    source = for_handler(source, asked)
    _must_be_writable(asked, relation)
    wants_total = asked.preferences.count is not None
    writing, nested = plan_writing(asked, relation, snapshot), None
    if asked.nested and writing is not None:
        nested, writing = plan_nested(asked, relation, writing, relationships, settings)
    return Plan(
        source=msgspec.structs.replace(source, limited=asked.limited, shifted=asked.shifted),
        media=asked.media,
        preferences=asked.preferences,
        writing=writing,
        wants_rows=_wants_rows(asked),
        wants_total=wants_total and asked.method in {"GET", "HEAD"},
        most_affected=_most_affected(asked),
        claims_first=sources.claims_first,
        profile=asked.schema if asked.profiled or len(snapshot.exposed_schemas) > 1 else None,
        nested=nested,
    )


def _must_be_writable(asked: Asked, relation: Relation) -> None:
    """Refuse what no row of such a relation can undergo; Postgres would refuse it less clearly."""
    allowed = {
        "POST": relation.insertable,
        "PATCH": relation.updatable,
        "PUT": relation.insertable and relation.updatable,
        "DELETE": relation.deletable,
    }
    if not allowed.get(asked.method, True):
        raise WrongTableMethod(method=asked.method)


def _wants_rows(asked: Asked) -> bool:
    if asked.method in {"GET", "HEAD"}:
        return asked.method == "GET"
    return asked.preferences.representation == "representation"


def _most_affected(asked: Asked) -> int | None:
    if asked.preferences.handling == "strict" and asked.method in {"PATCH", "DELETE"}:
        return asked.preferences.max_affected
    return None
