"""Statements on the wire: the extended query of PostgreSQL's protocol 3.0; text goes out, binary comes in."""

from collections.abc import Callable, Sequence
from struct import Struct

import asyncpg

Decoder = Callable[[bytes], object]

ROW = ord("D")
READY = ord("Z")
FAILURE = ord("E")
DESCRIPTION = ord("T")
HEADER = 5
"""Bytes of a message's type and of its length, which counts itself but not the type."""
TERMINATE = b"X\x00\x00\x00\x04"

_SIZE = Struct("!i")
_COUNT = Struct("!h")
_FIELD = Struct("!IhIhih")
_pack_size, _read_size, _pack_counts = _SIZE.pack, _SIZE.unpack_from, Struct("!hh").pack
COUNT_BYTES, SIZE_BYTES, NULL_SIZE = _COUNT.size, _SIZE.size, -1
"""A row is the number of its columns, and for each the size of its value, or `NULL_SIZE`, and the value."""
_NULL = _SIZE.pack(NULL_SIZE)
_RUN = b"E" + _SIZE.pack(9) + b"\x00" + _SIZE.pack(0) + b"S" + _SIZE.pack(4)
_ONE_FORMAT_BINARY = _COUNT.pack(1) + _COUNT.pack(1)
_NO_FORMATS = _COUNT.pack(0)


def prepare(name: bytes, sql: str) -> bytes:
    """Parse a statement under a name, and describe what it gives."""
    return _message(b"P", name + b"\x00" + sql.encode() + b"\x00" + _NO_FORMATS) + _message(b"D", b"S" + name + b"\x00")


def forget(name: bytes) -> bytes:
    """Close a prepared statement."""
    return _message(b"C", b"S" + name + b"\x00")


def run(name: bytes, arguments: Sequence[object]) -> bytes:
    """Bind, execute and sync: a transaction of its own, whatever came before. Numbers and texts can be arguments."""
    parts = [b"\x00%b\x00" % name, _pack_counts(0, len(arguments))]
    for argument in arguments:
        if argument is None:
            parts.append(_NULL)
        else:
            text = (argument if type(argument) is str else str(argument)).encode()
            parts += (_pack_size(len(text)), text)
    parts.append(_ONE_FORMAT_BINARY)
    bound = b"".join(parts)
    return b"B%b%b%b" % (_pack_size(len(bound) + 4), bound, _RUN)


def decoders_of(description: bytes) -> tuple[Decoder, ...] | None:
    """How each column of a described statement is read; None if one is of a type that is not read here."""
    found: list[Decoder] = []
    place = _COUNT.size
    for _ in range(_COUNT.unpack_from(description)[0]):
        place = description.index(b"\x00", place) + 1
        _, _, kind, _, _, _ = _FIELD.unpack_from(description, place)
        place += _FIELD.size
        if kind not in _DECODERS:
            return None
        found.append(_DECODERS[kind])
    return tuple(found)


def read_row(buffer: bytes, place: int, decoders: Sequence[Decoder]) -> tuple[object, ...]:
    """The values of a row whose columns begin at `place`."""
    values: list[object] = []
    for decode in decoders:
        (size,) = _read_size(buffer, place)
        place += 4
        if size < 0:
            values.append(None)
        else:
            values.append(decode(buffer[place : place + size]))
            place += size
    return tuple(values)


def failure_of(fields: bytes) -> asyncpg.PostgresError:
    """The error that Postgres tells, in the class that asyncpg has for its SQLSTATE."""
    told: dict[str, str] = {}
    for field in fields.split(b"\x00"):
        if field:
            told[chr(field[0])] = field[1:].decode("utf-8", "replace")
    return asyncpg.PostgresError.new(told)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + _SIZE.pack(len(body) + _SIZE.size) + body


def _number(octets: bytes) -> int:
    return int.from_bytes(octets, "big", signed=True)


def _text(octets: bytes) -> str:
    return octets.decode()


def _truth(octets: bytes) -> bool:
    return octets == b"\x01"


_DECODERS: dict[int, Decoder] = {
    16: _truth,
    17: bytes,
    20: _number,
    21: _number,
    23: _number,
    25: _text,
    114: bytes,
    1043: _text,
}
"""By the type's object identifier in pg_type, which is the same in every database."""
