"""Realtime on a real database, with sockets that remember what they were told."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from headwater.kernel.bus import Nodes, PostgresBus
from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Database, Transactions
from headwater.kernel.ids import new_id
from headwater.kernel.observe import Observer
from headwater.kernel.principal import Principal, principal_from_claims
from headwater.kernel.sockets import Acknowledged, CloseReason, Handshake, Sockets, SocketSettings
from headwater.kernel.sockets.packets import Bundle
from headwater.platform.realtime.access import Access
from headwater.platform.realtime.delivery import Delivery, Whispers
from headwater.platform.realtime.directory import Directory
from headwater.platform.realtime.log import Log
from headwater.platform.realtime.models import PublishedTo, PublishTo, RealtimeSettings, Since, Subscribed, SubscribeTo
from headwater.platform.realtime.operations import Publishing, Subscribing
from headwater.platform.realtime.presence import Roster
from headwater.platform.realtime.sessions import SessionBook
from tests.kit.sockets import RememberingSocket

ANON = principal_from_claims({"role": "anon"})


def user(number: int) -> Principal:
    """The principal of a user with a uuid that ends so."""
    return principal_from_claims({"sub": f"00000000-0000-4000-8000-{number:012d}", "role": "authenticated"})


class Ear(RememberingSocket):
    """A client's end that remembers every event it is told, in order."""

    def __init__(self, hub: Sockets, principal: Principal) -> None:
        super().__init__(hub._registry, "/socket.io/", "127.0.0.1")  # pyright: ignore[reportPrivateUsage] - the post of its rooms
        self.principal = principal
        self.id = new_id().hex
        self.told: list[tuple[str, Any]] = []
        self.bookmark: str | None = None
        self.reason: CloseReason | None = None

    def close(self, reason: CloseReason, message: str = "") -> None:
        """Go, as a client that was cut off goes."""
        self.reason = reason
        self.connected = False
        self._post.withdraw(self)
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            callback()

    def deliver(self, bundle: Bundle) -> None:
        """Remember an event and its first argument."""
        for each in bundle.packets:
            event, *arguments = json.loads(each.payloads[0].partition("[")[1] + each.payloads[0].partition("[")[2])
            self.told.append((event, arguments[0]))
            if isinstance(arguments[-1], str):
                self.bookmark = arguments[-1]

    def heard(self, event: str) -> list[Any]:
        """The payloads of one event."""
        return [payload for name, payload in self.told if name == event]


class Desk:
    """One node: its realtime, and whoever listens there."""

    def __init__(self, connect: Connect, database: Database, clock: DrivenClock, observer: Observer) -> None:
        settings = RealtimeSettings()
        self.database = database
        self.bus = PostgresBus(connect, database, observer)
        self.sockets = Sockets(SocketSettings(), observer)
        self.log = Log(database, self.bus, observer)
        self.nodes = Nodes(self.bus, observer)
        self.delivery = Delivery(self.log, self.sockets, database, self.nodes, observer, settings)
        self.book = SessionBook(database, clock, observer)
        self.directory = Directory(database, self.bus)
        self.roster = Roster(self.sockets, clock, self.bus, self.nodes, observer)
        self.access = Access(
            self.delivery, self.roster, self.directory, self.book, database, self.bus, self.nodes, observer, settings
        )
        self.subscribing = Subscribing(self.access, self.delivery, self.roster, self.book, settings)
        self.publishing = Publishing(
            log=self.log,
            directory=self.directory,
            delivery=self.delivery,
            whispers=Whispers(self.bus, self.nodes, self.sockets, observer),
            clock=clock,
            settings=settings,
        )
        self.transactions = Transactions(database)

    async def start(self) -> None:
        """Begin to hear."""
        await self.bus.start()
        await self.nodes.start()
        await self.subscribing.warm(self.transactions)
        await self.publishing.warm(self.transactions)

    async def stop(self) -> None:
        """Be gone."""
        await self.subscribing.close()
        await self.publishing.close()
        await self.nodes.stop()
        await self.bus.stop()

    async def connect(self, principal: Principal = ANON, auth: dict[str, object] | None = None) -> tuple[Ear, str]:
        """A client that was let in, and its secret."""
        resumed = await self.subscribing.resume(
            self.transactions, principal, Handshake(path="/socket.io/", auth=auth or {})
        )
        ear = Ear(self.sockets, principal)
        await self.subscribing.welcome(self.transactions, ear, resumed.state)
        return ear, resumed.secret

    async def subscribe(self, ear: Ear, channel: str, since: tuple[int, str] | None = None) -> Subscribed:
        """What a client is answered; what follows the answer follows at once."""
        asked = SubscribeTo(
            channel=channel, socket=ear, since=None if since is None else Since(offset=since[0], epoch=since[1])
        )
        answer: Acknowledged = await self.subscribing.subscribe(self.transactions, ear.principal, asked)
        answer.then()
        assert isinstance(answer.result, Subscribed)
        return answer.result

    async def publish(self, ear: Ear, channel: str, event: str = "said", **payload: object) -> PublishedTo:
        """Publish as a client."""
        body = PublishTo(channel=channel, event=event, socket=ear, payload=payload)
        told = await self.publishing.publish(self.transactions, ear.principal, body)
        return told if isinstance(told, PublishedTo) else await told.outcome

    async def say(self, sql: str, *arguments: object) -> Any:
        """Run a statement as the owner."""
        return await self.database.single(lambda tx: tx.value(sql, *arguments))

    async def open_channel(self, pattern: str) -> None:
        """Let a channel be."""
        await self.say("insert into realtime.channels (pattern) values ($1)", pattern)
        await self.directory.refresh()


async def quiet() -> None:
    """Let the loop come to rest for a moment."""
    await asyncio.sleep(0.05)


@pytest.fixture
async def desk(connector: Connect, database: Database, clock: DrivenClock, observer: Observer) -> AsyncIterator[Desk]:
    """A node with the channels `news` and `room:%`."""
    made = Desk(connector, database, clock, observer)
    await made.start()
    await made.open_channel("news")
    await made.open_channel("room:%")
    yield made
    await made.stop()


@pytest.fixture
async def other(connector: Connect, database: Database, clock: DrivenClock, observer: Observer) -> AsyncIterator[Desk]:
    """Another node on the same database."""
    made = Desk(connector, database, clock, observer)
    await made.start()
    yield made
    await made.stop()
