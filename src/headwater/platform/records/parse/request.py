"""A shape read: everything a request asks for, as its grammar says it."""

from typing import Literal

from headwater.platform.records.errors import PutWithLimit, UnknownPreferences, WrongTableMethod
from headwater.platform.records.models import Asked, SelectItem, Shape, Star
from headwater.platform.records.parse.headers import parse_preferences
from headwater.platform.records.parse.media import USUAL_FORMS, Forms, choose_media_type
from headwater.platform.records.parse.parameters import ReadParameters
from headwater.platform.records.parse.select import parse_select

Method = Literal["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]


def parse(shape: Shape, forms: Forms = USUAL_FORMS) -> Asked:
    """What the shape asks for; `forms` are those that can be made of the rows of such a request.

    Raises `UnreadableQuery` where the grammar is broken, `NoMediaType`, and `UnknownPreferences` under strict
    handling.
    """
    method = _method(shape.method)
    preferences = parse_preferences(shape.prefer)
    if preferences.handling == "strict" and preferences.unknown:
        raise UnknownPreferences(details=f"Invalid preferences: {', '.join(preferences.unknown)}")
    if method == "PUT" and (shape.limited or shape.shifted):
        raise PutWithLimit
    read = ReadParameters(method)
    for key, structure, slot in shape.parameters:
        read.add(key, structure, slot)
    select = _select(read.lists.get("select"))
    return Asked(
        method=method,
        schema=shape.schema,
        relation=shape.relation,
        select=select,
        filters=tuple(read.filters),
        orders=tuple(read.orders),
        preferences=preferences,
        media=choose_media_type(shape.accept, forms._replace(whole=select == (Star(),))),
        windows=tuple(read.windows),
        distincts=tuple(read.distincts),
        having=tuple(read.having),
        nested=read.nested,
        levels=shape.nested,
        columns=read.names("columns"),
        body_columns=shape.body_columns,
        body_is_array=shape.body_is_array,
        on_conflict=read.names("on_conflict"),
        by=read.by,
        limited=shape.limited,
        shifted=shape.shifted,
        profiled=shape.profiled,
    )


def _select(text: str | None) -> tuple[SelectItem, ...]:
    return (Star(),) if text is None else parse_select(text)


def _method(word: str) -> Method:
    match word:
        case "GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE":
            return word
        case "QUERY":
            return "GET"
        case _:
            raise WrongTableMethod(method=word)
