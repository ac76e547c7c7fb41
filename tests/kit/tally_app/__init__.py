"""An app with a contract of its own, written for the root: its envelope, its `/health`, its plain `/ws`, its page."""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from headwater.kernel.component import (
    Access,
    Component,
    Endpoint,
    FromSocket,
    HealthChecks,
    Limit,
    Mode,
    Page,
    PlainSocket,
    SocketMessage,
)
from headwater.kernel.database import Transactions
from headwater.kernel.errors import Refusal
from headwater.kernel.models import Reply
from headwater.kernel.principal import Principal
from headwater.kernel.sockets import Handshake, Socket, Told

ROOT = Limit(name="tally.count", count=3, seconds=60, by="principal")


class Numbered(msgspec.Struct, frozen=True):
    """Which number."""

    number: Annotated[int, msgspec.Meta(ge=0)]


class Greeted(msgspec.Struct, frozen=True):
    """Who says hello."""

    socket: Socket


class TallyEnvelope:
    """`{success: true, data}` and `{success: false, error: {code, message}}`."""

    def answer(self, result: object, status: int) -> Reply:
        """A result."""
        return Reply(status=status, body=msgspec.json.encode({"success": True, "data": result}))

    def refuse(self, refusal: Refusal) -> Reply:
        """A refusal."""
        told = {"success": False, "error": {"code": refusal.code, "message": refusal.message}}
        return Reply(status=refusal.status, headers=tuple(refusal.headers.items()), body=msgspec.json.encode(told))


class TallySocketEnvelope:
    """Results as they are, refusals as the event `trouble`."""

    def acknowledge(self, result: object) -> object:
        """A result."""
        return {"data": result}

    def refuse(self, refusal: Refusal, asked: object) -> object:
        """A refusal that is asked for."""
        return {"trouble": refusal.code}

    def complain(self, refusal: Refusal, asked: object) -> Told | None:
        """A refusal that nobody asked for."""
        return Told("trouble", {"data": {"code": refusal.code}})


ENVELOPE, SOCKET_ENVELOPE = TallyEnvelope(), TallySocketEnvelope()


@dataclass(frozen=True)
class Tally:
    """Numbers."""

    health: HealthChecks

    async def count(self, transactions: Transactions, principal: Principal, body: Numbered) -> int:
        """The number after one."""
        return body.number + 1

    async def report_health(self, transactions: Transactions, principal: Principal, body: None) -> object:
        """The health of every part, as this contract tells it."""
        parts = await self.health.report()
        return {"status": "healthy" if all(part.well for part in parts) else "degraded",
                "parts": {part.name: part.well for part in parts}}  # fmt: skip

    async def welcome(self, transactions: Transactions, socket: Socket, handshake: Handshake) -> None:
        """Say that the connection stands, and what for."""
        told = {"status": "connected", "connectionId": socket.id, "board": handshake.query.get("board")}
        socket.emit("connection_status", {"data": told})

    async def ping(self, transactions: Transactions, principal: Principal, body: Greeted) -> None:
        """Say so again."""
        body.socket.emit("pong")


def _endpoint(method: str, path: str, operation: object, **declared: object) -> Endpoint:
    told: dict[str, object] = {"access": Access.ANYONE, "transaction": Mode.NONE, "envelope": ENVELOPE} | declared
    return Endpoint(method=method, path=path, operation=operation, **told)  # pyright: ignore[reportArgumentType]


COMPONENT = Component(
    name="tally",
    package=__name__,
    operations=Tally,
    endpoints=(
        _endpoint("GET", "/health", Tally.report_health),
        _endpoint("GET", "/api/tally/{number}", Tally.count, body=Numbered),
        _endpoint("POST", "/api/tally", Tally.count, body=Numbered, access=Access.USER, limits=(ROOT,)),
    ),
    sockets=(
        PlainSocket(
            path="/ws",
            messages=(
                SocketMessage(
                    event="ping",
                    operation=Tally.ping,
                    access=Access.ANYONE,
                    transaction=Mode.NONE,
                    body=Greeted,
                    inputs={"socket": FromSocket()},
                    envelope=SOCKET_ENVELOPE,
                ),
            ),
            welcome=Tally.welcome,
            envelope=SOCKET_ENVELOPE,
        ),
    ),
    envelopes={"/": ENVELOPE},
    page=Page(),
)
