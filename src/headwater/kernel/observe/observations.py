"""Everything that can be observed: one closed set of types, and one base of what components bring."""

from collections.abc import Callable
from contextlib import suppress

import msgspec

from headwater.kernel.observe.components import ComponentObservation
from headwater.kernel.observe.tending import CacheAlertEnded, CacheAlertRaised, CacheTended, CacheWarmed


class RequestAnswered(msgspec.Struct, frozen=True):
    """A request got its answer; times in seconds, `stages` in the order they were passed."""

    request_id: str
    method: str
    route: str
    """The declared path, or an empty text where none matched: never the caller's own words."""
    status: int
    seconds: float
    stages: tuple[tuple[str, float], ...]
    principal: str
    address: str
    code: str | None = None
    """The refusal's code, if it was one."""
    at: float = 0.0
    """When, in seconds since 1970."""


class RequestFailed(msgspec.Struct, frozen=True):
    """A request met a failure nobody foresaw."""

    request_id: str
    route: str
    failure: BaseException


class SocketOpened(msgspec.Struct, frozen=True):
    """A socket was admitted at this path; `carrier` is `websocket` or `polling`."""

    path: str
    carrier: str


class SocketClosed(msgspec.Struct, frozen=True):
    """A socket that was admitted is gone; `reason` is one of kernel.sockets.CloseReason."""

    path: str
    reason: str


class MessageAnswered(msgspec.Struct, frozen=True):
    """A socket's message was carried out, or refused with this code; an empty name is one that nobody declared."""

    message: str
    seconds: float
    code: str | None = None


class TransactionRetried(msgspec.Struct, frozen=True):
    """A transaction starts again; `reason` is Postgres' SQLSTATE."""

    reason: str
    attempt: int


class ConnectionOpened(msgspec.Struct, frozen=True):
    """A connection to Postgres was opened."""

    login: str


class ConnectionClosed(msgspec.Struct, frozen=True):
    """A connection to Postgres was closed, or found closed."""

    login: str


class DatabasePlaced(msgspec.Struct, frozen=True):
    """The embedded database lies in this folder, outside the data folder."""

    folder: str


class DatabaseLost(msgspec.Struct, frozen=True):
    """A part of the house cannot reach Postgres."""

    reason: str
    part: str = "database"


class DatabaseReturned(msgspec.Struct, frozen=True):
    """Postgres answers that part again, after so many seconds."""

    seconds: float
    part: str = "database"


class RedisLost(msgspec.Struct, frozen=True):
    """A part of the house cannot reach Redis and goes on without it: its `calls`, or its `subscriptions`."""

    reason: str
    part: str


class RedisReturned(msgspec.Struct, frozen=True):
    """Redis answers that part again, after so many seconds."""

    seconds: float
    part: str


class MigrationApplied(msgspec.Struct, frozen=True):
    """A migration was committed."""

    component: str
    name: str


class CatalogLoaded(msgspec.Struct, frozen=True):
    """The catalog was read anew."""

    version: int
    relations: int
    seconds: float


class JobFinished(msgspec.Struct, frozen=True):
    """A job's attempt came to its end."""

    job: str
    attempt: int
    seconds: float


class JobFailed(msgspec.Struct, frozen=True):
    """A job's attempt failed; `final` if there will be no other."""

    job: str
    attempt: int
    final: bool
    failure: BaseException


class JobCount(msgspec.Struct, frozen=True):
    """The rows of one job by state; `oldest` is for how many seconds the longest queued one could have run."""

    job: str
    queued: int
    waiting: int
    running: int
    failed: int
    oldest: float


class JobsCounted(msgspec.Struct, frozen=True):
    """Every job's rows were counted; `timer_lags` are names of timers and the seconds by which each is late."""

    jobs: tuple[JobCount, ...]
    timer_lags: tuple[tuple[str, float], ...]


class WorkerStarted(msgspec.Struct, frozen=True):
    """A process of its own does these jobs."""

    jobs: tuple[str, ...]


class WorkerStopping(msgspec.Struct, frozen=True):
    """A process of its own finishes the jobs that run and takes nothing new."""

    running: int


class WorkerGivenUp(msgspec.Struct, frozen=True):
    """A worker was silent for too long; so many jobs of it were queued again."""

    worker: str
    jobs: int


class EventConsumed(msgspec.Struct, frozen=True):
    """A consumer took in a batch of durable events."""

    consumer: str
    count: int


class ConsumerFailed(msgspec.Struct, frozen=True):
    """A consumer failed at an event; it will meet the same event again."""

    consumer: str
    position: int
    failure: BaseException


