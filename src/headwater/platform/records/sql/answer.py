"""The one row a statement gives: the body in its form, the counts, the place of a new row."""

from headwater.kernel.catalog import MediaHandler
from headwater.platform.records.models import (
    COUNTED,
    KEY_TWICE,
    NO_HEADERS,
    NO_STATUS,
    Embedded,
    Frame,
    Output,
    Plan,
    Source,
)
from headwater.platform.records.plan import SCALAR
from headwater.platform.records.sql.count import write_total
from headwater.platform.records.sql.filters import GATED
from headwater.platform.records.sql.names import literal, quoted
from headwater.platform.records.sql.parameters import Parameters
from headwater.platform.records.sql.write import INSERTED, given_keys_differ

ROW = "headwater_row"
_STATUS = "^[2-5][0-9][0-9]$"
_FRAMING = r"connection|content-length|content-encoding|transfer-encoding"
_HEADER = rf"""\{{\s*"(?!({_FRAMING})")[!#$%&'*+.^_`|~0-9A-Za-z-]+"\s*:\s*"([^"\\[:cntrl:]]|\\["\\/])*"\s*\}}"""
_HEADERS = rf"(?i)^\s*\[\s*({_HEADER}(\s*,\s*{_HEADER})*)?\s*\]\s*$"
"""A JSON array of objects with one member each, of which none says how the answer is framed (RFC 9110 5.6.2)."""


def write_answer(text: Parameters, plan: Plan, frame: Frame) -> list[str]:
    """body, page, total, inserted, place; and where functions may answer, status and headers.

    These two stand in the list of an aggregation, so they are read when every row has been.
    """
    inserted = place = "null"
    if plan.writing is not None and plan.writing.counts_inserted:
        inserted = f"(select count(*) from written where {GATED} and {INSERTED})"
    if plan.writing is not None and plan.writing.located_by:
        place = f"case when count(*) = 1 then string_agg(row_to_json({ROW})::text, '') end"
    answer = [
        f"{_body(plan, frame)} as body",
        f"{_checked_count(plan)} as page",
        f"{write_total(text, plan, frame)}::bigint as total",
        f"{inserted}::bigint as inserted",
        f"{place}::text as place",
    ]
    if frame.answers:
        answer.append(f"{_set_by_functions('response.status', _STATUS, NO_STATUS)} as status")
        answer.append(f"{_set_by_functions('response.headers', _HEADERS, NO_HEADERS)} as headers")
    return answer


def _set_by_functions(setting: str, pattern: str, failure: str) -> str:
    """What functions set, or null; what is not of the pattern undoes the statement, as a wrong count does."""
    told = f"nullif(current_setting({literal(setting)}, true), '')"
    undoing = f"cast({literal(failure)} || count(*) as bigint)::text"
    return f"case when {told} ~ {literal(pattern)} or {told} is null then {told} else {undoing} end"


def _body(plan: Plan, frame: Frame) -> str:
    call, media = plan.source.call, plan.media
    if not plan.wants_rows:
        return "null::json"
    if media.handler is not None:
        return _handled(media.handler)
    if media.name == "text/csv":
        return _csv(plan.source)
    if media.name == "application/geo+json":
        features = f"coalesce(json_agg({quoted(frame.geographic or 'public')}.st_asgeojson({ROW})::json), '[]')"
        return f"json_build_object('type', 'FeatureCollection', 'features', {features})"
    scalar = call is not None and call.returns in {"value", "values"}
    if media.singular and not scalar:
        return f"convert_to(string_agg({_stripped(plan, f'row_to_json({ROW})')}::text, ','), 'UTF8')"
    told = f"json_agg({ROW}.{quoted(SCALAR)})" if scalar else _stripped(plan, f"json_agg({ROW})")
    return f"coalesce({told}, '[]')" if call is None or call.many else f"coalesce({told} -> 0, 'null')"


def _handled(handler: MediaHandler) -> str:
    """What the database's own code makes of the rows, as bytes; an aggregate of a relation's rows takes no others."""
    made = f"{ROW}.{quoted(SCALAR)}"
    if handler.aggregate:
        rows = (
            ROW if handler.relation is None else f"{ROW}::{quoted(handler.relation[0])}.{quoted(handler.relation[1])}"
        )
        made = f"{quoted(handler.schema)}.{quoted(handler.name)}({rows})"
    told = f"{made}::{'bytea' if handler.binary else 'text'}"
    if not handler.aggregate:
        told = f"string_agg({told}, '')"
    return told if handler.binary else f"convert_to({told}, 'UTF8')"


def _stripped(plan: Plan, json: str) -> str:
    return f"json_strip_nulls({json})" if plan.media.strip_nulls else json


def _csv(source: Source) -> str:
    """The rows as Postgres writes composites: quoted where CSV needs it, but with every backslash doubled."""
    lines = f"coalesce(string_agg(e'\\n' || {write_csv_line()}, ''), '')"
    return f"convert_to({literal(write_csv_header(source))} || {lines}, 'UTF8')"


def write_csv_header(source: Source) -> str:
    """The line that names the members of a row."""
    return ",".join(map(_csv_name, _labels(source)))


def write_csv_line() -> str:
    """A row as a line, without its end."""
    return rf"replace(substr({ROW}::text, 2, length({ROW}::text) - 2), '\\', '\')"


def _csv_name(name: str) -> str:
    if any(character in name for character in ',"\n\r'):
        doubled = name.replace('"', '""')
        return f'"{doubled}"'
    return name


def _labels(source: Source) -> list[str]:
    """What the members of a row are called, in their order."""
    labels: list[str] = []
    for output in source.outputs:
        if isinstance(output, Embedded):
            if output.spread:
                labels += _labels(output.source)
            elif output.shown:
                labels.append(output.label)
        elif output.everything:
            labels += source.columns
        else:
            labels.append(_label(output))
    return labels


def _label(output: Output) -> str:
    if output.label is not None:
        return output.label
    if output.expression is not None and output.aggregate is None:
        return output.expression.column
    return "" if output.aggregate is None else output.aggregate.function


def _checked_count(plan: Plan) -> str:
    """The number of rows; where a change must be undone for it, the failure of a cast undoes it, in the same trip."""
    if plan.writing is None or not plan.writing.by:
        return _allowed_count(plan)
    undoing = f"cast('{KEY_TWICE}' || count(*) as bigint)"
    return f"case when {given_keys_differ(plan.writing)} then {_allowed_count(plan)} else {undoing} end"


def _allowed_count(plan: Plan) -> str:
    """The number of rows, if there may be as many."""
    call, writing = plan.source.call, plan.writing
    one = writing is not None or (call is not None and call.returns == "rows")
    counted = _changed(plan)
    if plan.most_affected is not None:
        allowed = f"{counted} <= {plan.most_affected:d}"
    elif writing is not None and writing.replaces:
        allowed = f"{counted} = 1"
    elif plan.media.singular and one:
        counted, allowed = "count(*)", "count(*) = 1"
    else:
        return "count(*)"
    return f"case when {allowed} then count(*) else cast('{COUNTED}' || {counted} as bigint) end"


def _changed(plan: Plan) -> str:
    """The number of rows that have changed; not all of them may be told, nor each by itself."""
    source = plan.source
    if plan.writing is not None and (source.grouped or any(embed.inner for embed in source.embeds)):
        return f"(select count(*) from written where {GATED})"
    return "count(*)"
