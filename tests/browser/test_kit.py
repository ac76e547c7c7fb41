"""What pages share, in a real browser, under the policy that pages are served with."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, Page, WebSocketRoute

from headwater.boot.pages import KIT, PageSettings, ShownFolder, find_folder
from headwater.flow import BoundEndpoint
from headwater.kernel.component import PLATFORM_ENVELOPE, Envelope
from headwater.kernel.errors import InvalidInput
from headwater.kernel.sockets import CloseReason
from tests.kit.browser import window
from tests.kit.house import endpoint
from tests.kit.sockets import Served, served, until
from tests.kit.tally_app import ENVELOPE

pytestmark = pytest.mark.needs("chromium")
INDEX = """<!doctype html><title>kit</title><link rel="icon" href="data:,"><p id="told"></p>
<script>window.ranInline = true</script><p onclick="window.ranInline = true"></p>"""


class Body(msgspec.Struct):
    """What the echo is asked."""

    text: str


async def _echo(_tx: object, _principal: object, body: Body) -> object:
    if not body.text:
        raise InvalidInput(reason="text: is empty", headers={"Retry-After": "7"})
    return {"text": body.text}


def _bound(path: str, envelope: Envelope) -> BoundEndpoint:
    declared = endpoint("POST", path, _echo, body=Body, envelope=envelope)
    return BoundEndpoint(declared=declared, operation=_echo, guard=None, address_limits=(), principal_limits=())


@asynccontextmanager
async def opened(browser: Browser, folder: Path) -> AsyncGenerator[tuple[Served, Page]]:
    """A page with nothing in it, and the server it came from."""
    (folder / "index.html").write_text(INDEX)
    async with served() as running:
        routes, settings = running.house.routes, PageSettings()
        ShownFolder(find_folder("headwater", KIT), "/web/kit", (), settings, PLATFORM_ENVELOPE).lay(routes, "/web/kit")
        ShownFolder(folder, "/apps/kit", (), settings, PLATFORM_ENVELOPE).lay(routes, "/apps/kit")
        routes.add("/apps/kit/plain", _bound("/apps/kit/plain", PLATFORM_ENVELOPE))
        routes.add("/apps/kit/wrapped", _bound("/apps/kit/wrapped", ENVELOPE))
        yield running, await window(browser, f"http://127.0.0.1:{running.port}/apps/kit/")


async def test_requests_open_their_envelope_or_throw_a_refusal(browser: Browser, tmp_path: Path) -> None:
    async with opened(browser, tmp_path) as (_, page):
        told = await page.evaluate(
            """async () => {
              const { createApi, successEnvelope, Refusal } = await import("/web/kit/api.js");
              const tried = async (call, path, body) => {
                try { return await call("POST", path, body); }
                catch (refusal) {
                  if (!(refusal instanceof Refusal)) throw refusal;
                  return [refusal.code, refusal.message, refusal.status, refusal.retryAfter];
                }
              };
              const plain = createApi(), wrapped = createApi({ envelope: successEnvelope });
              const nowhere = createApi({ base: "http://127.0.0.1:1/" });
              return [
                await tried(plain, "plain", { text: "a" }), await tried(wrapped, "wrapped", { text: "a" }),
                await tried(plain, "plain", { text: "" }), await tried(wrapped, "wrapped", { text: "" }),
                await tried(plain, "missing", {}), await tried(nowhere, "plain", {}),
              ];
            }"""
        )
        assert told[:4] == [
            {"text": "a"},
            {"text": "a"},
            ["INVALID_INPUT", "text: is empty", 400, 7],
            ["INVALID_INPUT", "text: is empty", 400, 7],
        ]
        assert told[4][0] == "NOT_FOUND" and told[4][2] == 404
        assert told[5] == ["OFFLINE", "The server cannot be reached", 0, None]


async def until_it_is(page: Page, expression: str) -> None:
    """Return once it is true on the page; `wait_for_function` looks again by `eval`, which the policy bars."""
    async with asyncio.timeout(30):
        while not await page.evaluate(expression):  # noqa: ASYNC110 - the page is asked
            await asyncio.sleep(0.01)


async def test_a_socket_comes_back_until_it_is_closed(browser: Browser, tmp_path: Path) -> None:
    async with opened(browser, tmp_path) as (running, page):
        await page.evaluate(
            """async () => {
              const { Live, liveUrl } = await import("/web/kit/live.js");
              window.states = []; window.heard = [];
              window.live = new Live(liveUrl("/ws/plain?token=good"), { token: () => "good" });
              live.addEventListener("state", ({ detail }) => states.push(detail));
              live.addEventListener("message", ({ detail }) => heard.push(detail));
              live.open(); live.open();
            }"""
        )
        hall = running.plain
        await until(lambda: hall.opened_sockets)
        assert hall.handshakes[0].subprotocols == ["bearer.good"]
        hall.opened_sockets[0].close(CloseReason.SHUTDOWN)
        await until(lambda: len(hall.opened_sockets) == 2)
        await until_it_is(page, "live.state === 'open'")
        assert await page.evaluate("live.send({ type: 'echo', text: 'hi' })") is True
        await until_it_is(page, "heard.length === 1")
        assert await page.evaluate("heard[0]") == {"type": "echo", "text": "hi"}
        await page.evaluate("live.close()")
        await until(lambda: len(hall.closings) == 2)
        assert await page.evaluate("[live.send({}), ...states]") == [
            False,
            *("connecting", "open", "waiting", "connecting", "open", "closed"),
        ]


async def test_a_socket_that_died_without_a_word_is_noticed(browser: Browser, tmp_path: Path) -> None:
    async with opened(browser, tmp_path) as (_, page):
        opened_ones: list[WebSocketRoute] = []
        said: list[str] = []

        def take(socket: WebSocketRoute) -> None:
            opened_ones.append(socket)
            socket.on_message(lambda text: said.append(str(text)))

        await page.route_web_socket("**/silent", take)
        await page.clock.install()
        await page.evaluate(
            """async () => {
              const { Live, liveUrl } = await import("/web/kit/live.js");
              window.live = new Live(liveUrl("silent"), { ping: { type: "ping" } });
              live.open();
            }"""
        )
        await until_it_is(page, "live.state === 'open'")
        await page.clock.run_for(20_000)
        await until(lambda: said == ['{"type":"ping"}'])
        opened_ones[0].send('{"type":"pong"}')
        await page.clock.run_for(15_000)
        assert await page.evaluate("live.state") == "open"
        await page.clock.run_for(5_000)
        await until(lambda: len(said) == 2)
        await page.clock.run_for(8_000)
        assert await page.evaluate("live.state") == "waiting"
        await page.clock.run_for(500)
        await until_it_is(page, "live.state === 'open'")
        assert len(opened_ones) == 2
        await page.evaluate("dispatchEvent(new Event('offline'))")
        await until(lambda: len(said) == 3)
        await page.evaluate("live.close()")


async def test_what_comes_from_elsewhere_is_text(browser: Browser, tmp_path: Path) -> None:
    async with opened(browser, tmp_path) as (_, page):
        told = await page.evaluate(
            """async () => {
              const { element, fill, byId } = await import("/web/kit/elements.js");
              const evil = "<img src=x onerror='window.ranInline = true'>";
              const pressed = element("button", { onclick: () => { window.pressed = true; }, disabled: false }, evil);
              fill(byId("told"), pressed, null, false, 0, [element("i", { class: "soft", hidden: true })]);
              pressed.click();
              return [byId("told").textContent, byId("told").children.length, window.pressed];
            }"""
        )
        assert told == ["<img src=x onerror='window.ranInline = true'>0", 2, True]


async def test_a_script_inside_a_page_does_not_run(browser: Browser, tmp_path: Path) -> None:
    async with opened(browser, tmp_path) as (_, page):
        await page.locator("p[onclick]").dispatch_event("click")
        assert await page.evaluate("window.ranInline === undefined") is True
