"""Which rows are told only once."""

from headwater.platform.records.models import Field
from headwater.platform.records.parse.names import read_field
from headwater.platform.records.parse.scanner import Scanner


def parse_distinct(text: str) -> tuple[Field, ...]:
    """`(column,column->key)`; `(*)`, for all that is told, has no fields."""
    scanner = Scanner(text, "distinct parameter")
    scanner.take("(")
    if scanner.took("*"):
        scanner.take(")")
        scanner.end()
        return ()
    fields: list[Field] = []
    while True:
        scanner.skip_space()
        fields.append(read_field(scanner))
        scanner.skip_space()
        if scanner.took(")"):
            scanner.end()
            return tuple(fields)
        scanner.take(",")
