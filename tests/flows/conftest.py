"""A house without its port, and the door to it."""

import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import pytest_asyncio

from headwater.boot.components import find_components
from headwater.boot.foundation import Ground
from headwater.boot.house import House, open_house
from headwater.boot.settings import Settings
from headwater.flow import Request, answer
from headwater.kernel.clock import SystemClock
from headwater.kernel.database import Transactions
from headwater.kernel.observe import MetricsListener, Observer
from headwater.platform.identity import Identity, ProjectKeys
from tests.flows.trace import Trace
from tests.kit.server import new_folder


class Answer(NamedTuple):
    """What came back: status, headers and the raw body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


class Door:
    """The house's door: sends requests in, as the server does."""

    def __init__(self, house: House, keys: ProjectKeys) -> None:
        self.house = house
        self.keys = keys

    async def ask(
        self, method: str, target: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Carry a request through the pipeline."""
        path, _, query = target.partition("?")
        raw = b"" if body is None else msgspec.json.encode(body)

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": raw, "more_body": False}

        request = Request(method, path, query, dict(headers or {}), "127.0.0.1", receive)
        response = await answer(self.house, request)
        told = {name.decode(): value.decode() for name, value in response.headers}
        return Answer(response.status, told, response.body)

    async def ask_as(self, credential: str, method: str, target: str, body: object = None) -> Answer:
        """The same with a Bearer's credential."""
        return await self.ask(method, target, body, {"authorization": f"Bearer {credential}"})

    async def sign_up(self, email: str, password: str = "correct horse") -> str:
        """A new user's access token."""
        answered = await self.ask_as(
            self.keys.anon_key, "POST", "/api/auth/users", {"email": email, "password": password}
        )
        assert answered.status == 200, answered.body
        return answered.json["accessToken"]

    async def run_sql(self, query: str) -> None:
        """Run SQL as the admin."""
        answered = await self.ask_as(self.keys.admin_key, "POST", "/api/database/advance/rawsql", {"query": query})
        assert answered.status == 200, answered.body


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def door() -> AsyncIterator[Door]:
    """A whole house with its own PostgreSQL, and the door to it."""
    folder: Path = new_folder()
    metrics = MetricsListener()
    alone = Settings({"HEADWATER_DATABASE_PIPELINES": "0"})  # each statement on a connection whose taking is a step
    ground = Ground(
        settings=alone,
        folder=folder,
        components=find_components(),
        clock=SystemClock(),
        observer=Observer(metrics),
    )
    async with open_house(ground, metrics) as house:
        identity = house.authenticator
        assert isinstance(identity, Identity)
        yield Door(house, await Transactions(house.database).reading(identity.keys.read))
    shutil.rmtree(folder.parent, ignore_errors=True)


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> Trace:
    """A trace of this test's own."""
    return Trace(monkeypatch)
