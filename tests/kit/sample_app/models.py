"""What goes into Sample app and what comes out."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

COUNT_WORDS = "sample_app.count_words"
"""The job's name; here, because jobs.py knows operations and not the other way round."""


class NewNote(msgspec.Struct, frozen=True, kw_only=True):
    """A note to be kept."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """How much to list."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A note as its owner sees it; `words` is null until they are counted."""

    id: UUID
    text: str
    words: int | None
    created_at: datetime


class CountWords(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of the job."""

    note_id: UUID
