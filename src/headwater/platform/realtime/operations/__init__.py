"""The verbs of realtime."""

from headwater.platform.realtime.operations.changes import TellingTables
from headwater.platform.realtime.operations.channels import Channels
from headwater.platform.realtime.operations.history import History
from headwater.platform.realtime.operations.publishing import Publishing
from headwater.platform.realtime.operations.subscribing import Subscribing
from headwater.platform.realtime.operations.webhooks import Webhooks

__all__ = ["Channels", "History", "Publishing", "Subscribing", "TellingTables", "Webhooks"]
