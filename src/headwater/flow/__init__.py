"""The way of a request; read pipeline.py first."""

from headwater.flow.cors import preflight
from headwater.flow.house import Authenticator, BoundEndpoint, BoundMessage, FlowSettings, House, SocketHouse
from headwater.flow.pipeline import answer
from headwater.flow.request import Request, Response, StreamedResponse, address_of
from headwater.flow.respond import refuse
from headwater.flow.socket import Reception

__all__ = [
    "Authenticator",
    "BoundEndpoint",
    "BoundMessage",
    "FlowSettings",
    "House",
    "Reception",
    "Request",
    "Response",
    "SocketHouse",
    "StreamedResponse",
    "address_of",
    "answer",
    "preflight",
    "refuse",
]
