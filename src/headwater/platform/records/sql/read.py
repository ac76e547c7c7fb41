"""The rows of a source, and what is told of each: its columns, its aggregates, the rows embedded in it."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from headwater.platform.records.models import Aggregate, Embedded, Measured, Ordering, Output, Source
from headwater.platform.records.sql.expressions import (
    CARRIED,
    TOP,
    WHOLE,
    Rows,
    embedded_rows,
    write_aggregate,
    write_expression,
    write_operand,
)
from headwater.platform.records.sql.filters import (
    GATED,
    where_all,
    where_embedded,
    where_told,
    write_measure_of_embed,
    write_origin,
)
from headwater.platform.records.sql.names import quoted, write_relation
from headwater.platform.records.sql.needs import call_carries_whole, needs_of
from headwater.platform.records.sql.parameters import Parameters


class _Member(NamedTuple):
    """A member of the rows, and its name; a star has none, for it is many. An aggregate is still to be applied.

    `of` is the output that it is, where it is one by itself.
    """

    value: str
    label: str | None
    aggregate: Aggregate | None = None
    of: Output | None = None


def read_rows(text: Parameters, source: Source, gate: str = GATED) -> str:
    """The rows of a relation or of a called function that are told, in their order, without a window."""
    rows = TOP if source.call is None else CARRIED
    where = " and ".join(filter(None, (gate, where_told(text, source, rows))))
    starred = source.call is None or not call_carries_whole(source)
    return _select(text, source, rows, f"{write_relation(source)} {rows.alias}", where, starred=starred)


def count_rows(text: Parameters, source: Source, gate: str = GATED) -> str:
    """The same rows, to be counted only."""
    if source.grouped or source.distinct or source.firsts:
        return read_rows(text, msgspec.structs.replace(source, order=()), gate)
    rows = TOP if source.call is None else CARRIED
    where = " and ".join(filter(None, (gate, where_told(text, source, rows))))
    return f"select from {write_relation(source)} {rows.alias} where {where}"


def read_changed_rows(text: Parameters, source: Source, changed: str, *, starred: bool) -> str:
    """What is told of rows that a change gave back; its filters are through.

    Without `starred` there is more in them than the relation's columns, so that each is named.
    """
    where = where_told(text, source, CARRIED, gated=True, filtered=False)
    return _select(text, source, CARRIED, f"{changed} {CARRIED.alias}", where, starred=starred)


def _select(text: Parameters, source: Source, rows: Rows, origin: str, where: str, *, starred: bool = True) -> str:
    """A SELECT of the members under their names."""
    joins: list[str] = []
    if source.firsts:
        origin, rows = _firsts(text, source, rows, origin, where)
        where, starred = "true", False
    compared = source.grouped or source.distinct
    members = _members(text, source, rows, joins, grouped=compared, starred=starred)
    told = ", ".join(_named(member) for member in members)
    selected = f"select {'distinct ' if source.distinct else ''}{told} from {origin}{''.join(joins)} where {where}"
    return f"{selected}{_groups(text, source, members, rows)}{_order(text, source, rows, members)}"


def _firsts(text: Parameters, source: Source, rows: Rows, origin: str, where: str) -> tuple[str, Rows]:
    """Of the rows that agree in some expressions the first in the order of all, with what is needed of it."""
    keys = ", ".join(write_expression(expression, rows) for expression in source.firsts)
    needs = needs_of(source)
    columns = source.columns if needs.everything else needs.columns
    needed = [f"{rows.alias}.{quoted(column)}" for column in columns]
    needed += [f"{rows.whole} as {WHOLE}"] if needs.whole else []
    order = ", ".join([keys, *(_ordering(text, key, rows) for key in source.order)])
    selected = f"select distinct on ({keys}) {', '.join(needed) or '1'} from {origin} where {where} order by {order}"
    return f"({selected}) {rows.alias}", Rows(rows.alias, f"{rows.alias}.{WHOLE}")


def _members(
    text: Parameters, source: Source, rows: Rows, joins: list[str], *, grouped: bool, starred: bool = True
) -> list[_Member]:
    """The members of the rows; what must be joined for them is added to `joins`.

    With `grouped` they may make groups, so that JSON is of the type that can be compared.
    """
    members: list[_Member] = []
    for output in source.outputs:
        if isinstance(output, Embedded):
            if output.spread:
                members += _spread(text, output, rows, joins, grouped=grouped)
            elif output.shown:
                body = (
                    _joined(text, output, rows, joins) if _is_joined(output, source) else _embedded(text, output, rows)
                )
                members.append(_Member(f"{body}::jsonb" if grouped else body, output.label))
        elif not output.everything:
            members.append(_member(output, rows, grouped=grouped))
        elif starred:
            members.append(_Member(f"{rows.alias}.*", None))
        else:
            members += [_Member(f"{rows.alias}.{quoted(column)}", column) for column in source.columns]
    return members


def _member(output: Output, rows: Rows, *, grouped: bool) -> _Member:
    if output.expression is None:
        return _Member("*", output.label, output.aggregate, output)
    value = write_expression(output.expression, rows)
    if output.cast is not None:
        value = f"cast({value} as {output.cast})"
    if output.told_by is not None:
        value = f"{output.told_by}({value}){'::jsonb' if grouped else ''}"
    return _Member(value, output.label or output.expression.column, output.aggregate, output)


def _named(member: _Member) -> str:
    return member.value if member.label is None else f"{_applied(member)} as {quoted(member.label)}"


def _applied(member: _Member) -> str:
    """The member's value, aggregated where it is to be."""
    return member.value if member.aggregate is None else write_aggregate(member.aggregate, member.value)


