"""The grammar of the records dialect."""

from headwater.platform.records.parse.call import is_argument
from headwater.platform.records.parse.filters import (
    COMPARISONS,
    CONTAINMENTS,
    OPERATORS,
    PATTERNS,
    SEARCHES,
    array_literal,
    array_of,
    parse_having,
    parse_is_word,
    parse_list,
    parse_logic,
    split_condition,
)
from headwater.platform.records.parse.headers import parse_preferences, parse_range
from headwater.platform.records.parse.media import GEOGRAPHIC, PLAN, STREAMED, Forms, choose_media_type
from headwater.platform.records.parse.names import parse_names
from headwater.platform.records.parse.nested import label_of, parse_nested
from headwater.platform.records.parse.order import parse_order
from headwater.platform.records.parse.parameters import BRACKETED, HAVING, NESTED, misplaced
from headwater.platform.records.parse.request import parse
from headwater.platform.records.parse.scanner import unescaped
from headwater.platform.records.parse.select import parse_select

__all__ = [
    "BRACKETED",
    "COMPARISONS",
    "CONTAINMENTS",
    "GEOGRAPHIC",
    "HAVING",
    "NESTED",
    "OPERATORS",
    "PATTERNS",
    "PLAN",
    "SEARCHES",
    "STREAMED",
    "Forms",
    "array_literal",
    "array_of",
    "choose_media_type",
    "is_argument",
    "label_of",
    "misplaced",
    "parse",
    "parse_having",
    "parse_is_word",
    "parse_list",
    "parse_logic",
    "parse_names",
    "parse_nested",
    "parse_order",
    "parse_preferences",
    "parse_range",
    "parse_select",
    "split_condition",
    "unescaped",
]
