"""The grammar of the records dialect."""

from headwater.platform.records.parse.call import is_argument
from headwater.platform.records.parse.filters import (
    COMPARISONS,
    CONTAINMENTS,
    PATTERNS,
    SEARCHES,
    array_literal,
    parse_is_word,
    parse_list,
    parse_logic,
    split_condition,
)
from headwater.platform.records.parse.headers import parse_preferences, parse_range
from headwater.platform.records.parse.media import GEOGRAPHIC, PLAN, STREAMED, choose_media_type
from headwater.platform.records.parse.names import parse_names
from headwater.platform.records.parse.order import parse_order
from headwater.platform.records.parse.request import parse
from headwater.platform.records.parse.select import parse_select

__all__ = [
    "COMPARISONS",
    "CONTAINMENTS",
    "GEOGRAPHIC",
    "PATTERNS",
    "PLAN",
    "SEARCHES",
    "STREAMED",
    "array_literal",
    "choose_media_type",
    "is_argument",
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
