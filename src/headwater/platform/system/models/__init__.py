"""What the system tells and takes, by noun."""

from headwater.platform.system.models.jobs import Discarded, FailuresAsked, FailuresMeant
from headwater.platform.system.models.system import (
    Alive,
    AskingAddress,
    DatabaseMetadata,
    HealthReport,
    Metadata,
    PartReport,
    Readiness,
    TableSize,
)

__all__ = [
    "Alive",
    "AskingAddress",
    "DatabaseMetadata",
    "Discarded",
    "FailuresAsked",
    "FailuresMeant",
    "HealthReport",
    "Metadata",
    "PartReport",
    "Readiness",
    "TableSize",
]
