"""The only HTTP client: bounded in time and size, and blind to private addresses."""

from headwater.kernel.outbound.breaker import Breaker
from headwater.kernel.outbound.client import Outbound
from headwater.kernel.outbound.errors import (
    AnswerTooLarge,
    AnswerUnreadable,
    CircuitOpen,
    HostsLeftAlone,
    PrivateAddress,
    TooManyRedirects,
    UnusableCall,
    UpstreamUnreachable,
)
from headwater.kernel.outbound.models import OutboundAnswer, OutboundCall, OutboundSettings
from headwater.kernel.outbound.resolve import Resolver, SystemResolver

__all__ = [
    "AnswerTooLarge",
    "AnswerUnreadable",
    "Breaker",
    "CircuitOpen",
    "HostsLeftAlone",
    "Outbound",
    "OutboundAnswer",
    "OutboundCall",
    "OutboundSettings",
    "PrivateAddress",
    "Resolver",
    "SystemResolver",
    "TooManyRedirects",
    "UnusableCall",
    "UpstreamUnreachable",
]
