"""Requests taken apart into shape and values, and the memory of shapes."""

from headwater.platform.records.shape.body import NOTHING, Body, must_be_json, read_body
from headwater.platform.records.shape.known import KnownShapes
from headwater.platform.records.shape.outline import narrowed, split_schema, take_apart

__all__ = [
    "NOTHING",
    "Body",
    "KnownShapes",
    "must_be_json",
    "narrowed",
    "read_body",
    "split_schema",
    "take_apart",
]
