"""Observations as log lines: JSON for machines, colours for a terminal."""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import BinaryIO, Literal

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from headwater.kernel.observe.observations import (
    BackupFailed,
    CatalogLoaded,
    CircuitOpened,
    ConnectionClosed,
    ConnectionOpened,
    ConsumerFailed,
    DatabaseLost,
    DatabaseReturned,
    HookFailed,
    JobFailed,
    JobsCounted,
    MailFailed,
    MessageAnswered,
    Observation,
    OutboundAnswered,
    OutboundFailed,
    RedisLost,
    RedisReturned,
    RequestAnswered,
    RequestFailed,
    SocketClosed,
    SocketOpened,
    TransactionRetried,
    WorkerGivenUp,
)
from headwater.kernel.observe.tending import CacheAlertRaised, CacheWarmed

Level = Literal["debug", "info", "warning", "error"]
Write = Callable[[RequestAnswered], None]
_LEVELS: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_SERVER_ERROR = 500
_GATHERED = 0.02
_MOST_GATHERED = 500


class _RequestLine(msgspec.Struct):
    """The line of an answered request; a struct of its own because there is one for every request."""

    event: str
    level: str
    timestamp: datetime
    request_id: str
    method: str
    route: str
    status: int
    ms: float
    principal: str
    address: str
    code: str | None


class LogListener:
    """Writes each observation as a log line on `stream` (standard error unless given), named by its type.

    Lines are JSON with `event`, `level`, `timestamp`; with `pretty` (the default on a terminal) they are for people.
    However many parts of the house miss Postgres, or Redis, there is one line when the first does, and one when it is
    back for all of them; who is told of the loss is told of the return, whatever his level.
    """

    def __init__(self, level: Level = "info", stream: BinaryIO | None = None, *, pretty: bool | None = None) -> None:
        target = sys.stderr.buffer if stream is None else stream
        for_people = target.isatty() if pretty is None else pretty
        self._log = _for_people(level) if for_people else _for_machines(level, target)
        self._news = _for_people("info") if for_people else _for_machines("info", target)
        self._missing: dict[str, set[str]] = {"Postgres": set(), "Redis": set()}
        self._least = _LEVELS[level]
        self._requests = None if for_people else _RequestWriter(target)
        self._write_request: Write = self._requests or self._tell_request

    def __call__(self, observation: Observation) -> None:
        """Write the line that this observation deserves."""
        if type(observation) is RequestAnswered:
            if self._least <= _LEVELS[_level_of(observation)]:
                self._write_request(observation)
            return
        if type(observation) is MessageAnswered and self._least > _LEVELS["debug"]:
            return
        self.flush()
        match observation:
            case RequestFailed() | JobFailed() | ConsumerFailed() | HookFailed():
                told = {name: getattr(observation, name) for name in observation.__struct_fields__ if name != "failure"}
                self._log.error(type(observation).__name__, exc_info=observation.failure, **told)
            case (
                TransactionRetried()
                | WorkerGivenUp()
                | OutboundFailed()
                | CircuitOpened()
                | MailFailed()
                | BackupFailed()
                | CacheAlertRaised()
            ):
                self._log.warning(type(observation).__name__, **msgspec.structs.asdict(observation))
            case DatabaseLost() | DatabaseReturned() | RedisLost() | RedisReturned():
                self._tell_of_absence(observation)
            case MessageAnswered() | SocketOpened() | SocketClosed() | CacheWarmed():
                self._log.debug(type(observation).__name__, **msgspec.structs.asdict(observation))
            case ConnectionOpened() | ConnectionClosed() | CatalogLoaded() | OutboundAnswered() | JobsCounted():
                self._log.debug(type(observation).__name__, **msgspec.structs.asdict(observation))
            case _:
                self._log.info(type(observation).__name__, **msgspec.structs.asdict(observation))

    def flush(self) -> None:
        """Write every line that still waits for others; the last thing to do with a listener."""
        if self._requests is not None:
            self._requests.flush()

    def _tell_of_absence(self, observation: DatabaseLost | DatabaseReturned | RedisLost | RedisReturned) -> None:
        lost = isinstance(observation, DatabaseLost | RedisLost)
        postgres = isinstance(observation, DatabaseLost | DatabaseReturned)
        missing = self._missing["Postgres" if postgres else "Redis"]
        known = bool(missing)
        if lost:
            missing.add(observation.part)
            if not known:
                log = self._log.error if postgres else self._log.warning  # without Redis everything goes on
                log(type(observation).__name__, **msgspec.structs.asdict(observation))
            return
        missing.discard(observation.part)
        if known and not missing:
            self._news.info(type(observation).__name__, **msgspec.structs.asdict(observation))

    def _tell_request(self, answered: RequestAnswered) -> None:
        self._log.log(
            _LEVELS[_level_of(answered)],
            f"{answered.method} {answered.route} {answered.status}",
            ms=round(answered.seconds * 1000, 1),
            principal=answered.principal,
            code=answered.code,
        )


def _level_of(answered: RequestAnswered) -> Level:
    return "error" if answered.status >= _SERVER_ERROR else "info"


class _RequestWriter:
    """Writes the lines of answered requests, those of `_GATHERED` seconds at once: a write for each cost 9 %."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._encoder = msgspec.json.Encoder()
        self._waiting: list[RequestAnswered] = []

    def __call__(self, answered: RequestAnswered) -> None:
        """Write the line within `_GATHERED` seconds; at once where no loop runs."""
        self._waiting.append(answered)
        if len(self._waiting) == 1:
            try:
                asyncio.get_running_loop().call_later(_GATHERED, self.flush)
            except RuntimeError:
                self.flush()
        elif len(self._waiting) >= _MOST_GATHERED:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._waiting:
            lines, self._waiting = self._waiting, []
            self._stream.write(self._encoder.encode_lines(map(_line_of, lines)))
            self._stream.flush()


def _line_of(answered: RequestAnswered) -> _RequestLine:
    return _RequestLine(
        "RequestAnswered",
        _level_of(answered),
        datetime.fromtimestamp(answered.at, UTC),
        answered.request_id,
        answered.method,
        answered.route,
        answered.status,
        round(answered.seconds * 1000, 3),
        answered.principal,
        answered.address,
        answered.code,
    )


def _for_people(level: Level) -> FilteringBoundLogger:
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),  # no locals: no secrets
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
    )


def _for_machines(level: Level, stream: BinaryIO) -> FilteringBoundLogger:
    return structlog.wrap_logger(
        structlog.BytesLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _render_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
    )


def _render_json(_logger: WrappedLogger, _name: str, event: EventDict) -> bytes:
    return msgspec.json.encode(event, enc_hook=str)
