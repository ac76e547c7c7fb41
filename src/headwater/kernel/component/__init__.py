"""What a component folder declares."""

from headwater.kernel.cache import Warming, WarmingStage
from headwater.kernel.component.declarations import (
    MEBIBYTE,
    PLATFORM_ENVELOPE,
    Component,
    Components,
    DescribedEnvelope,
    Description,
    Endpoint,
    Envelope,
    FromAddress,
    FromCookie,
    FromHeader,
    HealthCheck,
    Page,
    PlatformEnvelope,
    Source,
)
from headwater.kernel.component.descriptions import BoundDescription, Descriptions
from headwater.kernel.component.health import BoundCheck, HealthChecks, PartHealth
from headwater.kernel.events import Consumer, Follower
from headwater.kernel.jobs import Job, Timer
from headwater.kernel.limits import Limit
from headwater.kernel.models import Access, Mode, Operation
from headwater.kernel.sockets.declarations import FromSocket, PlainSocket, SocketMessage

__all__ = [
    "MEBIBYTE",
    "PLATFORM_ENVELOPE",
    "Access",
    "BoundCheck",
    "BoundDescription",
    "Component",
    "Components",
    "Consumer",
    "DescribedEnvelope",
    "Description",
    "Descriptions",
    "Endpoint",
    "Envelope",
    "Follower",
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
    "Page",
    "PartHealth",
    "PlainSocket",
    "PlatformEnvelope",
    "SocketMessage",
    "Source",
    "Timer",
    "Warming",
    "WarmingStage",
]
