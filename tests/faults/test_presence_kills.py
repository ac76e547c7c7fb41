"""Whoever was there through a node that is killed is gone with it, on every other, and nothing of him stays."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from headwater.kernel.bus.nodes import SILENCE
from tests.kernel.waiting import until
from tests.kit.nodes import Nodes, outside_postgres, two_nodes
from tests.kit.server import RunningServer
from tests.kit.socketio import SocketIoClient, connect

GONE_WITHIN = 2 * SILENCE + 4
"""Seconds from a kill until the others have heard: two heartbeats, of which a silence has one, and a slow machine."""
SLOW = 20.0
MEMBERS = 5


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Two servers on one database."""
    with outside_postgres() as own, two_nodes(own) as both:
        yield both


class Guest:
    """A client in a room; `there` is who is there, as the answer to his subscription and what followed tell him."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.left: list[str] = []
        self.wire: SocketIoClient | None = None

    def hear(self, event: str, arguments: list[Any]) -> None:
        """Keep the account."""
        if event == "presence:join":
            self.there.add(arguments[0]["member"]["presenceId"])
        elif event == "presence:leave":
            self.left.append(arguments[0]["member"]["presenceId"])
            self.there.discard(self.left[-1])

    def take(self, answer: Any) -> None:
        """Begin the account."""
        self.there = {member["presenceId"] for member in answer["presence"]["members"]}


async def guest(node: RunningServer, credential: str, channel: str) -> Guest:
    """Somebody who has come in through a node."""
    entering = Guest()
    entering.wire = await connect(node.url, {"token": credential}, entering.hear)
    answer = await entering.wire.ask("realtime:subscribe", {"channel": channel}, take=entering.take)
    assert answer["ok"], answer
    return entering


def sign_up(node: RunningServer) -> tuple[str, str]:
    """A new user's id and token."""
    with node.client(node.anon_key) as client:
        body = {"email": f"{uuid4().hex[:12]}@example.com", "password": "correct horse"}
        signed_in = client.post("/api/auth/users", json=body).raise_for_status().json()
        return signed_in["user"]["id"], signed_in["accessToken"]


async def test_members_of_a_node_that_is_killed_are_gone_within_two_heartbeats(nodes: Nodes) -> None:
    killed, alive = nodes
    channel = f"room-{uuid4().hex[:8]}"
    with killed.client(killed.admin_key) as client:
        client.post("/api/realtime/channels", json={"pattern": channel}).raise_for_status()
    users = [sign_up(killed) for _ in range(MEMBERS + 1)]
    (stays, token), everybody = users[-1], {user for user, _ in users}
    doomed = [await guest(killed, credential, channel) for _, credential in users]  # the last is there on both nodes
    watcher = await guest(alive, token, channel)
    await until(lambda: watcher.there == everybody and all(each.there == everybody for each in doomed), SLOW)

    killed.kill()
    began = time.monotonic()
    await until(lambda: watcher.there == {stays}, GONE_WITHIN)
    took = time.monotonic() - began
    print(f"\n{MEMBERS} members of a killed node were gone after {took:.2f} s")
    assert sorted(watcher.left) == sorted(everybody - {stays}), "each once; who is there through both has not left"

    await asyncio.to_thread(killed.start_again)
    late = [await guest(node, token, channel) for node in nodes]
    assert [each.there for each in late] == [{stays}, {stays}], "nothing of them is left, on either node"
    again = await guest(killed, users[0][1], channel)
    await until(lambda: watcher.there == {stays, users[0][0]}, SLOW)
    for each in (watcher, again, *late, *doomed):
        assert each.wire is not None
        each.wire.cut()
    await until(lambda: all(each.wire is None or each.wire.closed.done() for each in doomed), SLOW)
