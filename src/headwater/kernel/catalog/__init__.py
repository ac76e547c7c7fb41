"""What the database looks like now, and its version."""

from headwater.kernel.catalog.catalog import Catalog
from headwater.kernel.catalog.follower import Follower
from headwater.kernel.catalog.models import (
    INTERNAL_SCHEMAS,
    Argument,
    Column,
    ForeignKey,
    Function,
    MediaHandler,
    Relation,
    RelationKind,
    Representation,
    Snapshot,
    ViewColumn,
    Volatility,
)

__all__ = [
    "INTERNAL_SCHEMAS",
    "Argument",
    "Catalog",
    "Column",
    "Follower",
    "ForeignKey",
    "Function",
    "MediaHandler",
    "Relation",
    "RelationKind",
    "Representation",
    "Snapshot",
    "ViewColumn",
    "Volatility",
]
