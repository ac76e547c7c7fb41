"""Notices that no message of a bus holds: cut into pieces, and put together where all of them have come."""

from collections import OrderedDict
from math import ceil

import msgspec

PIECE_BYTES = 5000
"""Of one piece: base64 makes 6,700 of them, and a NOTIFY carries 8,000."""
LARGEST = 1024 * 1024
"""Bytes of a notice that is still told: some two hundred messages of the bus."""
_MOST_COMING = 32


class _Piece(msgspec.Struct, frozen=True, array_like=True):
    """The `nth` of so many pieces of a sender's notice, which has a `number`."""

    sender: str
    number: int
    nth: int
    of: int
    content: bytes


_pack = msgspec.msgpack.Encoder().encode
_read = msgspec.msgpack.Decoder(_Piece).decode


def cut(sender: str, number: int, notice: bytes) -> list[bytes]:
    """The messages that carry a notice between them; `number` is one that this sender has not used for another."""
    count = ceil(len(notice) / PIECE_BYTES)
    return [
        _pack(_Piece(sender, number, nth, count, notice[nth * PIECE_BYTES : (nth + 1) * PIECE_BYTES]))
        for nth in range(count)
    ]


class Assembly:
    """Puts the notices of other processes together, one of each sender at a time, as they are cut and sent.

    A bus keeps the order of a sender. So what does not come next shows that something was lost, and the notice it
    belongs to is given up: the bus, or its sender, says that there was a gap.
    """

    def __init__(self) -> None:
        self._coming: OrderedDict[str, list[_Piece]] = OrderedDict()

    def add(self, message: bytes) -> bytes | None:
        """Take in one piece; the notice, if it is whole now. Raises `msgspec.DecodeError`."""
        piece = _read(message)
        pieces = self._coming.pop(piece.sender, [])
        if piece.nth == 0:
            pieces = []
        elif not pieces or (pieces[0].number, len(pieces)) != (piece.number, piece.nth):
            return None
        pieces.append(piece)
        if len(pieces) == piece.of:
            return b"".join(each.content for each in pieces)
        self._coming[piece.sender] = pieces
        if len(self._coming) > _MOST_COMING:
            self._coming.popitem(last=False)
        return None
