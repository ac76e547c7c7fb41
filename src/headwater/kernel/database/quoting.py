"""Names and literals, quoted: the one place where anything of a caller's becomes part of SQL."""


def quoted(identifier: str) -> str:
    """A name as an identifier, whatever it holds but NUL, which no request brings this far."""
    doubled = identifier.replace('"', '""')
    return f'"{doubled}"'


def literal(text: str) -> str:
    """A text as a literal; every connection has `standard_conforming_strings` on, so only quotes are doubled."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
