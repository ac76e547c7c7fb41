"""Texts taken apart before anything is done with them."""

from headwater.platform.database.parse.definitions import (
    parse_function,
)
from headwater.platform.database.parse.expressions import (
    parse_expression,
    parse_type,
)
from headwater.platform.database.parse.form import (
    read_upload,
)
from headwater.platform.database.parse.policies import (
    calls_per_row,
    compared_columns,
    wrap_calls,
)
from headwater.platform.database.parse.records import (
    parse_lookup,
    parse_records,
)
from headwater.platform.database.parse.risks import (
    find_risks,
)
from headwater.platform.database.parse.rows import (
    as_copy,
    csv_columns,
    json_rows,
    without_mark,
)
from headwater.platform.database.parse.statements import (
    nodes_of,
    parse_statements,
    written_tables,
)

__all__ = [
    "as_copy",
    "calls_per_row",
    "compared_columns",
    "csv_columns",
    "find_risks",
    "json_rows",
    "nodes_of",
    "parse_expression",
    "parse_function",
    "parse_lookup",
    "parse_records",
    "parse_statements",
    "parse_type",
    "read_upload",
    "without_mark",
    "wrap_calls",
    "written_tables",
]
