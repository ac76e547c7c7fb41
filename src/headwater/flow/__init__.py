"""The way of a request; read pipeline.py first."""

from headwater.flow.cors import preflight
from headwater.flow.house import Authenticator, BoundEndpoint, FlowSettings, House
from headwater.flow.pipeline import answer
from headwater.flow.request import Request, Response, StreamedResponse, address_of
from headwater.flow.respond import refuse

__all__ = [
    "Authenticator",
    "BoundEndpoint",
    "FlowSettings",
    "House",
    "Request",
    "Response",
    "StreamedResponse",
    "address_of",
    "answer",
    "preflight",
    "refuse",
]
