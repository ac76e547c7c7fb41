"""A running server with players, for the tests of the scoreboard's page."""

import shutil
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser, expect

from headwater.kernel.database.embedded import attach
from tests.kit.browser import Window, watched_window
from tests.kit.server import RunningServer, new_folder

APP = "/apps/scoreboard"
PASSWORD = "correct horse"
TOO_MANY = 429
CROWD = "crowd"
ENVIRONMENT = {"HEADWATER_FLOW_LIMITS_FACTOR": "2"}
"""Twenty updates a minute: a test meets that limit, and the door's, sixty in a quarter of an hour, is never met."""
_NUMBERS = count()


class Account(NamedTuple):
    """A player."""

    id: str
    name: str
    email: str
    token: str


class Leaderboard:
    """The server, and short ways to have players, points and boards on it."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.url = f"{server.url}{APP}/"
        self._crowd: list[Account] = []

    async def player(self, name: str, points: int = 0, board: str = "default") -> Account:
        """A new player who has so many points; he came through the platform's door, which is wider."""
        email = f"player{next(_NUMBERS)}@example.com"
        made = await self._ask("POST", "/api/auth/users", self.server.anon_key, {"email": email, "password": PASSWORD})
        token = str(made["accessToken"])
        user_id = str((await self._ask("GET", f"{APP}/api/auth/me", token))["data"]["id"])
        await self.sql("update scoreboard.players set username = $1 where user_id = $2", name, user_id)
        if points:
            await self.give(user_id, points, board)
        return Account(user_id, name, email, token)

    async def crowd(self) -> list[Account]:
        """Fourteen players on the board `crowd`, from its first to its last, with gaps of 1000 points.

        They are the same for all tests: who uses one of them changes nobody's rank but the last one's.
        """
        if not self._crowd:
            await self.open_board(CROWD)
            names = [f"rival.{rank}" for rank in range(1, 15)]
            names[3] = "a-name-as-long-as-names-may-be_no-letter-is-longer"
            self._crowd = [
                await self.player(name, 1_000_000 - 1000 * rank, CROWD) for rank, name in enumerate(names, start=1)
            ]
        return self._crowd

    async def give(self, user_id: str, points: int, board: str = "default") -> None:
        """So many points more, on an admin's word."""
        await self.ask_admin("POST", f"/api/boards/{board}/players/{user_id}/adjustments", {"points": points})

    async def open_board(self, name: str, **settings: object) -> None:
        """A board of its own for a test."""
        await self.ask_admin("POST", "/api/boards", {"name": name, "title": name.title(), **settings})

    async def ask_admin(self, method: str, path: str, body: object = None) -> None:
        """Have an admin do something."""
        await self._ask(method, APP + path, self.server.admin_key, body)

    async def score(self, account: Account, board: str = "default") -> int:
        """His score, as the server has it."""
        told = await self._ask("GET", f"{APP}/api/scoreboard/user/{account.id}?board={board}", account.token)
        return int(told["data"]["score"])

    async def spend_updates(self, account: Account) -> None:
        """Update until there are too many in this minute; what cannot be read counts too."""
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {account.token}"}) as client:
            while (await client.post(f"{self.url}api/scoreboard/update", json={})).status_code != TOO_MANY:
                pass

    async def be_held(self, account: Account, board: str = "default") -> None:
        """Forge until an action of his is held."""
        path = f"{self.url}api/scoreboard/"
        async with httpx.AsyncClient(headers={"authorization": f"Bearer {account.token}"}, timeout=30) as client:

            async def post(forged: dict[str, object]) -> str:
                asked = {"actionType": "win_match", "board": board}
                action = (await client.post(f"{path}generate-action", json=asked)).json()["data"]
                return (await client.post(f"{path}update", json=action | forged)).json()["error"]["code"]

            for _ in range(4):
                assert await post({"scoreIncrement": 900}) == "INVALID_ACTION_HASH"
            assert await post({}) == "ACTION_HELD"

    async def sign_out(self, account: Account) -> None:
        """End his session, without his page's knowing."""
        await self._ask("POST", "/api/auth/logout", account.token)

    async def sql(self, statement: str, *parameters: object) -> None:
        """Run a statement as nobody may but the database's own superuser."""
        address = await attach(self.server.folder)
        assert address is not None
        connection = await asyncpg.connect(**address.connect_arguments("postgres"))
        try:
            await connection.execute(statement, *parameters)
        finally:
            await connection.close()

    async def open(
        self, browser: Browser, account: Account | None = None, board: str | None = None, **settings: Any
    ) -> Window:
        """The page, live; signed in as someone."""
        window = await watched_window(browser, self.url + (f"?board={board}" if board else ""), **settings)
        if account is not None:
            await sign_in(window, account.email)
            await expect(window.page.locator("#own-name")).to_have_text(account.name)
        await expect(window.page.locator("#link")).to_have_text("Live")
        return window

    async def _ask(self, method: str, path: str, key: str, body: object = None) -> Any:
        headers = {"authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=self.server.url, headers=headers, timeout=30) as client:
            return (await client.request(method, path, json=body)).raise_for_status().json()


async def sign_in(window: Window, email: str, password: str = PASSWORD) -> None:
    """Fill in the form as people do."""
    page = window.page
    await page.locator("#way-login").click()
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.locator("#enter").click()


@pytest.fixture(scope="session")
def leaderboard() -> Iterator[Leaderboard]:
    """One server for all tests of the page; each plays on a board of its own, or leaves the default one alone."""
    folder = new_folder()
    running = RunningServer(folder, ENVIRONMENT)
    yield Leaderboard(running)
    running.stop()
    shutil.rmtree(folder.parent, ignore_errors=True)
