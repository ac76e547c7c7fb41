"""One connection on which statements follow each other without waiting for answers."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, cast

import asyncpg
from typing_extensions import override

from headwater.kernel.database.connection import Connection
from headwater.kernel.database.pipeline import wire
from headwater.kernel.database.pipeline.longrow import LONG, LongRow
from headwater.kernel.errors import DatabaseUnavailable

STALL = 0.02
"""Seconds after which what waits behind a statement is asked elsewhere; at most twice as many pass."""
_MOST_PREPARED = 1000
_UNKNOWN_STATEMENT = "26000"
_TELLING = frozenset({wire.ROW, wire.READY, wire.FAILURE, wire.DESCRIPTION})
"""What is neither row, end of a turn, failure nor description changes nothing here."""
Row = tuple[object, ...]


class Elsewhere(Exception):
    """A statement is not answered on this pipe, because another one blocks it or a type is not read here.

    It has not failed: it is to be run on another connection.
    """


class _Turn:
    """A statement that was sent, and who waits for its row; `first` until Postgres has described it here."""

    __slots__ = ("answer", "first", "sql")

    def __init__(self, sql: str, answer: "asyncio.Future[Row | None]", *, first: bool) -> None:
        self.sql = sql
        self.answer = answer
        self.first = first


class Pipe(asyncio.Protocol):
    """A connection of asyncpg's whose socket speaks for itself from now on.

    asyncpg opens it, with TLS and passwords and everything that a DSN can say; after that its protocol, which waits
    for each answer, is replaced by this one. Statements sent in one turn of the loop leave in one write. Each is a
    transaction of its own, and rows come in the order of the statements. `paced(sql, seconds)` is told how long each
    took; `lost(pipe)` is called once when the connection is gone. After `patience` seconds without a row that is due
    the connection is given up.
    """

    def __init__(
        self,
        connection: Connection,
        patience: float,
        paced: Callable[[str, float], None],
        lost: "Callable[[Pipe], None]",
    ) -> None:
        self.connection = connection
        self.closed = False
        self.stalled = False
        self.idle_since = perf_counter()
        self._loop = asyncio.get_running_loop()
        self._patience = patience
        self._paced = paced
        self._lost = lost
        self._turns: deque[_Turn] = deque()
        self._names: dict[str, bytes] = {}
        self._decoders: dict[str, tuple[wire.Decoder, ...] | None] = {}
        self._prepared = 0
        self._outgoing: list[bytes] = []
        self._incoming: list[bytes] = []
        self._missing = 0
        self._long: LongRow | None = None
        self._row: Row | None = None
        self._failure: asyncpg.PostgresError | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._watched: _Turn | None = None
        self._transport: asyncio.Transport = cast("Any", connection)._transport  # noqa: SLF001 - asyncpg has no public way; test_pipe.py is the contract
        self._transport.set_protocol(self)

    @property
    def depth(self) -> int:
        """How many statements wait for their rows."""
        return len(self._turns)

    def run(self, sql: str, arguments: Sequence[object]) -> "asyncio.Future[Row | None]":
        """Send a statement; its first row, or None. Raises Postgres' errors, `DatabaseUnavailable` and `Elsewhere`."""
        if not self._outgoing:
            self._loop.call_soon(self._send)
        name = self._names.get(sql)
        first = name is None
        if name is None:
            name = self._name(sql)
        answer: asyncio.Future[Row | None] = self._loop.create_future()
        self._turns.append(_Turn(sql, answer, first=first))
        self._outgoing.append(wire.run(name, arguments))
        if len(self._turns) == 1:
            self.idle_since = perf_counter()
        if self._watch is None:
            self._watch = self._loop.call_later(STALL, self._look)
        return answer

    def close(self) -> None:
        """Say goodbye and close; what still waits is refused with `DatabaseUnavailable`."""
        if not self.closed:
            self._transport.write(wire.TERMINATE)
            self._end()

    @override
    def data_received(self, data: bytes) -> None:
        if self._long is not None:
            data = self._go_on(self._long, data)
        if self._missing > len(data):
            self._missing -= len(data)
            self._incoming.append(data)
            return
        self._incoming.append(data)
        received = b"".join(self._incoming)
        self._incoming.clear()
        self._missing = 0
        place, size = 0, len(received)
        finished: list[str] = []
        while size - place >= wire.HEADER:
            end = place + 1 + int.from_bytes(received[place + 1 : place + 5], "big")
            if end > size:
                place = self._wait(received, place, end)
                break
            if received[place] in _TELLING:
                self._take(received, place, end, finished)
            place = end
        if place < size:
            self._incoming.append(received[place:])
        if finished:
            self._note_pace(finished)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def _name(self, sql: str) -> bytes:
        """Prepare a statement under a new name, and forget the oldest where there are too many."""
        if len(self._names) >= _MOST_PREPARED:
            oldest = next(iter(self._names))
            self._decoders.pop(oldest, None)
            self._outgoing.append(wire.forget(self._names.pop(oldest)))
        self._prepared += 1
        name = self._names[sql] = b"p%d" % self._prepared
        self._outgoing.append(wire.prepare(name, sql))
        return name

    def _send(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        if outgoing and not self.closed:
            self._transport.write(b"".join(outgoing))

    def _take(self, received: bytes, place: int, end: int, finished: list[str]) -> None:
        """One message of Postgres that tells something."""
        kind = received[place]
        if kind == wire.ROW:
            decoders = self._decoders.get(self._turns[0].sql)
            if decoders is not None and self._row is None:
                self._row = wire.read_row(received, place + wire.HEADER + 2, decoders)
        elif kind == wire.READY:
            finished.append(self._turns[0].sql)
            self._finish(self._turns.popleft())
        elif kind == wire.FAILURE:
            self._failure = wire.failure_of(received[place + wire.HEADER : end])
        elif kind == wire.DESCRIPTION:
            self._turns[0].first = False
            self._decoders[self._turns[0].sql] = wire.decoders_of(received[place + wire.HEADER : end])

    def _wait(self, received: bytes, place: int, end: int) -> int:
        """Prepare for a message that is not whole yet; up to where all that was received is taken in."""
        if received[place] == wire.ROW and end - place > LONG:
            self._long = LongRow(end - place - wire.HEADER)
            self._long.take(memoryview(received)[place + wire.HEADER :])
            return len(received)
        self._missing = end - len(received)
        return place

    def _go_on(self, row: LongRow, data: bytes) -> bytes:
        """Take in more of a long row; what came behind it."""
        rest = data[row.take(memoryview(data)) :]
        if row.is_whole:
            self._long = None
            decoders = self._decoders.get(self._turns[0].sql)
            if decoders is not None and self._row is None:
                self._row = row.read(decoders)
        return rest

    def _finish(self, turn: _Turn) -> None:
        row, failure = self._row, self._failure
        self._row = self._failure = None
        self.stalled = False
        if turn.first or (failure is not None and failure.sqlstate == _UNKNOWN_STATEMENT):
            self._names.pop(turn.sql, None)  # it was not prepared after all
        if turn.answer.done():
            return
        if failure is not None and failure.sqlstate != _UNKNOWN_STATEMENT:
            turn.answer.set_exception(failure)
        elif failure is not None or self._decoders.get(turn.sql, ()) is None:
            turn.answer.set_exception(Elsewhere())
        else:
            turn.answer.set_result(row)

    def _note_pace(self, finished: list[str]) -> None:
        """Share the time since the last rows among those that came now."""
        now = perf_counter()
        share = (now - self.idle_since) / len(finished)
        self.idle_since = now
        for sql in finished:
            self._paced(sql, share)

    def _look(self) -> None:
        """See whether the statement at the head is still the one of the last look, and then free those behind it."""
        self._watch = None
        if not self._turns:
            self._watched = None
            return
        head = self._turns[0]
        if head is self._watched:
            if perf_counter() - self.idle_since > self._patience:
                self._end()
                return
            self.stalled = True
            for turn in list(self._turns)[1:]:
                if not turn.answer.done():
                    turn.answer.set_exception(Elsewhere())
        self._watched = head
        self._watch = self._loop.call_later(STALL, self._look)

    def _end(self) -> None:
        if self.closed:
            return
        self.closed = True
        if self._watch is not None:
            self._watch.cancel()
        for turn in self._turns:
            if not turn.answer.done():
                turn.answer.set_exception(DatabaseUnavailable())
        self._turns.clear()
        self.connection.terminate()
        self._lost(self)
