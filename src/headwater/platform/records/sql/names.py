"""How names and texts stand in a statement."""

from headwater.platform.records.models import Source


def quoted(identifier: str) -> str:
    """An identifier between quotes. No NUL can be in it: the request is refused before."""
    doubled = identifier.replace('"', '""')
    return f'"{doubled}"'


def literal(text: str) -> str:
    """A text literal; every connection has `standard_conforming_strings` on, so a backslash is a backslash."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


CALLED = "called"
"""What the rows of a called function are known by below: it is called once, whoever reads them."""


def write_relation(source: Source) -> str:
    """The relation of a source, with its schema; or the rows of the function it calls."""
    if source.call is not None:
        return CALLED
    return f"{quoted(source.schema)}.{quoted(source.relation)}"
