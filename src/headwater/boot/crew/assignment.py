"""What the process that owns the address tells each of those that answer there."""

import msgspec

from headwater.boot.settings import ServerSettings

READY = b"ready\n"
"""What a process writes on its standard output once it answers; its standard input ends when it is to end."""


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """The part of one process; `sockets` are file descriptors that listen, `meeting_place` a folder for all of them."""

    number: int
    sockets: tuple[int, ...]
    folder: str
    meeting_place: str
    root_app: str | None
    settings: ServerSettings
