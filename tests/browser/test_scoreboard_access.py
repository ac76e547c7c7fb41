"""The scoreboard's page for who has no mouse, a small screen, a dark room, or no connection."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.kit.browser import Window, watched_window
from tests.kit.leaderboard import CROWD, Leaderboard, sign_in

pytestmark = pytest.mark.needs("chromium")
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
TOO_SMALL = """() => [...document.querySelectorAll("button, input, select, a")]
  .filter((one) => one.checkVisibility() && !one.matches(".skip"))
  .map((one) => [one.id || one.textContent, Math.round(one.getBoundingClientRect().height)])
  .filter(([, height]) => height < 44)"""
FOCUSED = """() => {
  const one = document.activeElement;
  return one === document.body ? ["", ""] : [one.id || one.textContent.trim(), getComputedStyle(one).outlineStyle];
}"""
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
LOST = ("WebSocket connection to", "ERR_CONNECTION_REFUSED", "ERR_FAILED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET")
"""What chromium says of a server that is not there."""


async def focused(page: Page) -> str:
    """What has the focus: its id, or its text, or nothing; and it can be seen that it has."""
    name, outline = await page.evaluate(FOCUSED)
    assert not name or outline != "none", name
    return str(name)


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until something has the focus."""
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await focused(page) == name:
            return
    raise AssertionError(f"Tab does not lead to {name}")


