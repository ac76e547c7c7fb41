"""What a component folder declares."""

from headwater.kernel.component.declarations import (
    MEBIBYTE,
    PLATFORM_ENVELOPE,
    Component,
    Components,
    Endpoint,
    Envelope,
    FromAddress,
    FromCookie,
    FromHeader,
    HealthCheck,
    PlatformEnvelope,
    Source,
)
from headwater.kernel.component.health import BoundCheck, HealthChecks, PartHealth
from headwater.kernel.events import Consumer
from headwater.kernel.jobs import Job, Timer
from headwater.kernel.limits import Limit
from headwater.kernel.models import Access, Mode, Operation
from headwater.kernel.sockets.declarations import FromSocket, PlainSocket, SocketMessage

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
    "FromSocket",
    "HealthCheck",
    "HealthChecks",
    "Job",
    "Limit",
    "Mode",
    "Operation",
    "PartHealth",
    "PlainSocket",
    "PlatformEnvelope",
    "SocketMessage",
    "Source",
    "Timer",
]
