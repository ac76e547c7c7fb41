"""A plan as one SQL statement."""

from headwater.platform.records.sql.statement import CHECK_CONSTRAINTS, write_statement
from headwater.platform.records.sql.step import BEGIN_STEP, FORGET_STEP, KEEP_STEP
from headwater.platform.records.sql.stream import stream_header, write_next

__all__ = [
    "BEGIN_STEP",
    "CHECK_CONSTRAINTS",
    "FORGET_STEP",
    "KEEP_STEP",
    "stream_header",
    "write_next",
    "write_statement",
]
