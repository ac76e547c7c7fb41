"""A row that is longer than what comes from the socket at once."""

from collections.abc import Sequence
from io import BytesIO

from headwater.kernel.database.pipeline.wire import COUNT_BYTES, NULL_SIZE, SIZE_BYTES, Decoder

LONG = 256 * 1024
"""Bytes from which on a row is taken in as it comes; a shorter one is cheaper in one piece."""


class LongRow:
    """A row of `size` bytes taken in part by part; of its values no byte is held twice.

    A `BytesIO` hands over what was written into it without a copy, which neither a join of the parts nor a slice of
    the whole can do: an answer of a hundred thousand rows needs its own length in memory, and no more.
    """

    def __init__(self, size: int) -> None:
        self._missing = size
        self._values: list[bytes | None] = []
        self._value = BytesIO()
        self._wanted = 0
        self._size = bytearray()
        self._size_bytes = COUNT_BYTES  # the first number is that of the columns

    @property
    def is_whole(self) -> bool:
        """Whether all of it has come."""
        return not self._missing

    def take(self, part: memoryview) -> int:
        """Take in what of the part belongs to the row; how many bytes that was."""
        mine = part[: self._missing]
        self._missing -= len(mine)
        place = 0
        while place < len(mine):
            if self._wanted:
                taken = mine[place : place + self._wanted]
                self._value.write(taken)
                self._wanted -= len(taken)
                self._end_value()
            else:
                taken = mine[place : place + self._size_bytes - len(self._size)]
                self._size += taken
                self._begin_value()
            place += len(taken)
        return len(mine)

    def read(self, decoders: Sequence[Decoder]) -> tuple[object, ...]:
        """The values of the row, once it is whole."""
        return tuple(
            None if value is None else decode(value) for decode, value in zip(decoders, self._values, strict=True)
        )

    def _begin_value(self) -> None:
        if len(self._size) < self._size_bytes:
            return
        size = int.from_bytes(self._size, "big", signed=True)
        self._size.clear()
        if self._size_bytes == COUNT_BYTES:
            self._size_bytes = SIZE_BYTES
        elif size == NULL_SIZE:
            self._values.append(None)
        else:
            self._wanted = size
            self._value = _room_for(size)
            self._end_value()

    def _end_value(self) -> None:
        if not self._wanted:
            self._values.append(self._value.getvalue())


def _room_for(size: int) -> BytesIO:
    """A file of that many bytes, to be written from its beginning: one that grows is moved again and again."""
    file = BytesIO()
    if size:
        file.seek(size - 1)
        file.write(b"\0")
        file.seek(0)
    return file
