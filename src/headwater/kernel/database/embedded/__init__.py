"""PostgreSQL in the data folder: made, started, watched and stopped by us, one server per folder."""

from headwater.kernel.database.embedded.errors import (
    BinariesMissing,
    ClusterLost,
    ClusterOfAnotherUser,
    FolderInUse,
    NamelessUser,
    NoPlaceForCluster,
    NotACluster,
    PostgresFailed,
    UnknownOsUser,
    WrongMajorVersion,
)
from headwater.kernel.database.embedded.models import (
    Address,
    ClusterCreated,
    ClusterPlaced,
    ConnectArguments,
    EmbeddedObservation,
    EmbeddedSettings,
    LeftoversEnded,
    PostgresDied,
    PostgresStarted,
    PostgresStopped,
    RestartFailed,
)
from headwater.kernel.database.embedded.server import EmbeddedPostgres, attach

__all__ = [
    "Address",
    "BinariesMissing",
    "ClusterCreated",
    "ClusterLost",
    "ClusterOfAnotherUser",
    "ClusterPlaced",
    "ConnectArguments",
    "EmbeddedObservation",
    "EmbeddedPostgres",
    "EmbeddedSettings",
    "FolderInUse",
    "LeftoversEnded",
    "NamelessUser",
    "NoPlaceForCluster",
    "NotACluster",
    "PostgresDied",
    "PostgresFailed",
    "PostgresStarted",
    "PostgresStopped",
    "RestartFailed",
    "UnknownOsUser",
    "WrongMajorVersion",
    "attach",
]