def _groups(text: Parameters, source: Source, members: list[_Member], rows: Rows) -> str:
    """What is no aggregate makes the groups, and `having` chooses among them."""
    if not source.having and not any(member.aggregate for member in members):
        return ""
    places = [str(place) for place, member in enumerate(members, 1) if member.aggregate is None]
    groups = f" group by {', '.join(places)}" if places else ""
    return f"{groups} having {where_all(text, source.having, rows)}" if source.having else groups


def _is_joined(embed: Embedded, outer: Source) -> bool:
    """Whether one embedded row is better joined: where every row outside is told, and no page is waited for."""
    inner = embed.source
    windowed = outer.limited or outer.limit is not None or outer.most is not None
    return not (embed.many or windowed or inner.most is not None or inner.limit is not None or inner.offset is not None)


def _joined(text: Parameters, embed: Embedded, outer: Rows, joins: list[str]) -> str:
    """The one row of an embed as JSON; without a limit in it Postgres may hash the other relation."""
    name, joined = f"x{embed.number}", f"e{embed.number}"
    inner = _inner_select(text, embed, embed.source, outer)
    joins.append(f" left join lateral (select row_to_json({name}) as body from ({inner}) {name}) {joined} on true")
    return f"{joined}.body"


def _embedded(text: Parameters, embed: Embedded, outer: Rows) -> str:
    """The rows of an embed as one JSON value, made for each row outside once it is on the page."""
    name = f"x{embed.number}"
    if embed.many:
        inner = _inner_select(text, embed, embed.source, outer)
        return f"(select coalesce(json_agg({name}), '[]') from ({inner}) {name})"
    one = msgspec.structs.replace(embed.source, most=1)  # of an inherited table's keys there may be two
    return f"(select row_to_json({name}) from ({_inner_select(text, embed, one, outer)}) {name})"


def _inner_select(text: Parameters, embed: Embedded, source: Source, outer: Rows) -> str:
    rows = embedded_rows(embed.number)
    selected = _select(text, source, rows, write_origin(embed, outer), where_embedded(text, embed, outer))
    return f"{selected}{_window(text, source)}"


