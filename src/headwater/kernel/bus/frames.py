"""Messages joined into NOTIFY payloads, each under Postgres' 8,000 bytes."""

from collections.abc import Iterable

import msgspec

from headwater.kernel.bus.bus import MessageTooLarge

MESSAGE_LIMIT = 7500
"""Bytes of one encoded message (topic and base64); the rest of a payload names its sender."""
_FRAME_LIMIT = 7800


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One NOTIFY payload. `serial` keeps Postgres from dropping equal payloads of one transaction as duplicates."""

    sender: str
    serial: int
    messages: tuple[tuple[str, bytes], ...]


class _PackedFrame(msgspec.Struct, frozen=True, array_like=True):
    sender: str
    serial: int
    messages: list[msgspec.Raw]


def pack(topic: str, message: bytes) -> msgspec.Raw:
    """A message as it stands in a frame. Raises `MessageTooLarge`."""
    packed = msgspec.json.encode((topic, message))
    if len(packed) > MESSAGE_LIMIT:
        raise MessageTooLarge(topic, len(packed), MESSAGE_LIMIT)
    return msgspec.Raw(packed)


def join(sender: str, serial: int, messages: Iterable[msgspec.Raw]) -> list[str]:
    """As few payloads as hold all `messages` in their order, numbered from `serial`."""
    groups: list[list[msgspec.Raw]] = []
    size = _FRAME_LIMIT
    for message in messages:
        size += len(bytes(message)) + 1
        if size > _FRAME_LIMIT:
            groups.append([])
            size = len(bytes(message))
        groups[-1].append(message)
    return [
        msgspec.json.encode(_PackedFrame(sender, serial + index, group)).decode() for index, group in enumerate(groups)
    ]


def read_frame(payload: str | bytes) -> Frame:
    """The frame of a payload. Raises `msgspec.DecodeError` for what no bus wrote."""
    return msgspec.json.decode(payload, type=Frame)
