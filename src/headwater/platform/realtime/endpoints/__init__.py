"""The doors of realtime."""

from headwater.platform.realtime.endpoints.changes import CHANGES
from headwater.platform.realtime.endpoints.channels import CHANNELS
from headwater.platform.realtime.endpoints.history import HISTORY
from headwater.platform.realtime.endpoints.messages import ENVELOPE, MESSAGES
from headwater.platform.realtime.endpoints.publishing import PUBLISHING

ENDPOINTS = CHANNELS + HISTORY + PUBLISHING + CHANGES

__all__ = ["ENDPOINTS", "ENVELOPE", "MESSAGES"]
