"""How statements are written down."""

from collections.abc import Sequence

from headwater.platform.database.models import Statement


def trimmed(statements: Sequence[Statement]) -> tuple[str, ...]:
    """The statements without the space around them."""
    return tuple(statement.text.strip() for statement in statements)


def first_word(statement: Statement) -> int:
    """The position of a statement's first character that is no space, from 1."""
    return len(statement.text) - len(statement.text.lstrip()) + 1
