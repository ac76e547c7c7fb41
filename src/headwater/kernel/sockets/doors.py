"""The paths where sockets are opened, and what Engine.IO answers whoever comes there with something else."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

import msgspec

from headwater.kernel.ids import new_socket_id
from headwater.kernel.models import Reply
from headwater.kernel.sockets.declarations import PlainSocket
from headwater.kernel.sockets.reception import Reception
from headwater.kernel.sockets.wire import Wire

Entrance = Callable[[Wire], None]
_VERSION = "4"
_TEXT = "text/plain; charset=UTF-8"


class Door(msgspec.Struct, frozen=True):
    """A path, and who receives there; with a `form` its sockets are plain ones."""

    path: str
    reception: Reception
    form: PlainSocket | None = None


def said(payload: str, sent: Callable[[bool], None] | None = None) -> Reply:
    """A payload of Engine.IO packets; `sent` is told whether it has left."""
    return Reply(headers=(("Cache-Control", "no-store"),), body=payload.encode(), media_type=_TEXT, sent=sent)


def turned(code: int, message: str, status: int = 400, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """An error in Engine.IO's own words and numbers."""
    return Reply(status=status, headers=headers, body=msgspec.json.encode({"code": code, "message": message}))


UNKNOWN_TRANSPORT = turned(0, "Transport unknown")
UNKNOWN_SESSION = turned(1, "Session ID unknown")
WRONG_METHOD = turned(2, "Bad handshake method", 405, (("Allow", "GET, POST"),))
BAD_REQUEST = turned(3, "Bad request")
UNKNOWN_VERSION = turned(5, "Unsupported protocol version")
TOO_MANY = turned(4, "Too many sockets of this address", 429)
STOPPING = turned(4, "The server is stopping: try again shortly", 503)


def error_in(query: Mapping[str, str], carrier: str) -> Reply | None:
    """What is wrong with the query of an Engine.IO request, if something is."""
    if query.get("EIO") != _VERSION:
        return UNKNOWN_VERSION
    return None if query.get("transport") == carrier else UNKNOWN_TRANSPORT


def session_at(home: str) -> str:
    """A name for a session that is kept by this process of several; with an empty `home`, of one."""
    return f"{home}.{new_socket_id()}" if home else new_socket_id()


def home_of(sid: str) -> str:
    """The process that keeps a session, by its name; empty where none is named."""
    return sid.partition(".")[0] if "." in sid else ""


def queried(query: str) -> dict[str, str]:
    """The names and last values of a query string."""
    return dict(parse_qsl(query, keep_blank_values=True))


def named(path: str) -> str:
    """A path as doors are known by: `/socket.io` is `/socket.io/`."""
    return path if path.endswith("/") else path + "/"
