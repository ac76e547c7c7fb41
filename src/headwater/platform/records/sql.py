"""A plan as one SQL statement that sets its own claims (docs/decisions/0003): one trip, one row, only parameters."""

from collections.abc import Iterable

from headwater.platform.records.models import (
    COUNTED,
    Comparison,
    Expression,
    Filter,
    Ordering,
    Output,
    PathStep,
    Plan,
    Source,
    Statement,
    Writing,
    Written,
)
from headwater.platform.records.parse import PATTERNS, SEARCHES

_ROW = "headwater_row"
_INSERTED = "headwater_inserted"
_GATED = "gate.claims is not null"
"""What touches rows hangs on the gate sideways (LATERAL) and below this, so that it cannot begin before the claims."""
_SYMBOLS = {
    "eq": "=",
    "neq": "<>",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "like": "like",
    "ilike": "ilike",
    "match": "~",
    "imatch": "~*",
    "isdistinct": "is distinct from",
    "cs": "@>",
    "cd": "<@",
    "ov": "&&",
    "sl": "<<",
    "sr": ">>",
    "nxr": "&<",
    "nxl": "&>",
    "adj": "-|-",
}
_IS = {"null": "null", "not_null": "not null", "true": "true", "false": "false", "unknown": "unknown"}
_SEARCHED = {
    "fts": "to_tsquery",
    "plfts": "plainto_tsquery",
    "phfts": "phraseto_tsquery",
    "wfts": "websearch_to_tsquery",
}


def write_statement(plan: Plan) -> Statement:
    """The statement of a plan."""
    writing = plan.writing
    if writing is not None and writing.kind == "update" and not writing.columns:
        return Statement(sql="", plan=plan, idle=True)
    text = _Parameters(plan)
    if writing is None:
        common, rows = "", f"{_read(text, plan.source)}{_order(plan.source)}{text.window}"
    else:
        common = f"with written as ({_change(text, plan, writing)}) "
        rows = f"{_told(plan, writing)}{_order(plan.source) if plan.wants_rows else ''}{text.window}"
    answer = f"select {', '.join(_answer(text, plan))} from ({rows}) {_ROW}"
    sql = f"{common}select answer.* from (select {_gate(plan)} offset 0) gate, lateral ({answer}) answer"
    return Statement(
        sql=sql,
        plan=plan,
        slots=tuple(text.slots),
        wildcards=frozenset(text.wildcards),
        takes_body=text.body is not None,
    )


class _Parameters:
    """Where each parameter stands: claims, limit, offset, body, then the values in the order of their first use."""

    def __init__(self, plan: Plan) -> None:
        self.slots: dict[int, int] = {}
        self.wildcards: set[int] = set()
        self._count = 1
        limit = f" limit {self._next()}::bigint" if plan.source.limited else ""
        offset = f" offset {self._next()}::bigint" if plan.source.shifted else ""
        self.window = limit + offset
        self.body = f"{self._next()}::text" if _takes_body(plan.writing) else None

    def value(self, slot: int) -> str:
        """The value of a slot, as text; asked for again, it is the same parameter."""
        place = self.slots.setdefault(slot, len(self.slots))
        return f"${place + self._count + 1}::text"

    def _next(self) -> str:
        self._count += 1
        return f"${self._count}"


def _takes_body(writing: Writing | None) -> bool:
    return writing is not None and bool(writing.columns or writing.from_array)


def _gate(plan: Plan) -> str:
    """What holds for this statement only, set before anything reads or changes a row."""
    settings = ["set_config('request.jwt.claims', $1, true) as claims"]
    if plan.writing is None:
        settings.append("set_config('transaction_read_only', 'on', true)")
    if plan.source.schema != "public":
        settings.append(f"set_config('search_path', {_literal(f'{_name(plan.source.schema)}, public')}, true)")
    if plan.preferences.timezone is not None:
        settings.append(f"set_config('timezone', {_literal(plan.preferences.timezone)}, true)")
    return ", ".join(settings)


def _answer(text: _Parameters, plan: Plan) -> list[str]:
    """body, page, total, inserted, place."""
    if not plan.wants_rows:
        body = "null::json"
    elif plan.media.singular:
        body = f"convert_to(string_agg({_stripped(plan, f'row_to_json({_ROW})')}::text, ','), 'UTF8')"
    else:
        body = f"coalesce({_stripped(plan, f'json_agg({_ROW})')}, '[]')"
    inserted = place = "null"
    if plan.writing is not None and plan.writing.counts_inserted:
        inserted = f"(select count(*) from written where {_GATED} and {_INSERTED})"
    if plan.writing is not None and plan.writing.located_by:
        place = f"case when count(*) = 1 then string_agg(row_to_json({_ROW})::text, '') end"
    return [
        f"{body} as body",
        f"{_checked_count(plan)} as page",
        f"{_total(text, plan)}::bigint as total",
        f"{inserted}::bigint as inserted",
        f"{place}::text as place",
    ]


