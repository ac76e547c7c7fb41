"""What is kept of a client that was cut off."""

import msgspec


class KeptSession(msgspec.Struct, frozen=True, kw_only=True):
    """A row: `channels` is the text of a JSON object from channel to place, `left` whether the client is gone."""

    id: bytes
    principal: str
    channels: str
    left: bool
