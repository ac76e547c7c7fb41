"""Names and literals, quoted: the one place where anything of a caller's becomes part of SQL."""

import hashlib
from collections.abc import Iterable

_LONGEST_NAME = 63


def quoted(identifier: str) -> str:
    """A name as an identifier, whatever it holds."""
    escaped = identifier.replace('"', '""')
    return f'"{escaped}"'


def qualified(schema: str, name: str) -> str:
    """A name with its schema, both as identifiers."""
    return f"{quoted(schema)}.{quoted(name)}"


def listed(identifiers: Iterable[str]) -> str:
    """Names as a list of identifiers."""
    return ", ".join(map(quoted, identifiers))


def literal(text: str) -> str:
    """A text as a literal; every connection has `standard_conforming_strings` on, so only quotes are doubled."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def fitted(name: str) -> str:
    """A generated name as it is, or cut and made unique by a hash where Postgres would cut it."""
    encoded = name.encode()
    if len(encoded) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:8]
    return f"{encoded[: _LONGEST_NAME - 9].decode(errors='ignore')}_{digest}"
