"""What the database looks like now, and its version."""

from headwater.kernel.catalog.catalog import Catalog
from headwater.kernel.catalog.models import (
    CATALOG,
    CATALOG_TOPIC,
    DDL_CHANNEL,
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
from headwater.kernel.catalog.watch import CatalogWatch

__all__ = [
    "CATALOG",
    "CATALOG_TOPIC",
    "DDL_CHANNEL",
    "INTERNAL_SCHEMAS",
    "Argument",
    "Catalog",
    "CatalogWatch",
    "Column",
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
