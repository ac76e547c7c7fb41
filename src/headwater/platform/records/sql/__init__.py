"""A plan as one SQL statement."""

from headwater.platform.records.sql.nested import FORGET_LEVEL, MARK_LEVEL, write_probe
from headwater.platform.records.sql.statement import CHECK_CONSTRAINTS, write_statement
from headwater.platform.records.sql.step import BEGIN_STEP, FORGET_STEP, KEEP_STEP
from headwater.platform.records.sql.stream import stream_header, write_next

__all__ = [
    "BEGIN_STEP",
    "CHECK_CONSTRAINTS",
    "FORGET_LEVEL",
    "FORGET_STEP",
    "KEEP_STEP",
    "MARK_LEVEL",
    "stream_header",
    "write_next",
    "write_probe",
    "write_statement",
]
