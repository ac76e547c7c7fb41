"""The admin's side of realtime: its endpoints over real flow, its jobs in a real worker."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database
from headwater.kernel.jobs import BoundJob, JobRecorder, JobSettings, Worker
from headwater.kernel.models import Effects
from headwater.kernel.observe import Observer
from headwater.kernel.outbound import Outbound, OutboundSettings
from headwater.kernel.vault import MasterKey, Vault
from headwater.platform.realtime.endpoints import ENDPOINTS
from headwater.platform.realtime.jobs import JOBS
from headwater.platform.realtime.models import RealtimeSettings
from headwater.platform.realtime.operations import Channels, History, Webhooks
from headwater.platform.realtime.webhooks import WebhookSecret
from tests.kit.house import Answer, SmallHouse
from tests.platform.realtime.conftest import Desk

VAULT = Vault(MasterKey("k" * 16 + "0123456789abcdef"))


class Office:
    """What the admin asks of a node, over the stages of a request."""

    def __init__(self, desk: Desk, clock: DrivenClock) -> None:
        self.desk = desk
        self.secret = WebhookSecret(VAULT)
        self.history = History(RealtimeSettings(), self.secret)
        verbs = {
            "Channels": Channels(desk.access, desk.directory),
            "History": self.history,
            "Publishing": desk.publishing,
        }
        endpoints = [
            msgspec.structs.replace(declared, operation=getattr(verbs[kind], verb))
            for declared in ENDPOINTS
            for kind, _, verb in [declared.operation.__qualname__.partition(".")]
            if kind in verbs
        ]
        self.house = SmallHouse(*endpoints, database=desk.database, clock=clock)

    async def ask(self, method: str, path: str, body: object = b"", token: str | None = "admin") -> Answer:
        """What is answered below /api/realtime."""
        return await self.house.call(method, f"/api/realtime{path}", body, token=token)

    async def channel(self, pattern: str, **more: object) -> dict[str, Any]:
        """A channel that the admin has made."""
        answer = await self.ask("POST", "/channels", {"pattern": pattern, **more})
        assert answer.status == 201, answer.body
        return answer.json()

    async def messages(self, query: str = "") -> list[dict[str, Any]]:
        """The messages that are listed."""
        answer = await self.ask("GET", f"/messages{query}")
        assert answer.status == 200, answer.body
        return answer.json()


@pytest.fixture
def recorded(database: Database) -> Database:
    """The database, in which calls of realtime's jobs become rows."""
    database.add_recorder(JobRecorder({job.name: job for job in JOBS}))
    return database


@pytest.fixture
def office(recorded: Database, desk: Desk, clock: DrivenClock) -> Office:
    """The admin's way to the first node."""
    return Office(desk, clock)


@pytest.fixture
async def outbound(clock: DrivenClock, observer: Observer) -> AsyncIterator[Outbound]:
    """A client that may call this machine."""
    settings = OutboundSettings(allowed_hosts=("127.0.0.1",), breaks_after=1000)
    made = Outbound(settings, clock, observer)
    yield made
    await made.close()


@pytest.fixture
async def worker(office: Office, outbound: Outbound, clock: DrivenClock, observer: Observer) -> AsyncIterator[Worker]:
    """A worker that knows realtime's jobs; it is not started."""
    verbs = SimpleNamespace(Webhooks=Webhooks(outbound, office.secret, clock), History=office.history)

    def bound(declared: Any) -> BoundJob:
        kind, _, verb = declared.operation.__qualname__.partition(".")
        return BoundJob(declared, getattr(getattr(verbs, kind), verb))

    async def carry_out(_effects: Effects) -> None:
        return

    jobs = {job.name: bound(job) for job in JOBS}
    desk = office.desk
    made = Worker(
        desk.database, clock, observer, jobs, (), desk.bus, carry_out, JobSettings(poll=0.03, stop_patience=1)
    )
    yield made
    await made.stop()
