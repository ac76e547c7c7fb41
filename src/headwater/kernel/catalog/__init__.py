"""What the database looks like now, and its version."""

from headwater.kernel.catalog.catalog import Catalog
from headwater.kernel.catalog.models import (
    INTERNAL_SCHEMAS,
    Argument,
    Column,
    ForeignKey,
    Function,
    Relation,
    RelationKind,
    Snapshot,
    Volatility,
)

__all__ = [
    "INTERNAL_SCHEMAS",
    "Argument",
    "Catalog",
    "Column",
    "ForeignKey",
    "Function",
    "Relation",
    "RelationKind",
    "Snapshot",
    "Volatility",
]
