"""What a table's channel is called: `table:<schema>.<table>[:<column>=<operator>.<value>[&…]]`."""

import re
from functools import lru_cache
from urllib.parse import unquote

from headwater.platform.realtime.errors import InvalidChannelRequest
from headwater.platform.realtime.models import Condition, TableAddress
from headwater.platform.realtime.rules import OPERATORS, TABLE_PREFIX

_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^",()]*)')
_FORM = f"<column>=<operator>.<value>, the operator one of {', '.join(OPERATORS)}"


def channel_of(address: TableAddress) -> str:
    """The channel in which a table tells its changes."""
    return f"{TABLE_PREFIX}{address.schema}.{address.table}"


@lru_cache(4096)
def parse_channel(channel: str) -> TableAddress:
    """What a channel names. Values are percent-encoded, as in a URL; `in` takes a list, as rows over HTTP do.

    Raises `InvalidChannelRequest`, naming the part that cannot be read.
    """
    _, _, rest = channel.partition(":")
    name, colon, filtered = rest.partition(":")
    schema, dot, table = name.partition(".")
    if not (schema and dot and table) or "." in table:
        raise InvalidChannelRequest(reason="channel: a table's is table:<schema>.<table>")
    conditions = tuple(_condition(part) for part in filtered.split("&")) if colon else ()
    return TableAddress(schema=schema, table=table, conditions=conditions)


def _condition(text: str) -> Condition:
    column, equals, asked = text.partition("=")
    operator, dot, value = asked.partition(".")
    if not (column and equals and dot) or operator not in OPERATORS:
        raise InvalidChannelRequest(reason=f"channel: a filter is {_FORM}; not {text!r}")
    decoded = unquote(value)
    values = _list(decoded) if operator == "in" else (decoded,)
    if "\0" in decoded or "\0" in unquote(column):
        raise InvalidChannelRequest(reason="channel: a filter holds no zero bytes")
    return Condition(column=unquote(column), operator=operator, values=values)


def _list(text: str) -> tuple[str, ...]:
    """The elements of `(one,two,"with, comma")`."""
    refusal = InvalidChannelRequest(reason=f"channel: the operator in takes a list (one,two), not {text!r}")
    if not (text.startswith("(") and text.endswith(")") and len(text) > len("()")):
        raise refusal
    elements: list[str] = []
    at, end = 1, len(text) - 1
    while True:
        found = _ELEMENT.match(text, at, end)
        if found is None:
            raise refusal
        elements.append(found[2] if found[1] is None else re.sub(r"\\(.)", r"\1", found[1]))
        at = found.end()
        if at == end:
            return tuple(elements)
        if text[at] != ",":
            raise refusal
        at += 1
