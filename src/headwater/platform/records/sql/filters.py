"""Which rows: filters, and what ties the rows of an embed to those they stand beside."""

from collections.abc import Iterable

from headwater.platform.records.models import (
    Aggregate,
    Comparison,
    Counted,
    Embedded,
    Expression,
    Filter,
    Junction,
    Measured,
    Pair,
    Related,
    Source,
)
from headwater.platform.records.parse import PATTERNS, SEARCHES
from headwater.platform.records.sql.expressions import TOP, Rows, embedded_rows, write_operand, write_place
from headwater.platform.records.sql.names import literal, quoted
from headwater.platform.records.sql.parameters import Parameters

GATED = "gate.claims is not null"
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
_NUMBER = Measured(aggregate=Aggregate("count"))
_IS = {"null": "null", "not_null": "not null", "true": "true", "false": "false", "unknown": "unknown"}
_SEARCHED = {
    "fts": "to_tsquery",
    "plfts": "plainto_tsquery",
    "phfts": "phraseto_tsquery",
    "wfts": "websearch_to_tsquery",
}


def where_all(text: Parameters, filters: Iterable[Filter], rows: Rows = TOP, *, gated: bool = False) -> str:
    """All of the filters at once; with `gated`, below the gate, even where there is none."""
    conditions = [_filter(text, one, rows) for one in filters]
    return " and ".join([GATED, *conditions] if gated else conditions)


def where_told(text: Parameters, source: Source, rows: Rows, *, gated: bool = False, filtered: bool = True) -> str:
    """Which rows of a source are told: those its filters let through that have what is embedded with `inner`.

    Without `filtered` they are through the filters already.
    """
    filters = source.filters if filtered else ()
    needed = tuple(Related(embed=embed) for embed in source.embeds if embed.inner)
    return where_all(text, (*filters, *needed), rows, gated=gated)


def write_origin(embed: Embedded, outer: Rows) -> str:
    """Where the rows of an embed come from: their relation, with the junction before it, or a function of the row."""
    relationship, rows = embed.relationship, embedded_rows(embed.number)
    if relationship.function is not None:
        return f"{write_place(relationship.function)}({outer.whole}) {rows.alias}"
    origin = f"{write_place(relationship.target)} {rows.alias}"
    if relationship.through is None:
        return origin
    junction = f"j{embed.number}"
    tied = _tied(relationship.through.far, junction, rows.alias)
    return f"{write_place(relationship.through.place)} {junction} join {origin} on {tied}"


def where_embedded(text: Parameters, embed: Embedded, outer: Rows) -> str:
    """Which rows of an embed belong to the row outside, and are told."""
    relationship, rows = embed.relationship, embedded_rows(embed.number)
    told = where_told(text, embed.source, rows)
    if relationship.through is not None:
        belonging = _tied(relationship.through.near, outer.alias, f"j{embed.number}")
    elif relationship.function is not None and not embed.many:
        belonging = f"not ({rows.alias} is null)"  # a function that gives one row gives one even where it has none
    else:
        belonging = _tied(relationship.pairs, outer.alias, rows.alias)
    return " and ".join(filter(None, (belonging, told))) or "true"


def write_exists(text: Parameters, embed: Embedded, outer: Rows) -> str:
    """Whether the row outside has rows of an embed, within the window that was asked for."""
    text.count_related()
    source = embed.source
    where = where_embedded(text, embed, outer)
    shifted = "" if source.offset is None else f" offset {text.value(source.offset)}::bigint"
    exists = f"exists (select from {write_origin(embed, outer)} where {where}{shifted})"
    return exists if source.limit is None else f"({text.value(source.limit)}::bigint > 0 and {exists})"


def write_measure_of_embed(text: Parameters, embed: Embedded, measure: Expression | Measured, outer: Rows) -> str:
    """An aggregate of all rows of an embed that its filters let through, whatever window was asked for."""
    text.count_related()
    value = write_operand(measure, embedded_rows(embed.number))
    return f"(select {value} from {write_origin(embed, outer)} where {where_embedded(text, embed, outer)})"


def _tied(pairs: Iterable[Pair], left: str, right: str) -> str:
    return " and ".join(f"{right}.{quoted(theirs)} = {left}.{quoted(own)}" for own, theirs in pairs)


def _filter(text: Parameters, asked: Filter, rows: Rows) -> str:
    if isinstance(asked, Comparison):
        compared = _comparison(text, asked, rows)
    elif isinstance(asked, Junction):
        compared = f"({f' {asked.conjunction} '.join(_filter(text, part, rows) for part in asked.parts)})"
    elif isinstance(asked, Counted):
        number = write_measure_of_embed(text, asked.embed, _NUMBER, rows)
        compared = f"{number} {_SYMBOLS[asked.operator]} {text.value(asked.slot)}::bigint"
    else:
        compared = write_exists(text, asked.embed, rows)
    return f"not ({compared})" if asked.negated else compared


def _comparison(text: Parameters, asked: Comparison, rows: Rows) -> str:
    left = write_operand(asked.expression, rows)
    if asked.slot is None:
        return f"{left} is {_IS[asked.word or 'null']}"
    value = text.value(asked.slot)
    if asked.operator in PATTERNS:
        text.wildcards.add(asked.slot)
    if asked.operator in SEARCHES:
        language = "" if asked.language is None else f"{literal(asked.language)}::regconfig, "
        searched = f"to_tsvector({language}{left})" if asked.as_vector else left
        return f"{searched} @@ {_SEARCHED[asked.operator]}({language}{value})"
    several = asked.quantifier or ("any" if asked.operator == "in" else None)
    symbol = "=" if asked.operator == "in" else _SYMBOLS[asked.operator]
    if several:
        return f"{left} {symbol} {several} ({_many(value, asked)})"
    return f"{left} {symbol} {_one(value, asked)}"


def _one(value: str, asked: Comparison) -> str:
    if asked.heard_by is not None:
        return f"{asked.heard_by}({value})"
    return value if asked.operand_type == "text" else f"{value}::{asked.operand_type}"


def _many(value: str, asked: Comparison) -> str:
    if asked.heard_by is not None:
        return f"array(select {asked.heard_by}(v) from unnest({value}::text[]) v)"
    return f"{value}::{asked.operand_type}[]"
