"""Names of tables' channels."""

import pytest

from headwater.platform.realtime.changes.address import channel_of, parse_channel
from headwater.platform.realtime.errors import InvalidChannelRequest
from headwater.platform.realtime.models import Condition, TableAddress
from headwater.platform.realtime.rules import source_of


@pytest.mark.parametrize(
    ("channel", "conditions"),
    [
        ("table:public.notes", ()),
        ("table:public.notes:id=eq.7", (("id", "eq", ("7",)),)),
        ("table:public.notes:at=gt.2026-01-01T00:00:00", (("at", "gt", ("2026-01-01T00:00:00",)),)),
        ("table:public.notes:text=neq.a%26b", (("text", "neq", ("a&b",)),)),
        ("table:public.notes:a%3Db=eq.", (("a=b", "eq", ("",)),)),
        ("table:public.notes:id=gte.1&id=lte.9", (("id", "gte", ("1",)), ("id", "lte", ("9",)))),
        ('table:public.notes:team=in.(red,"b,l\\"ue",)', (("team", "in", ("red", 'b,l"ue', "")),)),
    ],
)
def test_what_is_read(channel: str, conditions: tuple[tuple[str, str, tuple[str, ...]], ...]) -> None:
    wanted = tuple(Condition(column=c, operator=o, values=v) for c, o, v in conditions)
    address = parse_channel(channel)
    assert address == TableAddress(schema="public", table="notes", conditions=wanted)
    assert channel_of(address) == source_of(channel) == "table:public.notes"


@pytest.mark.parametrize(
    "channel",
    [
        "table:",
        "table:notes",
        "table:public.",
        "table:.notes",
        "table:a.b.c",
        "table:public.notes:",
        "table:public.notes:id",
        "table:public.notes:id=7",
        "table:public.notes:id=like.7",
        "table:public.notes:=eq.7",
        "table:public.notes:id=eq.7&",
        "table:public.notes:id=in.7",
        "table:public.notes:id=in.()",
        'table:public.notes:id=in.("a"b)',
        "table:public.notes:id=in.(a(b)",
        "table:public.notes:id=eq.%00",
    ],
)
def test_what_cannot_be_read_is_refused_by_name(channel: str) -> None:
    with pytest.raises(InvalidChannelRequest, match="channel: "):
        parse_channel(channel)
