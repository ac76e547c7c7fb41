"""What every socket does with what comes: let in who may, then one message after the other."""

import asyncio
from abc import abstractmethod
from collections import deque
from collections.abc import Awaitable
from inspect import isawaitable
from time import monotonic
from typing import Protocol

from typing_extensions import override

from headwater.kernel.bus import Tasks
from headwater.kernel.errors import InternalError, Refusal
from headwater.kernel.ids import new_request_id, new_socket_id
from headwater.kernel.principal import Principal
from headwater.kernel.sockets.errors import TooManyMessages
from headwater.kernel.sockets.models import (
    Acknowledgement,
    Admission,
    CloseReason,
    Handshake,
    Incoming,
    SocketSettings,
    Underway,
)
from headwater.kernel.sockets.packets import Packet
from headwater.kernel.sockets.reception import Reception
from headwater.kernel.sockets.socket import Post, Socket

_TOO_MANY = 16


class Keeper(Post, Protocol):
    """What a socket needs of those who keep it."""

    @property
    def settings(self) -> SocketSettings:
        """What bounds it."""
        ...

    @property
    def tasks(self) -> Tasks:
        """Where its messages are carried out."""
        ...

    def admitted(self, socket: "AttendedSocket") -> None:
        """A socket has been let in."""
        ...

    def moved(self, socket: "AttendedSocket") -> None:
        """A socket that was polling goes on by WebSocket."""
        ...

    def gone(self, socket: "AttendedSocket", reason: CloseReason) -> None:
        """A socket has ended, its last message is done with, and its reception knows."""
        ...

    def blame(self, failure: BaseException) -> None:
        """Something nobody foresaw was raised."""
        ...


class _Owed:
    """A message that was begun, and what it is to be acknowledged with as soon as that `is_known`."""

    __slots__ = ("answer", "is_known", "message")

    def __init__(self, message: Incoming) -> None:
        self.message = message
        self.answer: Acknowledgement | None = None
        self.is_known = False


