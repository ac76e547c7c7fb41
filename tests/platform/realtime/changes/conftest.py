"""A node that tells row changes, and tables to change."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Database
from headwater.kernel.observe import Observer
from headwater.kernel.principal import Principal, principal_from_claims
from headwater.platform.realtime.changes import RowChanges
from headwater.platform.realtime.models import RealtimeSettings, Subscribed, TableToTell
from headwater.platform.realtime.operations import TellingTables
from tests.platform.realtime.conftest import ANON, Desk, Ear

ADMIN = principal_from_claims({"role": "project_admin", "sub": "admin"})


def member(number: int, **claims: object) -> Principal:
    """A user with further claims."""
    subject = f"00000000-0000-4000-8000-{number:012d}"
    return principal_from_claims({"sub": subject, "role": "authenticated", **claims})


class Registry(Desk):
    """A node whose tables tell their changes."""

    def __init__(self, connect: Connect, database: Database, clock: DrivenClock, observer: Observer) -> None:
        super().__init__(connect, database, clock, observer)
        self.telling = TellingTables(RowChanges(self.delivery, database, observer, RealtimeSettings()))

        self.ears: set[Ear] = set()

    async def connect(self, principal: Principal = ANON, auth: dict[str, object] | None = None) -> tuple[Ear, str]:
        """A client that was let in, and its secret."""
        ear, secret = await super().connect(principal, auth)
        self.ears.add(ear)
        return ear, secret

    async def subscribe(self, ear: Ear, channel: str, since: tuple[int, str] | None = None) -> Subscribed:
        """What a client is answered; what follows the answer follows at once."""
        answer = await super().subscribe(ear, channel, since)
        self.ears.add(ear)
        return answer

    async def start(self) -> None:
        """Begin to hear."""
        await super().start()
        await self.telling.warm(self.transactions)

    async def make(self, *statements: str) -> None:
        """Change the schema as the admin does."""

        async def work(tx: Any) -> None:
            for statement in statements:
                await tx.execute(statement)

        await self.transactions.writing(work, ADMIN)

    async def write(self, statement: str, *arguments: object, by: Principal = ADMIN) -> None:
        """Change rows: one statement, one transaction."""
        await self.transactions.writing(lambda tx: tx.execute(statement, *arguments), by)

    async def tell(self, table: str, schema: str = "public") -> None:
        """Turn a table on."""
        await self.telling.turn_on(self.transactions, ADMIN, TableToTell(table=table, schema=schema))

    async def told(self) -> None:
        """Return once everything that happened has been told to everybody here."""
        waits = "select exists (select from realtime.messages where place is null)"
        async with asyncio.timeout(20):
            while await self.say(waits) or self.delivery.cursor < await self.say("select place from realtime.log"):  # noqa: ASYNC110 - Postgres is asked
                await asyncio.sleep(0.002)
            while any(self._is_behind(ear) for ear in self.ears):  # noqa: ASYNC110 - nothing rings
                await asyncio.sleep(0.002)
        for ear in self.ears:
            self.sockets.write_now(ear)

    def _is_behind(self, ear: Ear) -> bool:
        if not ear.connected:
            return False
        listener = self.delivery.listener(ear)
        return bool(listener.subscriptions) and not listener.live

    async def hush(self, table: str) -> None:
        """Turn a table off."""
        await self.telling.turn_off(self.transactions, ADMIN, TableToTell(table=table))

    async def listen(self, channel: str, principal: Principal, since: tuple[int, str] | None = None) -> Ear:
        """A client that hears a channel; what happened before is in the log by then."""
        await self.told()
        ear, _ = await self.connect(principal)
        await self.subscribe(ear, channel, since)
        return ear


def told(ear: Ear) -> list[tuple[str, Any, Any]]:
    """Event, old row and new row of everything an ear was told."""
    return [(event, each.get("old"), each.get("new")) for event, each in ear.told if event != "connected"]


@pytest.fixture
async def registry(
    connector: Connect, database: Database, clock: DrivenClock, observer: Observer
) -> AsyncIterator[Registry]:
    """A node with the table `notes`, of which each user sees his own and everybody what is public."""
    made = Registry(connector, database, clock, observer)
    await made.start()
    await made.make(
        "create table notes (id int primary key, owner uuid, public boolean not null default false, text text)",
        "alter table notes enable row level security",
        "create policy own on notes to authenticated using (owner = (select auth.uid()))",
        "create policy public on notes for select using (public)",
        "grant select, insert, update, delete on notes to anon, authenticated",
    )
    await made.tell("notes")
    await made.open_channel("news")
    yield made
    await made.stop()
