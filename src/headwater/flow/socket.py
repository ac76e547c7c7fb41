"""The way of a socket: who it is, once; then the stages of a request for each of its messages."""

import asyncio
import heapq
from collections.abc import Awaitable, Mapping
from itertools import count
from time import perf_counter
from typing import Any, NoReturn, cast

import msgspec

from headwater.flow.authenticate import must_be_admitted
from headwater.flow.authorize import authorize
from headwater.flow.handshake import credentials_of
from headwater.flow.house import BoundMessage, SocketHouse
from headwater.flow.invalidate import invalidate
from headwater.flow.limit import counted_as, limit
from headwater.flow.patience import within
from headwater.flow.publish import publish
from headwater.flow.request import Request
from headwater.flow.transact import Work, transact
from headwater.flow.validate import validate_message
from headwater.kernel.component import Access
from headwater.kernel.database import refusal_for
from headwater.kernel.errors import InternalError, NoAuthentication, Refusal, TimedOut
from headwater.kernel.models import Reply
from headwater.kernel.observe import MessageAnswered, RequestFailed, SocketClosed, SocketOpened
from headwater.kernel.principal import Kind, Principal
from headwater.kernel.sockets import (
    Acknowledged,
    Acknowledgement,
    Admission,
    CloseReason,
    Handshake,
    Incoming,
    Resumed,
    Socket,
    SocketEnvelope,
    Underway,
)

METHOD = "SOCKET"
_LOOK_EVERY = 0.5
_OURS = 500
"""The first status of those that say nothing against the client."""


async def answer_message(
    house: SocketHouse, message: BoundMessage, socket: Socket, incoming: Incoming, request: Request
) -> Acknowledgement | Underway[object]:
    """Carry a message through every stage of a request but the first two, which the socket has behind it.

    A result that is `Underway` is to be answered by `acknowledge` when it is there.
    """
    principal = socket.principal
    await limit(house, message.limits, request, counted_as(principal, request))
    request.enters("authenticate")
    must_be_admitted(message.declared.access, principal)
    body = validate_message(message, request, socket, incoming)

    async def work(tx: Work) -> object:
        if message.guard is None:
            return await message.operation(tx, principal, body)
        subject = await authorize(message, request, tx, principal, body)
        return await message.operation(tx, principal, body, subject)

    result, effects = await transact(house, message, principal, request, body, work)
    try:
        await invalidate(house, request, effects)
    finally:
        await publish(house, request, effects)
    if isinstance(result, Underway):
        return cast("Underway[object]", result)
    return acknowledge(message, request, result)


def acknowledge(message: BoundMessage, request: Request, result: object) -> Acknowledgement:
    """The acknowledgement that carries a result, in the message's envelope."""
    request.enters("respond")
    then = None
    if isinstance(result, Acknowledged):
        result, then = result.result, result.then
    told = msgspec.Raw(result.body) if isinstance(result, Reply) else message.declared.envelope.acknowledge(result)
    return Acknowledgement((told,), then)


