"""The change of rows in front of a statement, and what is told of them."""

from headwater.platform.records.models import Plan, Writing, Written
from headwater.platform.records.sql.expressions import TOP, WHOLE, Rows
from headwater.platform.records.sql.filters import GATED, where_all
from headwater.platform.records.sql.names import literal, quoted, write_relation
from headwater.platform.records.sql.needs import carries_whole, needs_of
from headwater.platform.records.sql.parameters import Parameters
from headwater.platform.records.sql.read import read_changed_rows

INSERTED = "headwater_inserted"
GIVEN = "given"
_ITEM = "headwater_item"
_PLACE = "headwater_place"
_BODY = Rows("x", "x")
"""The rows of the body, of which a PUT takes only the one that its filters name."""


def told_rows(text: Parameters, plan: Plan, writing: Writing) -> str:
    """What is told of the rows that a change gave back, in their order."""
    if writing.located_by:
        keys = ", ".join(f"r.{quoted(key)}::text as {quoted(key)}" for key in writing.located_by)
        return f"select {keys} from written r where {GATED}"
    if not plan.wants_rows:
        return f"select from written r where {GATED}"
    starred = not writing.counts_inserted and not carries_whole(plan.source) and writing.found_by is None
    told = read_changed_rows(text, plan.source, "written", starred=starred)
    placed = writing.found_by is not None and not plan.source.order and not plan.source.grouped
    return f"{told} order by r.{_PLACE}" if placed else told


def is_idle(writing: Writing) -> bool:
    """Whether nothing would change: no column is set, or only those that the rows are found by."""
    return writing.kind == "update" and all(column.name in writing.by for column in writing.columns)


def given_rows(text: Parameters, writing: Writing) -> str:
    """The rows of the body before the statement, where each finds by its key the one that it changes."""
    if not writing.by:
        return ""
    definitions = _definitions(writing)
    records = f"lateral jsonb_to_record(e.item) x({definitions})"
    return f"{GIVEN} as (select e.item as {_ITEM}, x.* from {_elements(text, writing)}, {records}), "


def given_keys_differ(writing: Writing) -> str:
    """Whether every row of the body has a key of its own."""
    key = ", ".join(_value(column) for column in writing.columns if column.name in writing.by)
    return f"(select count(*) = count(distinct row({key})) from {GIVEN} x)"


def change_rows(text: Parameters, plan: Plan, writing: Writing) -> str:
    """The statement that changes rows, and what it gives back of them."""
    if writing.found_by is not None:
        return _found_rows(text, plan, writing, writing.found_by)
    returning = f" returning {_returning(plan, writing)}"
    relation = write_relation(plan.source)
    if writing.kind == "delete":
        return f"delete from {relation} r{_only(text, plan)}{returning}"
    if writing.by:
        changes = ", ".join(map(_value_or_kept, (c for c in writing.columns if c.name not in writing.by)))
        found = [f"r.{quoted(c.name)} = {_value(c)}" for c in writing.columns if c.name in writing.by]
        only = " and ".join(filter(None, (*found, where_all(text, plan.source.filters))))
        return f"update {relation} r set {changes} from {GIVEN} x where {only}{returning}"
    if writing.kind == "update":
        changes = ", ".join(f"{quoted(c.name)} = {_filled(c, writing)}" for c in writing.columns)
        return f"update {relation} r set {changes} from {_records(text, writing)}{_only(text, plan)}{returning}"
    names = f" ({', '.join(quoted(c.name) for c in writing.columns)})" if writing.columns else ""
    only = _only(text, plan, _BODY) if writing.replaces else ""
    conflict = _conflict(writing)
    return f"insert into {relation} as r{names} {_new_rows(text, writing)}{only}{conflict}{returning}"