def _spread(text: Parameters, embed: Embedded, outer: Rows, joins: list[str], *, grouped: bool) -> list[_Member]:
    """The members of an embed as the row's own; joined sideways, because there are several of them."""
    if not embed.shown:
        return []
    name = f"s{embed.number}"
    members, lateral = (
        _many_spread(text, embed, outer, grouped=grouped)
        if embed.many
        else _one_spread(text, embed, outer, grouped=grouped)
    )
    joins.append(f" left join lateral ({lateral}) {name} on true")
    return [member._replace(value=f"{name}.c{place}") for place, member in enumerate(members)]


def _one_spread(text: Parameters, embed: Embedded, outer: Rows, *, grouped: bool) -> tuple[list[_Member], str]:
    """The members of the one row; their aggregates are the outer row's."""
    rows, joins = embedded_rows(embed.number), list[str]()
    members = _members(text, embed.source, rows, joins, grouped=grouped)
    values = ", ".join(f"{_lifted(member)} as c{place}" for place, member in enumerate(members))
    origin, where = write_origin(embed, outer), where_embedded(text, embed, outer)
    ordered = f"{_order(text, embed.source, rows, members)}{_window(text, embed.source)}"
    return members, f"select {values} from {origin}{''.join(joins)} where {where}{ordered}"


def _many_spread(text: Parameters, embed: Embedded, outer: Rows, *, grouped: bool) -> tuple[list[_Member], str]:
    """Arrays of the rows' members, in the order of the rows."""
    rows, joins = embedded_rows(embed.number), list[str]()
    members = _members(text, embed.source, rows, joins, grouped=embed.source.grouped)
    values = ", ".join(f"{_applied(member)} as c{place}" for place, member in enumerate(members))
    origin, where = write_origin(embed, outer), where_embedded(text, embed, outer)
    groups = _groups(text, embed.source, members, rows)
    ordered = f"{groups}{_order(text, embed.source, rows, members)}{_window(text, embed.source)}"
    kind = "jsonb" if grouped else "json"
    arrays = ", ".join(f"coalesce({kind}_agg(x.c{place}), '[]') as c{place}" for place in range(len(members)))
    lateral = f"select {arrays} from (select {values} from {origin}{''.join(joins)} where {where}{ordered}) x"
    return [member._replace(aggregate=None) for member in members], lateral


def _lifted(member: _Member) -> str:
    """What the row outside aggregates; the rows themselves are counted by a 1 in each."""
    return "1" if member.value == "*" else member.value


def _window(text: Parameters, source: Source) -> str:
    """The limit and the offset of an embed."""
    limits = [] if source.limit is None else [f"{text.value(source.limit)}::bigint"]
    limits += [] if source.most is None else [f"{source.most:d}"]
    limit = "" if not limits else f" limit {limits[0]}" if len(limits) == 1 else f" limit least({', '.join(limits)})"
    return limit if source.offset is None else f"{limit} offset {text.value(source.offset)}::bigint"


def _order(text: Parameters, source: Source, rows: Rows, members: list[_Member]) -> str:
    keys = [_ordering(text, key, rows, members) for key in source.order]
    return f" order by {', '.join(keys)}" if keys else ""


def _ordering(text: Parameters, key: Ordering, rows: Rows, members: Sequence[_Member] = ()) -> str:
    """A key of the order; one that is told is named by its place among the members."""
    direction = "" if key.descending is None else " desc" if key.descending else " asc"
    nulls = "" if key.nulls_first is None else " nulls first" if key.nulls_first else " nulls last"
    place = next(
        (place for place, member in enumerate(members, 1) if key.told is not None and member.of is key.told), 0
    )
    return f"{place or _order_key(text, key, rows)}{direction}{nulls}"


def _order_key(text: Parameters, key: Ordering, rows: Rows) -> str:
    """An expression of the row, of the one row that is embedded in it, or an aggregate of the rows that are."""
    if key.embed is None:
        return write_operand(key.expression, rows)
    if isinstance(key.expression, Measured):
        return write_measure_of_embed(text, key.embed, key.expression, rows)
    text.count_related()
    value = write_expression(key.expression, embedded_rows(key.embed.number))
    origin, where = write_origin(key.embed, rows), where_embedded(text, key.embed, rows)
    return f"(select {value} from {origin} where {where} limit 1)"