async def test_the_keyboard_does_everything(browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.open_board("keys")
    window = await leaderboard.open(browser, board="keys")
    page = window.page
    await page.keyboard.press("Tab")
    assert await focused(page) == "Skip to the board"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "board"
    await page.evaluate("document.activeElement.blur()")
    await tab_to(page, "way-register")
    await page.keyboard.press("Enter")
    assert await focused(page) == "username"
    await page.keyboard.type("typist")
    await tab_to(page, "email")
    await page.keyboard.type("typist@example.com")
    await tab_to(page, "password")
    await page.keyboard.type("correct horse")
    await page.keyboard.press("Enter")
    await expect(page.locator("#own-name")).to_be_focused()
    await expect(page.locator("#acts button")).to_have_count(3)
    await tab_to(page, "Win match+50")
    await page.keyboard.press("Enter")
    await expect(page.locator("#act-outcome")).to_contain_text("rank 1")
    assert await focused(page) == "Win match+50"
    window.must_be_clean()


@pytest.mark.parametrize(("width", "height"), [(360, 640), (1440, 900)])
async def test_it_fits_every_screen(browser: Browser, leaderboard: Leaderboard, width: int, height: int) -> None:
    me = (await leaderboard.crowd())[6]
    window = await leaderboard.open(browser, board=CROWD, width=width, height=height, has_touch=width < 1000)
    page = window.page
    await page.locator("#way-register").click()
    await page.locator("#enter").click()
    await expect(page.locator("#email-problem")).not_to_be_empty()
    assert await page.evaluate(TOO_WIDE) == 0
    assert await page.evaluate(TOO_SMALL) == []
    await sign_in(window, me.email)
    await page.locator("[data-action=win_match]").click()
    await expect(page.locator("#act-outcome strong")).to_be_visible()
    await expect(page.locator("#neighbours li")).to_have_count(5)
    assert await page.evaluate(TOO_WIDE) == 0
    assert await page.evaluate(TOO_SMALL) == []
    await page.locator("#own-history").click()
    await expect(page.locator("#player-acts li").first).to_be_visible()
    assert await page.evaluate(TOO_WIDE) == 0
    assert await page.evaluate(TOO_SMALL) == []
    window.must_be_clean()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_can_be_read(browser: Browser, leaderboard: Leaderboard, scheme: str) -> None:
    me = (await leaderboard.crowd())[7]
    window = await leaderboard.open(browser, board=CROWD, color_scheme=scheme, reduced_motion="reduce")
    page = window.page
    paper = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(251, 252, 252)", "dark": "rgb(15, 24, 28)"}[scheme]
    await page.locator("#enter").click()
    await expect(page.locator("#email-problem")).not_to_be_empty()
    assert await page.evaluate(CONTRAST) == []
    await sign_in(window, me.email)
    await page.locator("[data-action=win_match]").click()
    await expect(page.locator(".row.mine .gain")).to_be_visible()
    await expect(page.locator("#acts")).to_have_attribute("aria-busy", "false")
    assert await page.evaluate(CONTRAST) == []
    for opener, line in (("#own-history", "#player-acts li"), ("#bell", "#inbox-notice:not(:empty), #notices li")):
        await page.locator(opener).click()
        await expect(page.locator(line).first).to_be_visible()
        assert await page.evaluate(CONTRAST) == []
        await page.keyboard.press("Escape")
    for state in ("reconnecting", "offline"):
        await page.evaluate("(state) => { document.getElementById('link').dataset.state = state; }", state)
        assert await page.evaluate(CONTRAST) == []
    window.must_be_clean()


async def test_it_comes_back_by_itself_and_counts_what_was_lost_once(
    browser: Browser, leaderboard: Leaderboard
) -> None:
    await leaderboard.open_board("outage")
    me = await leaderboard.player("patient", 5, "outage")
    rival = await leaderboard.player("rival", 20, "outage")
    window = await leaderboard.open(browser, me, board="outage")
    page, server = window.page, leaderboard.server
    await expect(page.locator("#places .name")).to_have_text(["rival", "patient"])

    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        server.kill()
        await route.abort()

    await page.route("**/api/scoreboard/update", lose_the_answer, times=1)
    await page.locator("[data-action=win_match]").click()
    await expect(page.locator("#act-problem")).to_contain_text("The action is kept")
    await expect(page.locator("#link")).to_have_text("Reconnecting")
    await expect(page.locator("#board-notice")).to_contain_text("This is the board as of")
    await expect(page.locator("#link")).to_have_text("Offline", timeout=15_000)
    await expect(page.locator("#places .name")).to_have_count(2)

    await asyncio.to_thread(server.start, int(server.url.rsplit(":", 1)[1]))
    await leaderboard.give(rival.id, 100, "outage")
    await page.get_by_role("button", name="Try now").click()
    await expect(page.locator("#link")).to_have_text("Live")
    await expect(page.locator("#board-notice")).to_be_hidden()
    await expect(page.locator("#act-outcome")).to_contain_text("Win match brought 50 points. You now have 55 points")
    await expect(page.locator("#places .score")).to_have_text(["120", "55"])
    assert await leaderboard.score(me, "outage") == 55
    await leaderboard.give(me.id, 100, "outage")
    await expect(page.locator("#places .name")).to_have_text(["patient", "rival"])
    window.must_be_clean(forgiven=LOST)


async def test_where_no_socket_gets_through_the_board_is_shown_all_the_same(
    browser: Browser, leaderboard: Leaderboard
) -> None:
    await leaderboard.open_board("walled")
    me = await leaderboard.player("seen", 7, "walled")
    context = await browser.new_context()
    page = await context.new_page()
    await page.route_web_socket("**/ws*", lambda socket: socket.close())
    window = Window(page, leaderboard.url)
    await page.goto(leaderboard.url + "?board=walled")
    await expect(page.locator("#places .name")).to_have_text(["seen"])
    await expect(page.locator("#link")).to_have_text("Reconnecting")
    await sign_in(window, me.email)
    await page.locator("[data-action=win_match]").click()
    await expect(page.locator("#act-outcome")).to_have_text(
        "Win match brought 50 points. You now have 57 points, rank 1."
    )
    window.must_be_clean(forgiven=LOST)


async def test_without_a_server_nothing_is_pretended(browser: Browser, leaderboard: Leaderboard) -> None:
    context_url = leaderboard.url + "?board=default"
    window = await watched_window(browser, context_url, offline=False)
    page = window.page
    await expect(page.locator("#link")).to_have_text("Live")
    await page.route("**/api/**", lambda route: route.abort())
    await page.locator("#way-login").click()
    await page.get_by_label("Email").fill("somebody@example.com")
    await page.get_by_label("Password", exact=True).fill("correct horse")
    await page.locator("#enter").click()
    await expect(page.locator("#form-problem")).to_have_text("The server cannot be reached")
    window.must_be_clean(forgiven=LOST)
