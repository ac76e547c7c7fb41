"""A whole house without its port, and the door to it: requests go through the pipeline as the server sends them."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from headwater.boot.components import find_components
from headwater.boot.foundation import Ground
from headwater.boot.house import House, open_house
from headwater.boot.settings import Settings
from headwater.flow import Request, answer
from headwater.kernel.clock import Clock, SystemClock
from headwater.kernel.database import Transactions
from headwater.kernel.observe import MetricsListener, Observer
from headwater.platform.identity import Identity, ProjectKeys
from tests.kit.server import new_folder

Receive = Callable[[], Awaitable[dict[str, object]]]


class Answer(NamedTuple):
    """What came back: status, headers and the raw body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


def sent(body: bytes) -> Receive:
    """What comes of a request: its body, then nothing more, because its client stays."""
    parts = [body]

    async def receive() -> dict[str, object]:
        if not parts:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": parts.pop(), "more_body": False}

    return receive


class Door:
    """The house's door: sends requests in, as the server does."""

    def __init__(self, house: House, keys: ProjectKeys) -> None:
        self.house = house
        self.keys = keys

    async def ask(
        self,
        method: str,
        target: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        address: str = "127.0.0.1",
    ) -> Answer:
        """Carry a request through the pipeline; `bytes` are a body as they are, anything else is sent as JSON."""
        path, _, query = target.partition("?")
        raw = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)

        request = Request(method, path, query, dict(headers or {}), address, sent(raw))
        response = await answer(self.house, request)
        if response.sent is not None:
            response.sent(True)
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


@asynccontextmanager
async def open_door(
    settings: Mapping[str, str] | None = None, clock: Clock | None = None, root_app: str | None = None
) -> AsyncGenerator[Door]:
    """A house of every component with its own PostgreSQL, for the length of a block."""
    folder: Path = new_folder()
    metrics = MetricsListener()
    ground = Ground(
        settings=Settings(settings or {}),
        folder=folder,
        components=find_components(),
        clock=clock or SystemClock(),
        observer=Observer(metrics),
    )
    async with open_house(ground, metrics, root_app=root_app) as house:
        identity = house.authenticator
        assert isinstance(identity, Identity)
        yield Door(house, await Transactions(house.database).reading(identity.keys.read))
    shutil.rmtree(folder.parent, ignore_errors=True)
