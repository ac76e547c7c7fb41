"""Access that ends ends on every node, before the call that ends it is answered, and though a node hangs."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.kernel.waiting import until
from tests.kit.nodes import Nodes, outside_postgres, two_nodes
from tests.kit.server import RunningServer
from tests.kit.socketio import SocketIoClient, connect

GUARD = """
alter table realtime.channels enable row level security;
create policy nobody on realtime.channels for select to authenticated using (false);
"""
UNGUARD = "drop policy if exists nobody on realtime.channels; alter table realtime.channels disable row level security"


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Two servers on one database."""
    with outside_postgres() as own, two_nodes(own) as both:
        yield both


class Ending:
    """A user who listens to a channel on one node, and an admin on the other."""

    def __init__(self, nodes: Nodes) -> None:
        self.near, self.far = nodes
        self.channel = f"room-{uuid4().hex[:8]}"
        self.heard: list[str] = []
        with self.near.client(self.near.anon_key) as client:
            body = {"email": f"{uuid4().hex[:12]}@example.com", "password": "correct horse"}
            signed_in = client.post("/api/auth/users", json=body).raise_for_status().json()
        self.user, self.token = signed_in["user"]["id"], signed_in["accessToken"]
        self.channel_id = self.ask("POST", "/api/realtime/channels", {"pattern": self.channel})["id"]
        self.beside = f"beside-{self.channel}"
        """A channel that nothing ends: what is heard there, far away, was told after what is heard no more."""
        self.ask("POST", "/api/realtime/channels", {"pattern": self.beside})

    def ask(self, method: str, path: str, body: object = None, token: str | None = None) -> Any:
        """Ask the near node, as its admin unless told otherwise."""
        with self.near.client(token or self.near.admin_key) as client:
            answer = client.request(method, path, json=body, timeout=20).raise_for_status()
            return answer.json() if answer.content else None

    async def listen(self, heard: list[str], credential: str, channel: str) -> SocketIoClient:
        """Somebody's client, on the far node."""

        def hear(event: str, arguments: list[Any]) -> None:
            if event == "said":
                heard.append(arguments[0]["word"])

        client = await connect(self.far.url, {"token": credential}, hear)
        answer = await client.ask("realtime:subscribe", {"channel": channel})
        assert answer["ok"], answer
        return client

    async def say(self, word: str, channel: str | None = None) -> None:
        """Publish on the near node, as its admin."""
        path = f"/api/realtime/channels/{channel or self.channel}/messages"
        await asyncio.to_thread(self.ask, "POST", path, {"eventName": "said", "payload": {"word": word}})


def ban(ending: Ending) -> None:
    ending.ask("POST", f"/api/auth/users/{ending.user}/ban", {})


def sign_out_everywhere(ending: Ending) -> None:
    ending.ask("DELETE", f"/api/auth/users/{ending.user}/sessions")


def disable(ending: Ending) -> None:
    ending.ask("PUT", f"/api/realtime/channels/{ending.channel_id}", {"enabled": False})


def forbid(ending: Ending) -> None:
    ending.ask("POST", "/api/database/advance/rawsql/unrestricted", {"query": GUARD})


@pytest.fixture
def ending(nodes: Nodes) -> Iterator[Ending]:
    """A user and a channel of this test's own; policies are taken away again."""
    made = Ending(nodes)
    yield made
    made.ask("POST", "/api/database/advance/rawsql/unrestricted", {"query": UNGUARD})


async def until_heard(heard: list[str], word: str) -> None:
    await until(lambda: word in heard, 30)


@pytest.mark.parametrize("paused", [False, True], ids=["awake", "paused"])
@pytest.mark.parametrize("end", [ban, sign_out_everywhere, disable, forbid])
async def test_nothing_is_heard_after_the_call_that_ended_it(
    ending: Ending, end: Callable[[Ending], None], *, paused: bool
) -> None:
    beside: list[str] = []
    client = await ending.listen(ending.heard, ending.token, ending.channel)
    witness = await ending.listen(beside, ending.far.admin_key, ending.beside)
    await ending.say("before")
    await until_heard(ending.heard, "before")
    process: RunningServer = ending.far
    if paused:
        process.process.send_signal(signal.SIGSTOP)
    try:
        await asyncio.to_thread(end, ending)
        if end is not disable:
            await ending.say("after")
    finally:
        if paused:
            process.process.send_signal(signal.SIGCONT)
    if end is disable:
        await asyncio.to_thread(
            ending.ask,
            "POST",
            "/api/database/advance/rawsql/unrestricted",
            {
                "query": f"insert into realtime.messages (event_name, channel_name, payload) "
                f"values ('said', '{ending.channel}', '{{\"word\": \"after\"}}')"
            },
        )
    await ending.say("over", ending.beside)
    await until_heard(beside, "over")
    await asyncio.sleep(0.5)  # channels need not keep step
    for each in (client, witness):
        each.cut()
        await each.closed
    assert ending.heard == ["before"]
