"""Where the scoreboard is reached."""

from headwater.apps.scoreboard.endpoints import accounts, boards, caching, health, incidents, scores
from headwater.apps.scoreboard.endpoints.caching import WARMINGS
from headwater.apps.scoreboard.endpoints.envelope import ENVELOPE
from headwater.apps.scoreboard.endpoints.watching import SOCKETS

ENDPOINTS = (
    *accounts.ENDPOINTS,
    *scores.ENDPOINTS,
    *boards.ENDPOINTS,
    *incidents.ENDPOINTS,
    *caching.ENDPOINTS,
    *health.ENDPOINTS,
)
ENVELOPES = {"/": ENVELOPE}

__all__ = ["ENDPOINTS", "ENVELOPES", "SOCKETS", "WARMINGS"]
