"""What is read from Postgres' own catalogs."""

from headwater.kernel.catalog.queries.functions import list_functions, list_media_handlers, list_representations
from headwater.kernel.catalog.queries.marks import (
    find_fingerprint,
    find_named_marks,
    find_relation_marks,
    list_reaching_partitions,
    list_schemas,
    qualify_names,
)
from headwater.kernel.catalog.queries.relations import list_foreign_keys, list_relations, list_view_columns
from headwater.kernel.catalog.queries.spoken import list_spoken_settings

__all__ = [
    "find_fingerprint",
    "find_named_marks",
    "find_relation_marks",
    "list_foreign_keys",
    "list_functions",
    "list_media_handlers",
    "list_reaching_partitions",
    "list_relations",
    "list_representations",
    "list_schemas",
    "list_spoken_settings",
    "list_view_columns",
    "qualify_names",
]