def _stripped(plan: Plan, json: str) -> str:
    return f"json_strip_nulls({json})" if plan.media.strip_nulls else json


def _checked_count(plan: Plan) -> str:
    """The number of rows; where a change must be undone for it, the failure of a cast undoes it, in the same trip."""
    if plan.writing is None:
        return "count(*)"
    if plan.media.singular or plan.writing.replaces:
        allowed = "count(*) = 1"
    elif plan.most_affected is not None:
        allowed = f"count(*) <= {plan.most_affected:d}"
    else:
        return "count(*)"
    return f"case when {allowed} then count(*) else cast('{COUNTED}' || count(*) as bigint) end"


def _total(text: _Parameters, plan: Plan) -> str:
    """The number of rows without the window."""
    if not plan.wants_total:
        return "null"
    if not text.window:
        return "count(*)"
    source = plan.source
    return f"(select count(*) from {_relation(source)} r where {_where(text, source.filters, gated=True)})"


def _read(text: _Parameters, source: Source) -> str:
    where = _where(text, source.filters, gated=True)
    return f"select {_outputs(source.outputs)} from {_relation(source)} r where {where}"


def _told(plan: Plan, writing: Writing) -> str:
    """What is told of the rows that a change returned; where new rows are marked, every column is named instead."""
    if writing.located_by:
        outputs = ", ".join(f"r.{_name(key)}::text as {_name(key)}" for key in writing.located_by)
    elif not plan.wants_rows:
        outputs = ""
    elif writing.counts_inserted and any(output.expression is None for output in plan.source.outputs):
        every = ", ".join(f"r.{_name(column)}" for column in plan.source.columns)
        outputs = ", ".join(every if o.expression is None else _output(o, o.expression) for o in plan.source.outputs)
    else:
        outputs = _outputs(plan.source.outputs)
    return f"select {outputs} from written r where {_GATED}"


def _change(text: _Parameters, plan: Plan, writing: Writing) -> str:
    """The statement that changes rows, and what it gives back of them."""
    returning = f" returning {_returning(plan, writing)}"
    relation = f"{_relation(plan.source)}"
    if writing.kind == "delete":
        return f"delete from {relation} r{_only(text, plan)}{returning}"
    if writing.kind == "update":
        changes = ", ".join(f"{_name(c.name)} = x.{_name(c.name)}" for c in writing.columns)
        return f"update {relation} r set {changes} from {_records(text, writing)}{_only(text, plan)}{returning}"
    names = f" ({', '.join(_name(c.name) for c in writing.columns)})" if writing.columns else ""
    only = _only(text, plan, "x") if writing.replaces else ""
    conflict = _conflict(writing)
    return f"insert into {relation} as r{names} {_new_rows(text, writing)}{only}{conflict}{returning}"


def _new_rows(text: _Parameters, writing: Writing) -> str:
    """Where the inserted rows come from: the body, read as records; rows without members take every default."""
    if not writing.columns:
        return f"select from json_array_elements({text.body}::json)" if writing.from_array else "default values"
    if not writing.fill_missing:
        return f"select {', '.join(f'x.{_name(c.name)}' for c in writing.columns)} from {_records(text, writing)}"
    elements = (
        f"jsonb_array_elements({text.body}::jsonb) e(item)"
        if writing.from_array
        else f"(select {text.body}::jsonb as item) e"
    )
    values = ", ".join(map(_value_or_default, writing.columns))
    return f"select {values} from {elements}, lateral jsonb_to_record(e.item) x({_definitions(writing)})"


def _value_or_default(column: Written) -> str:
    name = f"x.{_name(column.name)}"
    if column.default is None:
        return name
    return f"case when e.item ? {_literal(column.name)} then {name} else cast({column.default} as {column.type}) end"


def _records(text: _Parameters, writing: Writing) -> str:
    function = "json_to_recordset" if writing.from_array else "json_to_record"
    return f"{function}({text.body}::json) x({_definitions(writing)})"


def _definitions(writing: Writing) -> str:
    return ", ".join(f"{_name(c.name)} {c.type}" for c in writing.columns)


