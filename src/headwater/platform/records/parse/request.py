"""A shape read: everything a request asks for, as its grammar says it."""

from typing import Literal

from headwater.platform.records.errors import PutWithLimit, UnknownPreferences, UnreadableQuery, WrongTableMethod
from headwater.platform.records.models import (
    Asked,
    Logic,
    Ordered,
    ResourcePath,
    Scoped,
    SelectItem,
    Shape,
    Star,
    Windowed,
)
from headwater.platform.records.parse.filters import parse_condition
from headwater.platform.records.parse.headers import parse_preferences
from headwater.platform.records.parse.media import choose_media_type
from headwater.platform.records.parse.names import parse_key, parse_names, parse_resource_path
from headwater.platform.records.parse.order import parse_order
from headwater.platform.records.parse.select import parse_select

BY = "by"
Method = Literal["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]


def parse(shape: Shape, offered: frozenset[str] = frozenset()) -> Asked:
    """What the shape asks for; `offered` are the media types that can be made beyond the usual ones.

    Raises `UnreadableQuery` where the grammar is broken, `NoMediaType`, and `UnknownPreferences` under strict
    handling.
    """
    method = _method(shape.method)
    preferences = parse_preferences(shape.prefer)
    if preferences.handling == "strict" and preferences.unknown:
        raise UnknownPreferences(details=f"Invalid preferences: {', '.join(preferences.unknown)}")
    if method == "PUT" and (shape.limited or shape.shifted):
        raise PutWithLimit
    lists: dict[str, str] = {}
    filters: list[Scoped] = []
    orders: list[Ordered] = []
    windows: list[Windowed] = []
    for key, structure, slot in shape.parameters:
        if isinstance(structure, Logic):
            filters.append(Scoped(_path_of_logic(key), structure))
        elif key in {"select", "columns", "on_conflict"}:
            lists.setdefault(key, structure)
        elif key == BY and structure[:1] == "(":
            _must_be_patch(method, structure)
            lists.setdefault(key, structure)
        elif key == "order" or key.endswith(".order"):
            orders.append(Ordered(parse_resource_path(key), parse_order(structure)))
        elif not structure:
            bound = "limit" if key.endswith(".limit") else "offset"
            windows.append(Windowed(parse_resource_path(key), bound, slot))
        else:
            filters.append(_filter(key, structure, slot))
    return Asked(
        method=method,
        schema=shape.schema,
        relation=shape.relation,
        select=_select(lists.get("select")),
        filters=tuple(filters),
        orders=tuple(orders),
        preferences=preferences,
        media=choose_media_type(shape.accept, offered),
        windows=tuple(windows),
        columns=_names(lists.get("columns"), "columns parameter"),
        body_columns=shape.body_columns,
        body_is_array=shape.body_is_array,
        on_conflict=_names(lists.get("on_conflict"), "on_conflict parameter"),
        by=_names(lists[BY][1:-1], "by parameter") if BY in lists else None,
        limited=shape.limited,
        shifted=shape.shifted,
        profiled=shape.profiled,
    )


def _must_be_patch(method: str, text: str) -> None:
    """Refuse `by` where no rows are changed by their keys, and where its bracket does not end."""
    if method != "PATCH" or not text.endswith(")"):
        details = "by=(…) names the key of the rows in the body of a PATCH"
        raise UnreadableQuery(what="by parameter", text=text, column=1, details=details)


def _filter(key: str, structure: str, slot: int) -> Scoped:
    path, field = parse_key(key)
    if slot >= 0:
        return Scoped(path, parse_condition(structure, field, slot))
    head, _, word = structure.rpartition(".")
    return Scoped(path, parse_condition(head, field, None, word))


def _path_of_logic(key: str) -> ResourcePath:
    """The relation that `relation.not.or` is about."""
    path = parse_resource_path(key)
    return path[:-1] if path[-1:] == ("not",) else path


def _select(text: str | None) -> tuple[SelectItem, ...]:
    return (Star(),) if text is None else parse_select(text)


def _names(text: str | None, what: str) -> tuple[str, ...] | None:
    return None if text is None else parse_names(text, what)


def _method(word: str) -> Method:
    match word:
        case "GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE":
            return word
        case "QUERY":
            return "GET"
        case _:
            raise WrongTableMethod(method=word)