class AttendedSocket(Socket):
    """A socket with somebody who receives it.

    Its messages are carried out one after the other, in the order they came, and acknowledged in that order; while none
    is, there is no task. `silent` is for the heartbeat: how often it has asked for a sign of life since something came.
    """

    __slots__ = (
        "_full_at",
        "_inbox",
        "_keeper",
        "_owed",
        "_paid",
        "_reading_paused",
        "_reason",
        "_reception",
        "_working",
        "admitted",
        "silent",
    )

    def __init__(self, keeper: Keeper, reception: Reception, path: str, address: str) -> None:
        super().__init__(keeper, path, address)
        self.admitted = False
        self.silent = 0
        self._keeper = keeper
        self._reception = reception
        self._inbox: deque[Handshake | Incoming] | None = None
        self._owed: deque[_Owed] | None = None
        self._paid: asyncio.Future[None] | None = None
        self._working = False
        self._reading_paused = False
        self._reason: CloseReason | None = None
        self._full_at = 0.0

    @property
    def is_full(self) -> bool:
        """Whether so many of its messages wait that the client had better wait too."""
        return self._inbox is not None and len(self._inbox) > self._keeper.settings.waiting_messages

    @property
    def was_ended_by_client(self) -> bool:
        """Whether it has ended as the client wished."""
        return self._reason is CloseReason.CLIENT

    @abstractmethod
    def beat(self) -> None:
        """Ask the client for a sign of life."""

    @override
    def close(self, reason: CloseReason, message: str = "") -> None:
        self.end(reason, message)

    def end(self, reason: CloseReason, message: str = "") -> None:
        """It has ended, or ends now: nothing more reaches it, and the reception hears of it after its last message."""
        if self._reason is not None:
            return
        self._reason = reason
        if not reason.is_the_clients:
            if self._inbox is not None:
                self._inbox.clear()
            self._keeper.write_now(self)
        self.connected = False
        try:
            self._hang_up(reason, message)
        except Exception as failure:  # noqa: BLE001 - it ends, with or without a goodbye
            self._keeper.blame(failure)
        self._keeper.withdraw(self)
        self._finish_if_done()

    @abstractmethod
    def _welcome(self, secret: str | None) -> None:
        """Tell the client that he is let in, and by what he may go on later, where the wire has a place for it."""

    @abstractmethod
    def _turn_away(self, handshake: Handshake, refusal: Refusal) -> None:
        """Tell the client that he is not let in."""

    @abstractmethod
    def _hang_up(self, reason: CloseReason, message: str) -> None:
        """Say goodbye and end what carries it, if it has not ended."""

    @abstractmethod
    def _pause_reading(self, *, paused: bool) -> None:
        """Let the client wait before he sends more, or go on."""

    def _may_send(self) -> bool:
        """Count what has come against the pace this socket may have; whether it is to be taken in."""
        now = monotonic()
        rate = self._keeper.settings.messages_per_second
        self._full_at = max(self._full_at, now) + 1 / rate
        if self._full_at - now <= 1:
            return True
        if self.admitted and self._full_at - now <= 2:
            self._reception.refused(self, TooManyMessages(count=rate))
        else:
            self.end(CloseReason.FREQUENT)
        return False

    def _attend(self, entry: Handshake | Incoming) -> None:
        """Carry out what has come, behind what came before."""
        if self._inbox is None:
            self._inbox = deque()
        self._inbox.append(entry)
        if self.is_full and not self._reading_paused:
            self._reading_paused = True
            self._pause_reading(paused=True)
        if len(self._inbox) > self._keeper.settings.waiting_messages * _TOO_MANY:
            self.end(CloseReason.FREQUENT)
        elif not self._working:
            self._working = True
            self._keeper.tasks.start(self._work())

    async def _work(self) -> None:
        inbox = self._inbox
        while inbox:
            if self._owed is not None and self._must_wait(inbox[0], self._owed):
                await self._until_paid()
                continue
            entry = inbox.popleft()
            try:
                if isinstance(entry, Handshake):
                    await self._admit(entry)
                elif self.admitted:
                    await self._receive(entry)
                else:
                    await self._receive_early(entry)
            except Exception as failure:  # noqa: BLE001 - the next message is not to suffer for it
                self._keeper.blame(failure)
            if self._reading_paused and not self.is_full:
                self._reading_paused, self.silent = False, 0
                self._pause_reading(paused=False)
        self._inbox = None
        self._working = False
        self._finish_if_done()

    def _must_wait(self, entry: Handshake | Incoming, owed: deque[_Owed]) -> bool:
        """Whether an entry is not to be begun before those have their outcome that are underway."""
        if len(owed) >= self._keeper.settings.waiting_messages:
            return True
        return isinstance(entry, Handshake) or entry.event != owed[-1].message.event

    async def _until_paid(self) -> None:
        """Return once one more of those that are underway is acknowledged."""
        self._paid = asyncio.get_running_loop().create_future()
        await self._paid

    async def _receive_early(self, message: Incoming) -> None:
        """A message of somebody who was not let in: nobody hears it, unless it says who he is."""

    async def _admit(self, handshake: Handshake) -> None:
        try:
            admitted = await self._reception.admit(handshake)
        except Refusal as refusal:
            self._turn_away(handshake, refusal)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the client is told no more than this
            self._keeper.blame(failure)
            self._turn_away(handshake, InternalError(request_id=new_request_id()))
        else:
            if self._reason is None:
                admission = Admission(admitted) if isinstance(admitted, Principal) else admitted
                self.principal = admission.principal
                self.id = new_socket_id()
                self.admitted = True
                self._keeper.admitted(self)
                self._welcome(None if admission.resumed is None else admission.resumed.secret)
                opened = self._reception.opened(self, handshake, admission.resumed)
                if isawaitable(opened):
                    await opened

    async def _receive(self, message: Incoming) -> None:
        answer = await self._reception.receive(self, message)
        if isinstance(answer, Underway):
            self._keeper.tasks.start(self._await(answer.outcome, self._owe(message)))
        elif self._owed is None:
            self._acknowledge(message, answer)
        else:
            owed = self._owe(message)
            owed.answer, owed.is_known = answer, True

    def _owe(self, message: Incoming) -> _Owed:
        if self._owed is None:
            self._owed = deque()
        owed = _Owed(message)
        self._owed.append(owed)
        return owed

    async def _await(self, outcome: Awaitable[Acknowledgement | None], owed: _Owed) -> None:
        try:
            owed.answer = await outcome
        finally:
            owed.is_known = True
            self._pay()

    def _pay(self) -> None:
        """Acknowledge what can be, in the order in which it came."""
        waiting = self._owed
        while waiting and waiting[0].is_known:
            owed = waiting.popleft()
            self._acknowledge(owed.message, owed.answer)
        if not waiting:
            self._owed = None
            self._finish_if_done()
        if self._paid is not None and not self._paid.done():
            self._paid.set_result(None)

    def _acknowledge(self, message: Incoming, answer: Acknowledgement | None) -> None:
        if answer is not None:
            if message.wants_ack:
                self.send(Packet(None, answer.arguments, message.id))
            if answer.then is not None:
                answer.then()

    def _finish_if_done(self) -> None:
        if self._reason is not None and not self._working and self._owed is None:
            self._finish(self._reason)

    def _finish(self, reason: CloseReason) -> None:
        try:
            if self.admitted:
                self._reception.closed(self, reason)
        except Exception as failure:  # noqa: BLE001 - whoever else waits for its end hears of it all the same
            self._keeper.blame(failure)
        self._keeper.gone(self, reason)
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            try:
                callback()
            except Exception as failure:  # noqa: BLE001 - the same
                self._keeper.blame(failure)
