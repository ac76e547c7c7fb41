"""Requests taken apart into shape and values, and the memory of shapes."""

from headwater.platform.records.shape.body import (
    FORM,
    JSON,
    NOTHING,
    OFF_THE_LOOP,
    Body,
    kind_of_body,
    read_body,
    read_nested_body,
)
from headwater.platform.records.shape.call import NO_BODY, CallBody, read_call_body, split_arguments
from headwater.platform.records.shape.known import KnownShapes
from headwater.platform.records.shape.outline import narrowed, split_schema, take_apart
from headwater.platform.records.shape.references import EarlierAnswers

__all__ = [
    "FORM",
    "JSON",
    "NOTHING",
    "NO_BODY",
    "OFF_THE_LOOP",
    "Body",
    "CallBody",
    "EarlierAnswers",
    "KnownShapes",
    "kind_of_body",
    "narrowed",
    "read_body",
    "read_call_body",
    "read_nested_body",
    "split_arguments",
    "split_schema",
    "take_apart",
]