def _found_rows(text: Parameters, plan: Plan, writing: Writing, key: tuple[Written, ...]) -> str:
    """The rows that were added before, each with its key's place; where nothing is told of them, only their number."""
    if not key:
        return f"select from json_array_elements({text.body}::json)"
    definitions = ", ".join(f"{quoted(column.name)} {column.type}" for column in key)
    names = ", ".join(quoted(column.name) for column in key)
    keys = f"rows from (json_to_recordset({text.body}::json) as ({definitions})) with ordinality x({names}, {_PLACE})"
    found = " and ".join(f"r.{quoted(column.name)} = x.{quoted(column.name)}" for column in key)
    rows = f"{write_relation(plan.source)} r, {keys}"
    return f"select {_returning(plan, writing)}, x.{_PLACE} from {rows} where {found}"


def _new_rows(text: Parameters, writing: Writing) -> str:
    """Where the inserted rows come from: the body, read as records; rows without members take every default."""
    if not writing.columns:
        return f"select from json_array_elements({text.body}::json)" if writing.from_array else "default values"
    return f"select {', '.join(_filled(c, writing) for c in writing.columns)} from {_records(text, writing)}"


def _elements(text: Parameters, writing: Writing) -> str:
    """Each row of the body as `e.item`, from which one can see what it does not say."""
    if writing.from_array:
        return f"jsonb_array_elements({text.body}::jsonb) e(item)"
    return f"(select {text.body}::jsonb as item) e"


def _value_or_kept(column: Written) -> str:
    """A change of a column by a row of the body that may not speak of it."""
    name = quoted(column.name)
    return f"{name} = case when x.{_ITEM} ? {literal(column.name)} then {_value(column)} else r.{name} end"


def _value(column: Written) -> str:
    """A value of the body; read by a function where its domain has a form of its own."""
    name = f"x.{quoted(column.name)}"
    return name if column.heard_by is None else f"{column.heard_by}({name})"


def _filled(column: Written, writing: Writing) -> str:
    """A value of the body or, where that is wanted and the body has none, the column's default."""
    if not writing.fill_missing or column.default is None:
        return _value(column)
    default = column.default if column.heard_by is not None else f"cast({column.default} as {column.type})"
    return f"case when e.item ? {literal(column.name)} then {_value(column)} else {default} end"


def _records(text: Parameters, writing: Writing) -> str:
    """The rows of the body; each also as `e.item` where it matters what they do not say."""
    if writing.fill_missing:
        return f"{_elements(text, writing)}, lateral jsonb_to_record(e.item) x({_definitions(writing)})"
    function = "json_to_recordset" if writing.from_array else "json_to_record"
    return f"{function}({text.body}::json) x({_definitions(writing)})"


def _definitions(writing: Writing) -> str:
    return ", ".join(f"{quoted(c.name)} {c.type}" for c in writing.columns)


def _conflict(writing: Writing) -> str:
    if writing.conflict is None:
        return ""
    target = ", ".join(map(quoted, writing.conflict.target))
    if not writing.conflict.merge or not writing.columns:
        return f" on conflict ({target}) do nothing"
    changes = ", ".join(f"{quoted(c.name)} = excluded.{quoted(c.name)}" for c in writing.columns)
    return f" on conflict ({target}) do update set {changes}"


def _returning(plan: Plan, writing: Writing) -> str:
    """The columns that the answer needs, and no other: each needs the right to read it."""
    needed = [f"r.{quoted(column)}" for column in writing.located_by]
    if plan.wants_rows:
        needs = needs_of(plan.source)
        needed += ["r.*"] if needs.everything else [f"r.{quoted(column)}" for column in needs.columns]
        needed += [f"r as {WHOLE}"] if needs.whole else []
    if writing.counts_inserted:
        needed.append(f"r.xmax = 0 as {INSERTED}")
    return ", ".join(dict.fromkeys(needed)) or "1"


def _only(text: Parameters, plan: Plan, rows: Rows = TOP) -> str:
    filters = where_all(text, plan.source.filters, rows)
    return f" where {filters}" if filters else ""
