"""Names as statements need them: with their schema, in lists, fitted."""

import hashlib
from collections.abc import Iterable

from headwater.kernel.database import literal, quoted

__all__ = ["fitted", "listed", "literal", "qualified", "quoted"]

_LONGEST_NAME = 63


def qualified(schema: str, name: str) -> str:
    """A name with its schema, both as identifiers."""
    return f"{quoted(schema)}.{quoted(name)}"


def listed(identifiers: Iterable[str]) -> str:
    """Names as a list of identifiers."""
    return ", ".join(map(quoted, identifiers))


def fitted(name: str) -> str:
    """A generated name as it is, or cut and made unique by a hash where Postgres would cut it."""
    encoded = name.encode()
    if len(encoded) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:8]
    return f"{encoded[: _LONGEST_NAME - 9].decode(errors='ignore')}_{digest}"
