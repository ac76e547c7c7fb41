"""A body whose rows carry rows of other relations, taken apart level by level."""

from collections.abc import Iterator, Sequence

import msgspec

from headwater.platform.records.errors import UnreadableBody
from headwater.platform.records.models import Carried, Embed, SelectItem, join_path, path_of
from headwater.platform.records.parse import label_of

_Row = dict[str, msgspec.Raw]
_encoder = msgspec.json.Encoder()
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_list = msgspec.json.Decoder(list[msgspec.Raw])


def read_levels(rows: list[_Row], nested: Sequence[SelectItem], *, is_array: bool) -> tuple[Carried, ...]:
    """The rows of a body and those that they carry: the body's own first, then each level before those inside it.

    Raises `UnreadableBody`, whose path says where, for what is no row.
    """
    levels = [_level("", -1, rows, [-1] * len(rows), list(range(len(rows))) if is_array else [-1], nested)]
    _add_levels(levels, rows, nested, 0)
    return tuple(levels)


def _add_levels(levels: list[Carried], rows: list[_Row], nested: Sequence[SelectItem], above: int) -> None:
    for embed in _embeds(nested):
        found: list[_Row] = []
        parents: list[int] = []
        places: list[int] = []
        for number, row in enumerate(rows):
            raw = row.get(label_of(embed))
            if raw is not None:
                for place, carried in _carried(bytes(raw), levels, above, number, label_of(embed)):
                    found.append(carried)
                    parents.append(number)
                    places.append(place)
        levels.append(_level(label_of(embed), above, found, parents, places, embed.items))
        _add_levels(levels, found, embed.items, len(levels) - 1)


def _carried(raw: bytes, levels: list[Carried], above: int, number: int, label: str) -> Iterator[tuple[int, _Row]]:
    """The rows of one member, and the place of each in it."""
    raw = raw.strip()
    if raw == b"null":
        return
    if raw[:1] == b"{":
        yield -1, _object.decode(raw)
        return
    try:
        yield from enumerate(_array.decode(raw))
    except msgspec.ValidationError as failure:
        path = join_path(path_of(tuple(levels), above, number), label)
        bad = _first_that_is_no_row(raw)
        raise UnreadableBody(
            reason=f"{path}{'' if bad is None else f'[{bad}]'} must be an object"
            f"{' or an array of objects' if bad is None else ''}",
            path=f"{path}{'' if bad is None else f'[{bad}]'}",
        ) from failure


def _first_that_is_no_row(raw: bytes) -> int | None:
    if raw[:1] != b"[":
        return None
    items = _list.decode(raw)
    return next((place for place, item in enumerate(items) if bytes(item).strip()[:1] != b"{"), None)


def _level(
    label: str, above: int, rows: list[_Row], parents: list[int], places: list[int], nested: Sequence[SelectItem]
) -> Carried:
    """The level of these rows, whose own members are those that no level stands under."""
    labels = {label_of(embed) for embed in _embeds(nested)}
    columns = tuple(dict.fromkeys(key for row in rows for key in row if key not in labels))
    ragged = any(any(column not in row for column in columns) for row in rows)
    own = rows if not labels else [{key: row[key] for key in row if key not in labels} for row in rows]
    texts = [_encoder.encode(row).decode() for row in own]
    return Carried(label, above, columns, ragged, rows, texts, parents, places)


def _embeds(items: Sequence[SelectItem]) -> Iterator[Embed]:
    return (item for item in items if isinstance(item, Embed))