def _conflict(writing: Writing) -> str:
    if writing.conflict is None:
        return ""
    target = ", ".join(map(_name, writing.conflict.target))
    if not writing.conflict.merge or not writing.columns:
        return f" on conflict ({target}) do nothing"
    changes = ", ".join(f"{_name(c.name)} = excluded.{_name(c.name)}" for c in writing.columns)
    return f" on conflict ({target}) do update set {changes}"


def _returning(plan: Plan, writing: Writing) -> str:
    """The columns that the answer needs, and no other: each needs the right to read it."""
    columns = list(writing.located_by)
    if plan.wants_rows:
        told = [output.expression for output in plan.source.outputs]
        columns += [e.column for e in (*told, *(key.expression for key in plan.source.order)) if e is not None]
    everything = plan.wants_rows and any(output.expression is None for output in plan.source.outputs)
    needed = ["r.*"] if everything else [f"r.{_name(column)}" for column in dict.fromkeys(columns)]
    if writing.counts_inserted:
        needed.append(f"r.xmax = 0 as {_INSERTED}")
    return ", ".join(needed) or "1"


def _only(text: _Parameters, plan: Plan, alias: str = "r") -> str:
    filters = _where(text, plan.source.filters, alias)
    return f" where {filters}" if filters else ""


def _where(text: _Parameters, filters: Iterable[Filter], alias: str = "r", *, gated: bool = False) -> str:
    conditions = [_filter(text, one, alias) for one in filters]
    return " and ".join([_GATED, *conditions] if gated else conditions)


def _filter(text: _Parameters, asked: Filter, alias: str) -> str:
    if isinstance(asked, Comparison):
        compared = _comparison(text, asked, alias)
    else:
        compared = f"({f' {asked.conjunction} '.join(_filter(text, part, alias) for part in asked.parts)})"
    return f"not ({compared})" if asked.negated else compared


def _comparison(text: _Parameters, asked: Comparison, alias: str) -> str:
    left = _expression(asked.expression, alias)
    if asked.slot is None:
        return f"{left} is {_IS[asked.word or 'null']}"
    value = text.value(asked.slot)
    if asked.operator in PATTERNS:
        text.wildcards.add(asked.slot)
    if asked.operator in SEARCHES:
        language = "" if asked.language is None else f"{_literal(asked.language)}::regconfig, "
        searched = f"to_tsvector({language}{left})" if asked.as_vector else left
        return f"{searched} @@ {_SEARCHED[asked.operator]}({language}{value})"
    if asked.operator == "in":
        return f"{left} = any ({value}::{asked.operand_type}[])"
    symbol = _SYMBOLS[asked.operator]
    if asked.quantifier:
        return f"{left} {symbol} {asked.quantifier} ({value}::{asked.operand_type}[])"
    return (
        f"{left} {symbol} {value}" if asked.operand_type == "text" else f"{left} {symbol} {value}::{asked.operand_type}"
    )


def _outputs(outputs: Iterable[Output]) -> str:
    return ", ".join("r.*" if o.expression is None else _output(o, o.expression) for o in outputs)


def _output(output: Output, expression: Expression) -> str:
    told = _expression(expression, "r")
    if output.cast is not None:
        told = f"cast({told} as {output.cast})"
    return f"{told} as {_name(output.label or expression.column)}"


def _order(source: Source) -> str:
    return f" order by {', '.join(map(_ordering, source.order))}" if source.order else ""


def _ordering(key: Ordering) -> str:
    direction = "" if key.descending is None else " desc" if key.descending else " asc"
    nulls = "" if key.nulls_first is None else " nulls first" if key.nulls_first else " nulls last"
    return f"{_expression(key.expression, 'r')}{direction}{nulls}"


def _expression(expression: Expression, alias: str) -> str:
    column = f"{alias}.{_name(expression.column)}"
    if not expression.path:
        return column
    start = f"to_jsonb({column})" if expression.wrapped else column
    return f"({start}{''.join(map(_step, expression.path))})"


def _step(step: PathStep) -> str:
    """An arrow; its key stands in the text, so that an index on the same expression can be used."""
    return f"{'->>' if step.as_text else '->'}{step.key if step.index else _literal(step.key)}"


def _relation(source: Source) -> str:
    return f"{_name(source.schema)}.{_name(source.relation)}"


def _name(identifier: str) -> str:
    """An identifier between quotes. No NUL can be in it: the request is refused before."""
    doubled = identifier.replace('"', '""')
    return f'"{doubled}"'


def _literal(text: str) -> str:
    """A text literal; every connection has `standard_conforming_strings` on, so a backslash is a backslash."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
