"""The grammar of the records dialect."""

from headwater.platform.records.parse.filters import (
    CONTAINMENTS,
    PATTERNS,
    SEARCHES,
    array_literal,
    parse_is_word,
    parse_list,
    parse_logic,
    split_condition,
)
from headwater.platform.records.parse.headers import choose_media_type, parse_preferences, parse_range
from headwater.platform.records.parse.names import parse_names
from headwater.platform.records.parse.order import parse_order
from headwater.platform.records.parse.request import parse
from headwater.platform.records.parse.select import parse_select

__all__ = [
    "CONTAINMENTS",
    "PATTERNS",
    "SEARCHES",
    "array_literal",
    "choose_media_type",
    "parse",
    "parse_is_word",
    "parse_list",
    "parse_logic",
    "parse_names",
    "parse_order",
    "parse_preferences",
    "parse_range",
    "parse_select",
    "split_condition",
]
