"""A column that is not there, told by its relation's name instead of ours for the rows."""

import re

from headwater.platform.records.errors import PostgresRefused
from headwater.platform.records.models import Plan, Source
from headwater.platform.records.plan.hints import nearest

_SENTENCE = re.compile(r"column r([0-9]*)\.(.*) does not exist", re.DOTALL)


def unknown_column(plan: Plan, sqlstate: str, sentence: str) -> PostgresRefused | None:
    """What stands for Postgres' sentence about a statement of this plan; None where it speaks of nothing in there.

    Postgres knows which columns there are, so nobody else looks before it refuses.
    """
    found = _SENTENCE.fullmatch(sentence)
    source = None if found is None else _numbered(plan.source, int(found[1] or 0))
    if found is None or source is None:
        return None
    told = source.relation if source.call is None else source.call.place[1]
    meant = nearest(found[2], source.columns)
    return PostgresRefused(
        sqlstate=sqlstate,
        reason=f"column {told}.{found[2]} does not exist",
        hint=None if meant is None else f'Perhaps you meant to reference the column "{told}.{meant}".',
    )


def _numbered(source: Source, number: int) -> Source | None:
    """The source itself for 0, or the one of the embed that has this number, however deep it lies."""
    if number == 0:
        return source
    for embed in source.embeds:
        found = embed.source if embed.number == number else _numbered(embed.source, number)
        if found is not None:
            return found
    return None
