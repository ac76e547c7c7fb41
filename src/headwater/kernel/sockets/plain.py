"""A socket whose frames are JSON objects, and nothing else."""

from typing import cast

import msgspec
from typing_extensions import override

from headwater.kernel.errors import MissingCredentials, Refusal
from headwater.kernel.sockets.attended import AttendedSocket, Keeper
from headwater.kernel.sockets.declarations import PlainSocket
from headwater.kernel.sockets.errors import MalformedMessage, NotAcknowledged
from headwater.kernel.sockets.frames import PING
from headwater.kernel.sockets.models import CloseReason, Handshake, Incoming
from headwater.kernel.sockets.packets import Packet
from headwater.kernel.sockets.reading import may_hold_nul
from headwater.kernel.sockets.reception import Reception
from headwater.kernel.sockets.wire import Wire

_DECODER = msgspec.json.Decoder(dict[str, object])


class JsonSocket(AttendedSocket):
    """One client of a plain socket; its credentials stand in the handshake, or in its first frame."""

    __slots__ = ("_form", "_waits_for", "_wire")

    def __init__(
        self, keeper: Keeper, reception: Reception, handshake: Handshake, wire: Wire, form: PlainSocket
    ) -> None:
        super().__init__(keeper, reception, handshake.path, handshake.address)
        self.wire = self._wire = wire
        self.form = self._form = form
        self._waits_for: Handshake | None = None
        self._attend(handshake)

    @property
    @override
    def is_behind(self) -> bool:
        return self._wire.is_behind(self._keeper.settings.write_buffer)

    @override
    def beat(self) -> None:
        self._wire.write(PING)

    @override
    async def ask(self, event: str, *arguments: object, within: float = 10.0) -> tuple[object, ...]:
        raise NotAcknowledged(event=event)

    def take_text(self, text: str) -> None:
        """A message has come."""
        self.silent = 0
        if self._reason is not None or not self._may_send():
            return
        try:
            self._attend(self._message(_read(text), nul=may_hold_nul(text)))
        except MalformedMessage as refusal:
            if self.admitted:
                self._reception.refused(self, refusal)
            else:
                self.end(CloseReason.MALFORMED, refusal.message)

    def take_binary(self, _content: bytes) -> None:
        """Nothing binary is said here."""
        self.end(CloseReason.MALFORMED)

    def take_sign(self) -> None:
        """The client has said no more than that it is there."""
        self.silent = 0
        self._may_send()

    def _message(self, fields: dict[str, object], *, nul: bool) -> Incoming:
        form = self._form
        event = fields.pop(form.event_field, None)
        if not isinstance(event, str):
            raise MalformedMessage(reason=f"{form.event_field}: must be a text that names the message")
        number = None if form.id_field is None else fields.pop(form.id_field, None)
        if form.payload_field is None:
            return Incoming(event, (fields,), number, nul)
        if form.payload_field not in fields:
            return Incoming(event, (), number)
        return Incoming(event, (fields[form.payload_field],), number, nul)

    @override
    async def _receive_early(self, message: Incoming) -> None:
        """The first message may say who the client is."""
        handshake, self._waits_for = self._waits_for, None
        if handshake is not None:
            said: dict[str, object] = {self._form.event_field: message.event}
            if message.arguments and isinstance(message.arguments[0], dict):
                said |= cast("dict[str, object]", message.arguments[0])
            await self._admit(msgspec.structs.replace(handshake, auth=said))

    @override
    def _welcome(self, secret: str | None) -> None:
        pass

    @override
    def _turn_away(self, handshake: Handshake, refusal: Refusal) -> None:
        if self._reason is not None:
            return
        if isinstance(refusal, MissingCredentials) and handshake.auth is None:
            self._waits_for = handshake
            return
        if told := self._form.envelope.complain(refusal, None):
            self._wire.write(Packet(told.event, (told.payload,)).plain(self._form))
        self.end(CloseReason.UNADMITTED, refusal.message)

    @override
    def _hang_up(self, reason: CloseReason, message: str) -> None:
        self._waits_for = None
        self._wire.close(reason.code, message or reason.value)

    @override
    def _pause_reading(self, *, paused: bool) -> None:
        self._wire.pause_reading(paused=paused)


def _read(text: str) -> dict[str, object]:
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as failure:
        raise MalformedMessage(reason=f"The frame is no JSON object: {failure}") from failure
    except RecursionError as failure:
        raise MalformedMessage(reason="The frame is nested too deeply") from failure
