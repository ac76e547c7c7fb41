"""What a component folder declares."""

from headwater.kernel.component.declarations import (
    MEBIBYTE,
    PLATFORM_ENVELOPE,
    Access,
    Component,
    Components,
    Endpoint,
    Envelope,
    FromAddress,
    FromCookie,
    FromHeader,
    HealthCheck,
    Mode,
    Operation,
    PlatformEnvelope,
    Source,
)
from headwater.kernel.component.health import BoundCheck, HealthChecks, PartHealth
from headwater.kernel.events import Consumer
from headwater.kernel.jobs import Job, Timer
from headwater.kernel.limits import Limit

__all__ = [
    "MEBIBYTE",
    "PLATFORM_ENVELOPE",
    "Access",
    "BoundCheck",
    "Component",
    "Components",
    "Consumer",
    "Endpoint",
    "Envelope",
    "FromAddress",
    "FromCookie",
    "FromHeader",
    "HealthCheck",
    "HealthChecks",
    "Job",
    "Limit",
    "Mode",
    "Operation",
    "PartHealth",
    "PlatformEnvelope",
    "Source",
    "Timer",
]
