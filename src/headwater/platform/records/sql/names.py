"""How names and texts stand in a statement."""

from headwater.kernel.database import literal, quoted
from headwater.platform.records.models import Source

__all__ = ["CALLED", "literal", "quoted", "write_relation"]


CALLED = "called"
"""What the rows of a called function are known by below: it is called once, whoever reads them."""


def write_relation(source: Source) -> str:
    """The relation of a source, with its schema; or the rows of the function it calls."""
    if source.call is not None:
        return CALLED
    return f"{quoted(source.schema)}.{quoted(source.relation)}"
