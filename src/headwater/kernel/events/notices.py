"""What the processes of a house tell each other of events: messages that a bus can carry."""

from collections.abc import Iterable, Sequence

import msgspec

from headwater.kernel.events.pieces import LARGEST, PIECE_BYTES

NOTICE_BYTES = PIECE_BYTES
"""Of the happenings that stand in one notice; one that is larger has a notice to itself, which leaves in pieces."""


class Happening(msgspec.Struct, frozen=True, array_like=True):
    """An event on its way: `rooms` hear of it as `wire_name`, with the JSON of its payload."""

    name: str
    wire_name: str
    rooms: tuple[str, ...]
    payload: msgspec.Raw


class Notice(msgspec.Struct, frozen=True, array_like=True):
    """What one process tells the others: what happened, and of which events it could not tell."""

    sender: str
    happenings: tuple[Happening, ...]
    missed: tuple[str, ...] = ()


class _PackedNotice(msgspec.Struct, frozen=True, array_like=True):
    sender: str
    happenings: list[msgspec.Raw]
    missed: Sequence[str]


def write_notices(sender: str, happenings: Iterable[Happening]) -> tuple[list[bytes], list[Happening]]:
    """As few messages as hold the happenings in their order, and those that are too large to be told.

    Of these the last message says that they were missed.
    """
    groups: list[list[msgspec.Raw]] = [[]]
    large: list[Happening] = []
    size = 0
    for happening in happenings:
        packed = msgspec.json.encode(happening)
        if len(packed) > LARGEST:
            large.append(happening)
            continue
        size += len(packed)
        if size > NOTICE_BYTES and groups[-1]:
            groups.append([])
            size = len(packed)
        groups[-1].append(msgspec.Raw(packed))
    missed = list(dict.fromkeys(happening.name for happening in large))
    last = len(groups) - 1
    packed_notices = [_PackedNotice(sender, group, missed if nth == last else ()) for nth, group in enumerate(groups)]
    return [msgspec.json.encode(each) for each in packed_notices], large


def write_missed(sender: str, names: Iterable[str]) -> bytes:
    """The message that says that the others were not told of some of these events."""
    return msgspec.json.encode(Notice(sender, (), tuple(names)))


def read_notice(message: bytes) -> Notice:
    """The notice of a message. Raises `msgspec.DecodeError` for what no process of ours wrote."""
    return msgspec.json.decode(message, type=Notice)
