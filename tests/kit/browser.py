"""Debian's chromium, driven by playwright."""

import shutil
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
expect.set_options(timeout=20_000)  # what is true after a moment here takes longer on a machine that is busy
_REFUSED = "Failed to load resource: the server responded with a status of"


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """A browser of the test's own; its pages keep nothing from one test to the next."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(ARGUMENTS))
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_browser() -> AsyncIterator[Browser]:
    """One browser for every test of a file that runs in its module's loop; contexts keep them apart."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(ARGUMENTS))
        yield chromium
        await chromium.close()


async def window(browser: Browser, url: str, width: int = 1280, height: int = 800) -> Page:
    """A window with nothing remembered in it, at a page."""
    context = await browser.new_context(viewport={"width": width, "height": height})
    page = await context.new_page()
    await page.goto(url)
    return page


class Window:
    """A window that notes what its page complains of, and whatever it asks of another origin than its own.

    That a request was refused is no complaint: chromium notes every 4xx in the console.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        self.asked: list[str] = []
        """The path of every request, the sockets' among them."""
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._see(request.url))
        page.on("websocket", lambda socket: self._see(socket.url))

    def must_be_clean(self, forgiven: Sequence[str] = ()) -> None:
        """Raises `AssertionError` unless the page was silent, but for what is forgiven, and kept to its origin."""
        left = [text for text in self.complaints if not any(each in text for each in forgiven)]
        assert left == [], left
        assert self.strangers == [], self.strangers

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_REFUSED):
            self.complaints.append(message.text)

    def _see(self, url: str) -> None:
        self.asked.append(urlsplit(url).path)
        if urlsplit(url).netloc != urlsplit(self.url).netloc:
            self.strangers.append(url)


async def watched_window(browser: Browser, url: str, width: int = 1280, height: int = 800, **context: Any) -> Window:
    """A window of its own context, with what playwright's `new_context` takes besides, at a page."""
    made = await browser.new_context(viewport={"width": width, "height": height}, **context)
    opened = Window(await made.new_page(), url)
    await opened.page.goto(url)
    return opened
