"""A request's meaning in this database."""

from headwater.kernel.catalog import Relation, Snapshot
from headwater.platform.records.errors import NotEmbedded, NotImplementedHere, WrongTableMethod
from headwater.platform.records.models import Asked, Plan, ResourcePath, Source
from headwater.platform.records.plan.expressions import Resolver
from headwater.platform.records.plan.relations import find_relation
from headwater.platform.records.plan.writes import plan_writing


def plan(asked: Asked, snapshot: Snapshot) -> Plan:
    """What to run for what is asked.

    Raises `UnknownRelation`, `UnknownColumn`, `NotEmbedded`, `PutNeedsKey` and, for what this version has not yet,
    `NotImplementedHere`.
    """
    relation = find_relation(snapshot, asked.schema, asked.relation)
    resolver = Resolver(relation)
    outputs = tuple(map(resolver.output, asked.select))
    _must_be_embedded(asked)
    _must_be_built(asked)
    _must_be_writable(asked, relation)
    wants_total = asked.preferences.count is not None
    return Plan(
        source=Source(
            schema=relation.schema,
            relation=relation.name,
            columns=tuple(column.name for column in relation.columns),
            outputs=outputs,
            filters=tuple(resolver.filter(scoped.filter) for scoped in asked.filters),
            order=tuple(resolver.ordering(term) for ordered in asked.orders for term in ordered.terms),
            limited=asked.limited,
            shifted=asked.shifted,
        ),
        media=asked.media,
        preferences=asked.preferences,
        writing=plan_writing(asked, relation),
        wants_rows=_wants_rows(asked),
        wants_total=wants_total and asked.method in {"GET", "HEAD"},
        most_affected=_most_affected(asked),
        claims_first=relation.reaches_partitions,
        profile=asked.schema if asked.profiled or len(snapshot.exposed_schemas) > 1 else None,
    )


def _must_be_embedded(asked: Asked) -> None:
    """Refuse what speaks of a relation that is not embedded; none can be, so far."""
    paths: list[ResourcePath] = [scoped.path for scoped in asked.filters]
    paths += [*(ordered.path for ordered in asked.orders), *asked.windows]
    for path in filter(None, paths):
        hint = f"Verify that '{path[0]}' is included in the 'select' query parameter."
        raise NotEmbedded(relation=path[0], hint=hint)


def _must_be_built(asked: Asked) -> None:
    """Refuse preferences that the dialect has and this version has not."""
    if asked.preferences.count in {"planned", "estimated"}:
        raise NotImplementedHere(details=f"count={asked.preferences.count} is not implemented yet", hint="count=exact")


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
