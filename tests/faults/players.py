"""Players who post every action until it is answered and keep account of the answers; watchers who keep the newest."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple
from uuid import uuid4

import httpx

from tests.kit.sockets import PING, PONG, TEXT, Client, upgraded

APP = "/apps/scoreboard"
UPDATE = f"{APP}/api/scoreboard/update"
GENERATE = f"{APP}/api/scoreboard/generate-action"
PAUSE = 0.05
LOST = (httpx.TransportError, TimeoutError)
CLOSED = (OSError, asyncio.IncompleteReadError)


class Answer(NamedTuple):
    """What an action came to, as its player was told."""

    user_id: str
    board: str
    points: int
    score: int


class Player:
    """Somebody who plays at either node, and asks again under the same key until he knows what an action came to.

    Some answers he does not wait for, some actions he posts to both nodes at once, and some again once they counted.
    `answers` are by action id; `wrongs` is what no server may say.
    """

    def __init__(self, urls: Sequence[str], user_id: str, token: str, random: Random) -> None:
        self.answers: dict[str, Answer] = {}
        self.statuses: Counter[int] = Counter()
        self.lost = 0
        self.wrongs: list[str] = []
        self._urls = urls
        self._id = user_id
        self.token = token
        self._random = random
        self._stopped = False

    async def play(self, boards: Sequence[str], actions: int) -> None:
        """Play until told to stop, and so many actions at least."""
        headers = {"authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(headers=headers, timeout=10) as client:
            while not self._stopped or len(self.answers) < actions:
                await self._play_once(client, self._random.choice(boards))
                if self.wrongs:
                    break
        self._stopped = False

    def stop(self) -> None:
        """Let him come to the end of what he plays."""
        self._stopped = True

    async def _play_once(self, client: httpx.AsyncClient, board: str) -> None:
        points = self._random.randint(1, 1000)
        asked = {"scoreIncrement": points, "board": board}
        generated = await self._until_answered(client, GENERATE, asked, {})
        if generated is None:
            return
        action, key, way = generated["data"], {"idempotency-key": uuid4().hex}, self._random.random()
        if way < 0.1:
            await self._give_up_early(client, action, key)
        answers = [self._until_answered(client, UPDATE, action, key) for _ in range(2 if way > 0.9 else 1)]
        told = await asyncio.gather(*answers)
        if any(each is None for each in told):
            return
        scores = {each["data"]["newScore"] for each in told if each is not None}
        if len(scores) != 1:
            self.wrongs.append(f"one action, several answers: {told}")
        self.answers[action["actionId"]] = Answer(self._id, board, points, scores.pop())
        if 0.1 < way < 0.15:
            await self._post_again(client, action)

    async def _give_up_early(self, client: httpx.AsyncClient, action: object, key: dict[str, str]) -> None:
        try:
            async with asyncio.timeout(self._random.uniform(0, 0.03)):
                await client.post(self._random.choice(self._urls) + UPDATE, json=action, headers=key)
        except LOST:
            self.lost += 1

    async def _post_again(self, client: httpx.AsyncClient, action: object) -> None:
        """Without its key an action that counted is refused; which no failure changes."""
        answer = await self._answer(client, UPDATE, action, {})
        if answer is not None and answer.status_code != 503:
            code = answer.json()["error"]["code"]
            if (answer.status_code, code) != (400, "DUPLICATE_ACTION"):
                self.wrongs.append(f"posted again: {answer.status_code} {answer.text}")

    async def _until_answered(self, client: httpx.AsyncClient, path: str, body: object, key: dict[str, str]) -> Any:
        """What is told at last; None where it can only be wrong."""
        while True:
            answer = await self._answer(client, path, body, key)
            if answer is not None and answer.is_success:
                return answer.json()
            if answer is not None and (answer.status_code != 503 or "retry-after" not in answer.headers):
                self.wrongs.append(f"{path}: {answer.status_code} {answer.text}")
                return None
            await asyncio.sleep(self._random.uniform(0, 2 * PAUSE))

    async def _answer(
        self, client: httpx.AsyncClient, path: str, body: object, key: dict[str, str]
    ) -> httpx.Response | None:
        try:
            answer = await client.post(self._random.choice(self._urls) + path, json=body, headers=key)
        except LOST:
            self.lost += 1
            return None
        self.statuses[answer.status_code] += 1
        return answer


class Watcher:
    """Somebody who watches a board at a node, and comes back after every cut; `newest` is what he was told last."""

    def __init__(self, url: str, board: str) -> None:
        self.url = url
        self.board = board
        self.newest: Any = None
        self.told = 0
        self.connections = 0
        self._client: Client | None = None
        self._let_go = False

    async def watch(self) -> None:
        """Watch until let go."""
        while not self._let_go:
            try:
                await self._watch_once()
            except CLOSED:
                await asyncio.sleep(PAUSE)

    async def _watch_once(self) -> None:
        status, client = await upgraded(int(self.url.rpartition(":")[2]), f"{APP}/ws?board={self.board}")
        self._client = client
        try:
            if status != 101:
                await asyncio.sleep(PAUSE)
                return
            self.connections += 1
            while not self._let_go:
                await self._hear(client)
        finally:
            await client.close()

    async def _hear(self, client: Client) -> None:
        try:
            kind, payload = await client.frame()
        except TimeoutError:  # nothing is said: nothing has changed
            return
        if kind == PING:
            client.send(PONG, payload)
        elif kind == TEXT:
            message = json.loads(payload)
            if message["type"] == "scoreboard_update":
                self.newest = message["data"]
                self.told += 1
        else:
            raise ConnectionResetError

    def let_go(self) -> None:
        """Come back no more."""
        self._let_go = True
        if self._client is not None:
            self._client.writer.close()
