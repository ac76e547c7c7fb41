"""Where the server is, how it is set up, and what it tells while it runs."""

from pathlib import Path
from typing import TypedDict

import msgspec

from headwater.kernel.database.embedded.account import Account

MAJOR = 18
SUPERUSER = "postgres"
DATABASE = "headwater"  # made by the bootstrap, not here


class ConnectArguments(TypedDict):
    """Keyword arguments of `asyncpg.connect`."""

    host: str
    port: int
    user: str
    database: str


class Address(msgspec.Struct, frozen=True):
    """Where a running server listens: `host` is its socket folder."""

    host: str
    port: int = 5432

    def connect_arguments(self, user: str, database: str = DATABASE) -> ConnectArguments:
        """What `asyncpg.connect` needs to log in as `user`; there is no password, the socket tells who we are."""
        return {"host": self.host, "port": self.port, "user": user, "database": database}


class EmbeddedSettings(msgspec.Struct, frozen=True):
    """What may be tuned; times in seconds, sizes in bytes unless they carry PostgreSQL's own unit."""

    shared_buffers: str = "128MB"
    max_connections: int = 100
    connection_check_seconds: float = 2.0
    start_seconds: float = 60.0
    stop_seconds: float = 10.0
    lock_seconds: float = 1.0
    log_bytes: int = 16 * 1024 * 1024
    state_folder: Path = Path("/var/lib/headwater")


class Site(msgspec.Struct, frozen=True):
    """All that is settled before the server starts, and stays so until it stops."""

    folder: Path
    cluster: Path
    account: Account
    client: str
    binaries: Path
    address: Address


class ClusterPlaced(msgspec.Struct, frozen=True):
    """Root's data folder cannot be reached by the database's user, so the cluster lies in `cluster`."""

    folder: Path
    cluster: Path


class ClusterCreated(msgspec.Struct, frozen=True):
    """A new cluster was made."""

    cluster: Path
    seconds: float


class LeftoversEnded(msgspec.Struct, frozen=True):
    """Processes of an earlier server of this folder were still alive, and are gone now."""

    pids: tuple[int, ...]


class PostgresStarted(msgspec.Struct, frozen=True):
    """The server answers; `recovered` after it had died under us."""

    pid: int
    seconds: float
    recovered: bool


class PostgresDied(msgspec.Struct, frozen=True):
    """The server ended without being asked; negative `status` is a signal. It is being started again."""

    pid: int
    status: int


class RestartFailed(msgspec.Struct, frozen=True):
    """Starting again did not work; the next attempt comes after `pause` seconds."""

    reason: str
    pause: float


class PostgresStopped(msgspec.Struct, frozen=True):
    """The server has ended as asked."""

    pid: int
    seconds: float


EmbeddedObservation = (
    ClusterPlaced | ClusterCreated | LeftoversEnded | PostgresStarted | PostgresDied | RestartFailed | PostgresStopped
)
