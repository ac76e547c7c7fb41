"""HTTP/1.1 on one connection: uvicorn's protocol with bounds it lacks, and a shorter way out."""

from headwater.boot.protocol.connection import Protocol, Siblings
from headwater.boot.protocol.exchange import Exchange

__all__ = ["Exchange", "Protocol", "Siblings"]
