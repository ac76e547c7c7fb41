"""Row changes: what happens to a table's rows, told to whom its policies show them."""

from headwater.platform.realtime.changes.address import channel_of
from headwater.platform.realtime.changes.changes import RowChanges

__all__ = ["RowChanges", "channel_of"]
