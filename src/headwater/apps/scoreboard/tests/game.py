"""The scoreboard of a whole house, played through its door, with a clock that the test moves."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, NamedTuple
from uuid import uuid4

from headwater.kernel.clock import DrivenClock
from headwater.kernel.limits import MemoryLimiter
from headwater.kernel.models import CacheKey, Effects
from tests.kit.door import Answer, Door, open_door

PASSWORD = "correct horse"
WATCHERS = 5
UNHURRIED = {
    "HEADWATER_FLOW_REQUESTS_PER_MINUTE": "100000000",
    "HEADWATER_FRAUD_MODE": "off",
    "HEADWATER_SCOREBOARD_WATCHERS": str(WATCHERS),
}
"""What tests of something else are not to meet; and few enough watchers for a test to be all of them."""
_numbers = count(1)


class Player(NamedTuple):
    """Somebody who has registered."""

    id: str
    name: str
    email: str
    token: str


class Heard:
    """What the requests so far left behind: the names of their events, and the keys that were forgotten."""

    def __init__(self, door: Door) -> None:
        house = door.house
        self.events: list[str] = []
        self.forgotten: set[str] = set()
        self._forget, self._tell = house.forget, house.tell
        house.forget, house.tell = self.forget, self.tell

    async def forget(self, keys: Sequence[CacheKey]) -> None:
        """Note the keys, and forget them."""
        self.forgotten.update(keys)
        await self._forget(keys)

    async def tell(self, effects: Effects) -> None:
        """Note the events, and tell them."""
        self.events += [type(event).__name__ for event in effects.events]
        await self._tell(effects)

    def nothing(self) -> None:
        """Forget what was heard."""
        self.events.clear()
        self.forgotten.clear()


class Game:
    """Short ways through the door; whoever asks is a player, a credential, or nobody."""

    def __init__(self, door: Door, clock: DrivenClock) -> None:
        self.door = door
        self.house = door.house
        self.clock = clock
        self.admin = door.keys.admin_key
        self.heard = Heard(door)

    def relieve(self) -> None:
        """Let nobody be over any limit."""
        limiter = self.house.limiter
        assert isinstance(limiter, MemoryLimiter)
        limiter._full_at.clear()

    async def ask(
        self,
        who: Player | str | None,
        method: str,
        target: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        address: str = "127.0.0.1",
    ) -> Answer:
        """Carry a request through the pipeline."""
        told = dict(headers or {})
        if who is not None:
            told["authorization"] = f"Bearer {who if isinstance(who, str) else who.token}"
        return await self.door.ask(method, target, body, told, address)

    async def told(self, who: Player | str | None, method: str, target: str, body: object = None) -> Any:
        """What a request is answered that succeeds."""
        answer = await self.ask(who, method, target, body)
        assert answer.status < 300, answer.body
        assert answer.json["success"] is True
        return answer.json["data"]

    async def register(self, name: str | None = None) -> Player:
        """Somebody new."""
        name = name or f"player.{next(_numbers)}"
        email = f"{uuid4().hex}@example.com"
        self.relieve()
        body = {"username": name, "email": email, "password": PASSWORD}
        told = await self.told(None, "POST", "/api/auth/register", body)
        return Player(told["user"]["id"], name, email, told["token"])

    async def sign_in(self, player: Player) -> Player:
        """The same with a token of now."""
        self.relieve()
        told = await self.told(None, "POST", "/api/auth/login", {"email": player.email, "password": PASSWORD})
        return player._replace(token=told["token"])

    async def action(self, player: Player, points: int = 10, board: str = "default") -> dict[str, Any]:
        """An action that was signed for the player."""
        self.relieve()
        asked = {"scoreIncrement": points, "board": board}
        return await self.told(player, "POST", "/api/scoreboard/generate-action", asked)

    async def update(self, player: Player | str | None, action: object, key: str | None = None) -> Answer:
        """Post an action back."""
        self.relieve()
        headers = {} if key is None else {"idempotency-key": key}
        return await self.ask(player, "POST", "/api/scoreboard/update", action, headers)

    async def act(self, player: Player, points: int = 10, board: str = "default") -> dict[str, Any]:
        """Make points; what is answered."""
        answer = await self.update(player, await self.action(player, points, board))
        assert answer.status == 200, answer.body
        return answer.json["data"]

    async def open_board(self, **terms: object) -> str:
        """A board of the test's own."""
        name = f"board-{next(_numbers)}"
        await self.told(self.admin, "POST", "/api/boards", {"name": name, **terms})
        return name

    async def places(self, board: str, query: str = "") -> list[tuple[int, str, int]]:
        """Rank, name and score of each place of a board."""
        told = await self.told(None, "GET", f"/api/scoreboard?board={board}{query}")
        return listed(told)


def listed(told: Any) -> list[tuple[int, str, int]]:
    """Rank, name and score of each place of an answer."""
    return [(place["rank"], place["username"], place["score"]) for place in told["scoreboard"]]


@asynccontextmanager
async def open_game(settings: Mapping[str, str] | None = None) -> AsyncGenerator[Game]:
    """A house whose root app is the scoreboard, for the length of a block."""
    clock = DrivenClock()
    async with open_door({**UNHURRIED, **(settings or {})}, clock, root_app="scoreboard") as door:
        yield Game(door, clock)
