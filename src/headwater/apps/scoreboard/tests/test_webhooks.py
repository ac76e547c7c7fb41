"""The scoreboard's channel reaches a webhook: a real server hears of each change, signed, after downtime too."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.kernel.outbound.conftest import Upstream, answer

from .game import Game, open_game

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def own_game() -> AsyncIterator[Game]:
    """A house that may call servers of this machine."""
    async with open_game({"HEADWATER_OUTBOUND_ALLOWED_HOSTS": "127.0.0.1"}) as game:
        yield game


@pytest_asyncio.fixture(loop_scope="module")
async def upstream() -> AsyncIterator[Upstream]:
    """Somebody's server, which takes everything unless it is told otherwise."""
    made = Upstream()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


async def heard(game: Game, upstream: Upstream, count: int) -> list[tuple[dict[str, str], bytes]]:
    """Headers and body of each call, once there were so many."""
    async with asyncio.timeout(60):
        while len(upstream.asked) < count:
            game.clock.advance(10)  # who was not heard is called again after a pause
            await asyncio.sleep(0.05)
    calls: list[tuple[dict[str, str], bytes]] = []
    for asked in upstream.asked:
        head, _, body = asked.partition(b"\r\n\r\n")
        lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        calls.append(({name.lower(): value for name, value in lines}, body))
    return calls


async def ask(game: Game, method: str, target: str, body: object = None) -> Any:
    answered = await game.ask(game.admin, method, f"/api/realtime{target}", body)
    assert answered.status < 300, answered.body
    return answered.json


async def test_each_change_of_a_score_is_told_signed_and_after_downtime_too(own_game: Game, upstream: Upstream) -> None:
    game = own_game
    channels = await ask(game, "GET", "/channels")
    channel = next(each for each in channels if each["pattern"] == "scoreboard:%")
    await ask(game, "PUT", f"/channels/{channel['id']}", {"webhookUrls": [upstream.url]})
    config = await ask(game, "GET", "/config")
    key = base64.b64decode(config["webhookSecret"].removeprefix("whsec_"))
    board, ada = await game.open_board(), await game.register()

    await game.act(ada, 10, board)
    await heard(game, upstream, 1)
    upstream.plays = [*[answer(b"", "503 Down")] * 3, answer(b"")]
    ada = await game.sign_in(ada)
    await game.act(ada, 20, board)
    calls = await heard(game, upstream, 5)

    assert [json.loads(body)["score"] for _, body in calls] == [10, 30, 30, 30, 30], "three times in vain"
    assert len({headers["webhook-id"] for headers, _ in calls}) == 2
    for headers, body in calls:
        assert (headers["x-insforge-channel"], headers["x-insforge-event"]) == (f"scoreboard:{board}", "score_changed")
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        assert headers["webhook-signature"] == f"v1,{signature}"
