"""What the system tells and takes, by noun."""

from headwater.platform.system.models.jobs import Discarded, FailuresAsked, FailuresMeant
from headwater.platform.system.models.system import (
    Alive,
    AskingAddress,
    HealthReport,
    PartReport,
    ProjectId,
    Readiness,
)

__all__ = [
    "Alive",
    "AskingAddress",
    "Discarded",
    "FailuresAsked",
    "FailuresMeant",
    "HealthReport",
    "PartReport",
    "ProjectId",
    "Readiness",
]
