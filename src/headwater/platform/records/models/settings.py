"""What of the records dialect can be set."""

import msgspec


class RecordsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """HEADWATER_RECORDS_*."""

    max_rows: int | None = None
    """The most rows one answer holds; unset, as many as there are."""
    shapes: int = 1024
    """How many request shapes keep their SQL."""
