"""Servers of sockets under test: ours with one open channel, and the peers of Node."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.kit.crowd import CHANNEL, Manner
from bench.kit.servers import Server, headwater, sockets_peer
from bench.kit.todos import keys_of, run_sql, sign_up

OURS, SOCKET_IO, WS = "Headwater", "socket.io", "ws"
# Every message and socket is still counted; the load is one user's, from one address.
WITHOUT_LIMITS = {
    "HEADWATER_FLOW_SOCKETS_PER_MINUTE": "1000000000",
    "HEADWATER_FLOW_MESSAGES_PER_MINUTE": "1000000000",
    "HEADWATER_SOCKET_MESSAGES_PER_SECOND": "1000000",
    "HEADWATER_SOCKET_PER_ADDRESS": "100000",
    "HEADWATER_SERVER_CONNECTIONS_PER_ADDRESS": "100000",
    "HEADWATER_IDENTITY_ACCESS_LIFETIME": "36000",
}


@dataclass(frozen=True)
class Hall:
    """A server with a room, and how a crowd speaks to it."""

    server: Server
    manner: Manner


@contextmanager
def our_hall(folder: Path, environment: Mapping[str, str] | None = None, *, ephemeral: bool = True) -> Generator[Hall]:
    """Our server with an open channel, and a user's token: all its sockets are one member of the channel."""
    with headwater(folder, {**WITHOUT_LIMITS, **(environment or {})}) as server:
        keys = keys_of(folder, environment)
        run_sql(server, keys["admin_key"], f"insert into realtime.channels (pattern) values ('{CHANNEL}')")
        [user] = sign_up(server, keys["anon_key"], 1)
        yield Hall(server, Manner(token=user.token, ephemeral=ephemeral))


@contextmanager
def peer_hall(folder: Path, kind: str) -> Generator[Hall]:
    """A peer, by its package's name."""
    with sockets_peer(folder, kind) as server:
        yield Hall(server, Manner(kind="ws" if kind == WS else "sio"))