class Reception:
    """Receives the sockets of one path (kernel/sockets says what that means).

    Whoever was admitted is asked for again, silently, with what he showed then: when his credentials run out, and at
    every `recheck`, because somebody's were taken back. Who is not admitted any more is told why, and closed.
    """

    def __init__(self, house: SocketHouse, access: Access) -> None:
        self._house = house
        self._access = access
        self._admitted: dict[Socket, Mapping[str, str]] = {}
        """What every socket showed when it was opened, as an authenticator reads it."""
        self._expiries: list[tuple[float, int, Socket]] = []
        self._serial = count()
        self._distrusted = False

    async def admit(self, handshake: Handshake) -> Admission:
        """Who opens a socket, and what he goes on with.

        Raises what `limit` and `authenticate` raise, and `NoAuthentication`.
        """
        request = Request(METHOD, handshake.path, "", handshake.headers, handshake.address, _nothing_more)
        await limit(self._house, self._house.socket_limits, request, handshake.address)
        request.enters("authenticate")
        principal = await self._authenticate(credentials_of(handshake, self._house.settings.allowed_origins))
        return Admission(principal, await self._house.resume(principal, handshake))

    async def opened(self, socket: Socket, handshake: Handshake, resumed: Resumed | None) -> None:
        """Keep what was shown, and welcome the socket in the components' own ways.

        Whom a component refuses is told why and closed, and whom none could welcome too: he would hear nothing for
        ever, and comes back by himself.
        """
        self._admitted[socket] = credentials_of(handshake, self._house.settings.allowed_origins)
        if socket.principal.expires_at is not None:
            heapq.heappush(self._expiries, (socket.principal.expires_at, next(self._serial), socket))
        self._house.observer.tell(SocketOpened(path=socket.path, carrier=handshake.carrier))
        try:
            await self._house.welcome(socket, resumed)
        except Exception as failure:  # noqa: BLE001 - as in `receive`
            request = Request(METHOD, handshake.path, "", handshake.headers, handshake.address, _nothing_more)
            refusal = self._refusal_for(None, request, failure)
            self.refused(socket, refusal)
            socket.close(CloseReason.UNADMITTED if refusal.status < _OURS else CloseReason.FAILED, refusal.message)

    async def receive(
        self, socket: Socket, message: Incoming
    ) -> Acknowledgement | Underway[Acknowledgement | None] | None:
        """Carry out a message; a refusal becomes the acknowledgement that its contract wants, or an event."""
        request = Request(METHOD, message.event, "", {}, socket.address, _arguments_of(message))
        request.principal_key = socket.principal.key
        bound: BoundMessage | None = None
        try:
            bound = self._house.message(socket.path, message.event)
            work = answer_message(self._house, bound, socket, message, request)
            answer = await within(bound.declared.timeout, work)
        except Exception as failure:  # noqa: BLE001 - here and in `_conclude` every failure becomes an answer
            return self._fail(bound, socket, message, request, failure)
        if isinstance(answer, Underway):
            return Underway(self._conclude(bound, socket, message, request, answer.outcome))
        self._observe(bound, request, None)
        return answer

    async def _conclude(
        self, bound: BoundMessage, socket: Socket, message: Incoming, request: Request, outcome: Awaitable[object]
    ) -> Acknowledgement | None:
        """The rest of a message's way, once its outcome is there."""
        try:
            async with asyncio.timeout(bound.declared.timeout):
                answer = acknowledge(bound, request, await outcome)
        except Exception as failure:  # noqa: BLE001 - as in `receive`
            return self._fail(bound, socket, message, request, failure)
        self._observe(bound, request, None)
        return answer

    def _fail(
        self, bound: BoundMessage | None, socket: Socket, message: Incoming, request: Request, failure: Exception
    ) -> Acknowledgement | None:
        refusal = self._refusal_for(bound, request, failure)
        self._observe(bound, request, refusal.code)
        return self._refuse(bound, socket, message, refusal)

    def refused(self, socket: Socket, refusal: Refusal) -> None:
        """Tell a client that a message of its was not taken in."""
        told = self._house.socket_envelope(socket.path).complain(refusal, None)
        if told is not None:
            socket.emit(told.event, told.payload)

    def closed(self, socket: Socket, reason: CloseReason) -> None:
        """Forget the socket."""
        self._admitted.pop(socket, None)
        self._house.observer.tell(SocketClosed(path=socket.path, reason=reason))

    async def recheck(self) -> None:
        """Close every socket whose credentials are no longer good; return once none of them is told anything more."""
        for socket in tuple(self._admitted):
            await self._recheck(socket, CloseReason.REVOKED)

    def distrust(self) -> None:
        """Ask for everybody again with the next `sweep`: something may have been revoked without our hearing of it."""
        self._distrusted = True

    async def sweep(self) -> float:
        """Ask again for those whose credentials run out about now, or for all; in how many seconds to look again."""
        if self._distrusted:
            self._distrusted = False
            await self.recheck()
        now = self._house.clock.timestamp()
        while self._expiries and self._expiries[0][0] <= now:
            _, _, socket = heapq.heappop(self._expiries)
            await self._recheck(socket, CloseReason.EXPIRED)
        return _LOOK_EVERY

    async def _recheck(self, socket: Socket, reason: CloseReason) -> None:
        credentials = self._admitted.get(socket)
        if credentials is None:
            return
        try:
            socket.principal = await self._authenticate(credentials, patient=False)
            self._house.recognise(socket)
        except Refusal as refusal:
            if refusal.status < _OURS:  # a database that is away says nothing about anybody
                self.refused(socket, refusal)
                socket.close(reason, refusal.message)

    async def _authenticate(self, credentials: Mapping[str, str], *, patient: bool = True) -> Principal:
        principal = await self._house.authenticator.authenticate(credentials, patient=patient)
        if self._access is not Access.ANYONE and principal.kind is Kind.NOBODY:
            raise NoAuthentication
        must_be_admitted(self._access, principal)
        return principal

    def _refusal_for(self, message: BoundMessage | None, request: Request, failure: Exception) -> Refusal:
        if isinstance(failure, Refusal):
            return failure
        if isinstance(failure, TimeoutError) and message is not None:
            return TimedOut(seconds=message.declared.timeout)
        refusal = refusal_for(failure)
        if refusal is None:
            event = "" if message is None else message.declared.event
            self._house.observer.tell(RequestFailed(request.id, event, failure))
            refusal = InternalError(request_id=request.id)
        return refusal

    def _refuse(
        self, message: BoundMessage | None, socket: Socket, incoming: Incoming, refusal: Refusal
    ) -> Acknowledgement | None:
        envelope = self._envelope(message, socket)
        asked = incoming.arguments[0] if incoming.arguments else None
        if incoming.wants_ack:
            return Acknowledgement((envelope.refuse(refusal, asked),))
        told = envelope.complain(refusal, asked)
        if told is not None:
            socket.emit(told.event, told.payload)
        return None

    def _envelope(self, message: BoundMessage | None, socket: Socket) -> SocketEnvelope:
        return self._house.socket_envelope(socket.path) if message is None else message.declared.envelope

    def _observe(self, message: BoundMessage | None, request: Request, code: str | None) -> None:
        event = "" if message is None else message.declared.event
        self._house.observer.tell(MessageAnswered(event, perf_counter() - request.began, code))


def _arguments_of(incoming: Incoming) -> Any:
    """A message's arguments as a request's body, for the stages that want its bytes."""

    async def receive() -> Mapping[str, object]:
        return {"type": "http.request", "body": msgspec.json.encode(incoming.arguments)}

    return receive


async def _nothing_more() -> NoReturn:
    raise InternalError(request_id="")
