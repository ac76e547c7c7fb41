"""Every statement of the admin's side of the database."""

from headwater.platform.database.queries.tables import (
    admin_bypasses_row_security,
    find_table,
    list_columns,
    list_foreign_keys,
    list_tables,
    name_types,
    relation_exists,
    schema_exists,
    set_claims,
)

__all__ = [
    "admin_bypasses_row_security",
    "find_table",
    "list_columns",
    "list_foreign_keys",
    "list_tables",
    "name_types",
    "relation_exists",
    "schema_exists",
    "set_claims",
]