class HookFailed(msgspec.Struct, frozen=True):
    """A background part of the house failed once and goes on."""

    part: str
    failure: BaseException


class NodeJoined(msgspec.Struct, frozen=True):
    """Another process of the house was heard for the first time."""

    node: str


class NodeLeft(msgspec.Struct, frozen=True):
    """Another process of the house said farewell, or was `silent` for too long."""

    node: str
    silent: bool


class NodeCutOff(msgspec.Struct, frozen=True):
    """This process cannot be sure to hear the others, and acts as if it did not."""


class NodeReturned(msgspec.Struct, frozen=True):
    """This process hears the others again."""


class OutboundAnswered(msgspec.Struct, frozen=True):
    """Somebody else's server answered a request of ours; no path, because it may hold a secret."""

    method: str
    host: str
    status: int
    seconds: float


class OutboundFailed(msgspec.Struct, frozen=True):
    """Somebody else's server was not asked, or gave no answer; `reason` is the refusal's class."""

    method: str
    host: str
    reason: str
    seconds: float


class CircuitOpened(msgspec.Struct, frozen=True):
    """A host failed too often in a row and is left alone for a while."""

    host: str


class CircuitClosed(msgspec.Struct, frozen=True):
    """A host that was left alone answers again."""

    host: str


class MailSent(msgspec.Struct, frozen=True):
    """A letter was taken: by an SMTP server, or by the development mailbox; to whom is nobody's business."""

    route: str
    seconds: float


class MailFailed(msgspec.Struct, frozen=True):
    """A letter was not taken; `final` if trying again would be in vain."""

    route: str
    reason: str
    final: bool


class BackupMade(msgspec.Struct, frozen=True):
    """The house dumped its database into a file of so many bytes."""

    name: str
    size: int
    seconds: float


class BackupFailed(msgspec.Struct, frozen=True):
    """The house could not dump its database, and no file is left."""

    name: str
    reason: str


class ServerStarted(msgspec.Struct, frozen=True):
    """The server answers at this address."""

    url: str


class ProcessReady(msgspec.Struct, frozen=True):
    """One of the processes of `serve --workers` answers, so many seconds after it was begun."""

    number: int
    pid: int
    seconds: float


class ProcessEnded(msgspec.Struct, frozen=True):
    """One of the processes of `serve --workers` ended unasked and is replaced; a negative status is a signal's."""

    number: int
    pid: int
    status: int


class ServerStopping(msgspec.Struct, frozen=True):
    """The server finishes what runs and takes nothing new."""

    running: int


Observation = (
    RequestAnswered
    | RequestFailed
    | SocketOpened
    | SocketClosed
    | MessageAnswered
    | TransactionRetried
    | ConnectionOpened
    | ConnectionClosed
    | DatabasePlaced
    | DatabaseLost
    | DatabaseReturned
    | RedisLost
    | RedisReturned
    | MigrationApplied
    | CatalogLoaded
    | JobFinished
    | JobFailed
    | JobsCounted
    | WorkerStarted
    | WorkerStopping
    | WorkerGivenUp
    | EventConsumed
    | ConsumerFailed
    | HookFailed
    | NodeJoined
    | NodeLeft
    | NodeCutOff
    | NodeReturned
    | OutboundAnswered
    | OutboundFailed
    | CircuitOpened
    | CircuitClosed
    | MailSent
    | MailFailed
    | CacheAlertRaised
    | CacheAlertEnded
    | CacheTended
    | CacheWarmed
    | BackupMade
    | BackupFailed
    | ServerStarted
    | ProcessReady
    | ProcessEnded
    | ServerStopping
    | ComponentObservation
)
Listener = Callable[[Observation], None]


class Observer:
    """Passes every observation to every listener, in the order they were added."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners

    def add(self, listener: Listener) -> None:
        """From now on `listener` hears everything."""
        self._listeners = (*self._listeners, listener)

    def remove(self, listener: Listener) -> None:
        """From now on `listener` hears nothing."""
        self._listeners = tuple(each for each in self._listeners if each is not listener)

    def tell(self, observation: Observation) -> None:
        """Let every listener know; never raises, because what is observed has already happened.

        A listener that fails misses this observation, and the others are told of it.
        """
        for listener in self._listeners:
            try:
                listener(observation)
            except Exception as failure:  # noqa: BLE001 - a full disk under the log must not undo an answer
                self._tell_others(listener, HookFailed(part="observe", failure=failure))

    def _tell_others(self, failed: Listener, failure: HookFailed) -> None:
        for listener in self._listeners:
            if listener is not failed:
                with suppress(Exception):
                    listener(failure)
