"""The inserts of a nested insert: one for each level, one for each junction between two."""

import msgspec

from headwater.platform.records.models import Addition, Inserts, Nested, Plan
from headwater.platform.records.sql.filters import GATED
from headwater.platform.records.sql.gate import OPENED
from headwater.platform.records.sql.names import quoted
from headwater.platform.records.sql.parameters import Parameters
from headwater.platform.records.sql.write import INSERTED, change_rows

MARK_LEVEL = "savepoint level"
FORGET_LEVEL = "rollback to savepoint level"
"""What one statement for all rows of a level has not done leaves room for others that find out why."""


def write_inserts(plan: Plan, nested: Nested) -> Inserts:
    """The statements of a nested insert."""
    linkings = [level.linking for level in nested.levels]
    return Inserts(
        nested=nested,
        levels=tuple(_insert(plan, level.addition) for level in nested.levels),
        junctions=tuple(None if linking is None else _insert(plan, linking.addition) for linking in linkings),
    )


def write_probe(addition: Addition, column: int) -> str:
    """What fails where a value of a body is none of its column; takes a JSON array of rows."""
    written = addition.writing.columns[column]
    value = "x.value" if written.heard_by is None else f"{written.heard_by}(x.value)"
    member = quoted(written.name)
    return (
        f"select count({value}) from (select {member} as value from json_to_recordset($1::text::json) "
        f"x({member} {written.type}) offset 0) x"
    )


def _insert(plan: Plan, addition: Addition) -> str:
    """One insert; rows come back in the order in which they went, for they are added one after the other."""
    writing = msgspec.structs.replace(addition.writing, located_by=addition.returned)
    source = msgspec.structs.replace(
        plan.source,
        schema=addition.place[0],
        relation=addition.place[1],
        outputs=(),
        filters=(),
        order=(),
        limited=False,
        shifted=False,
    )
    alone = msgspec.structs.replace(plan, source=source, writing=writing, wants_rows=False, nested=None)
    text = Parameters(alone)
    written = change_rows(text, alone, writing)
    keys = ", ".join(f"r.{quoted(column)}::text" for column in addition.returned)
    inserted = f"count(*) filter (where r.{INSERTED})" if writing.counts_inserted else "count(*)"
    told = f"json_agg(json_build_array({keys})) as keys, count(*) as present, {inserted} as inserted"
    gate = f"(select {OPENED} offset 0) gate"
    return f"with written as ({written}) select t.* from {gate}, lateral (select {told} from written r where {GATED}) t"
