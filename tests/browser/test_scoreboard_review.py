"""What looked wrong: held, told to its player, decided by an admin on a page of his own; two people at once."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.kit.browser import Window, watched_window
from tests.kit.leaderboard import Leaderboard

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="module")]
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def desk(browser: Browser, leaderboard: Leaderboard, **settings: Any) -> Window:
    """The admins' page, signed in."""
    window = await watched_window(browser, f"{leaderboard.url}review", **settings)
    await window.page.get_by_label("Admin key").fill(leaderboard.server.admin_key)
    await window.page.get_by_role("button", name="Sign in").click()
    await expect(window.page.locator("#incidents-title")).to_be_focused()
    return window


async def decide(page: Page, name: str, verb: str, note: str = "") -> None:
    """Decide the incident of a player."""
    await page.locator(".incident", has_text=name).get_by_role("button", name=verb).click()
    await expect(page.locator("#decision-title")).to_be_focused()
    await page.locator("#note").fill(note)
    await page.locator("#decide").click()
    await expect(page.locator(".incident", has_text=name)).to_have_count(0)


async def test_what_is_held_is_told_decided_and_told_again(shared_browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.open_board("watched")
    me = await leaderboard.player("under.suspicion", 5, "watched")
    admin = await desk(shared_browser, leaderboard)
    player = await leaderboard.open(shared_browser, me, board="watched")
    toast, bell = player.page.locator("#toast"), player.page.locator("#bell")
    await expect(bell).to_have_accessible_name("Notices, 1 unread")
    await leaderboard.be_held(me, "watched")
    shown = player.page.locator("#toast.shown", has_text="An action of yours is held for review")
    await expect(shown).to_be_visible()
    await expect(bell).to_have_accessible_name("Notices, 2 unread")

    incident = admin.page.locator(".incident", has_text=me.name)
    await expect(incident).to_contain_text("points held, 1 action")
    await expect(incident).to_contain_text("Watched")
    await incident.locator("summary").click()
    await expect(incident.locator("tbody tr")).to_have_count(1)
    await decide(admin.page, me.name, "Release", "he told us")

    await expect(toast).to_contain_text("What was held counts now")
    await expect(player.page.locator("#own-place")).to_contain_text("55 points")
    await bell.click()
    await expect(player.page.locator("#notices strong")).to_have_text(
        ["New: What was held counts now", "New: An action of yours is held for review", "New: You lead the board"]
    )
    await expect(player.page.locator("#notices small").first).to_contain_text("Watched · just now")
    await player.page.keyboard.press("Escape")
    await expect(bell).to_be_focused()
    await expect(bell).to_have_accessible_name("Notices")
    await admin.page.get_by_role("tab", name="Released").click()
    await expect(admin.page.locator(".incident", has_text=me.name)).to_contain_text("he told us")
    for window in (admin, player):
        window.must_be_clean()


async def test_what_is_upheld_never_counts_and_a_player_is_hidden(
    shared_browser: Browser, leaderboard: Leaderboard
) -> None:
    await leaderboard.open_board("strict")
    me = await leaderboard.player("real.cheat", 5, "strict")
    await leaderboard.be_held(me, "strict")
    admin = await desk(shared_browser, leaderboard)
    player = await leaderboard.open(shared_browser, me, board="strict")
    incident = admin.page.locator(".incident", has_text=me.name)
    await incident.get_by_role("button", name="Hide from the boards").click()
    await expect(incident.locator("h3 .tag")).to_have_text("hidden")
    await expect(player.page.locator("#board-empty")).to_contain_text("Nobody is here yet")
    await expect(player.page.locator("#own-place")).to_contain_text("Your name is hidden from the boards")
    await incident.get_by_role("button", name="Show on the boards").click()
    await expect(player.page.locator(".row.mine")).to_have_count(1)

    await decide(admin.page, me.name, "Uphold")
    await expect(player.page.locator("#toast")).to_contain_text("What was held does not count")
    assert await leaderboard.score(me, "strict") == 5
    await admin.page.get_by_role("tab", name="Upheld").click()
    await expect(admin.page.locator(".incident", has_text=me.name).locator("[data-decision]")).to_have_count(0)
    for window in (admin, player):
        window.must_be_clean()


async def test_a_decision_comes_too_late(shared_browser: Browser, leaderboard: Leaderboard) -> None:
    me = await leaderboard.player("twice.judged")
    await leaderboard.open_board("court")
    await leaderboard.be_held(me, "court")
    one = await desk(shared_browser, leaderboard)
    two = await desk(shared_browser, leaderboard)
    await two.page.locator(".incident", has_text=me.name).get_by_role("button", name="Uphold").click()
    await decide(one.page, me.name, "Release")
    await two.page.locator("#decide").click()
    await expect(two.page.locator("#decision-problem")).to_contain_text("was released by")
    await two.page.get_by_role("button", name="Cancel").click()
    await expect(two.page.locator(".incident", has_text=me.name)).to_have_count(0)


async def test_only_admins_come_in(shared_browser: Browser, leaderboard: Leaderboard) -> None:
    window = await watched_window(shared_browser, f"{leaderboard.url}review/")
    page = window.page
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#door-problem")).to_have_text("Please fill this in")
    await page.get_by_label("Admin key").fill(leaderboard.server.anon_key)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#door-problem")).to_have_text("This is not the admin key.")
    await page.get_by_role("button", name="Password").click()
    await page.get_by_label("Name").fill("admin")
    await page.get_by_label("Password", exact=True).fill("guess")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#door-problem")).to_have_text("This name and password do not belong together.")
    await expect(page.locator("#incidents")).to_be_hidden()
    await page.evaluate("sessionStorage.setItem('scoreboard.reviewer', 'of-yesterday')")
    await page.reload()
    await expect(page.locator("#door-notice")).to_have_text("Your session has ended. Please sign in again.")
    window.must_be_clean(forgiven=("WebSocket connection to",))


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_desk_fits_and_can_be_read(shared_browser: Browser, leaderboard: Leaderboard, scheme: str) -> None:
    await leaderboard.open_board(f"desk-{scheme}")
    me = await leaderboard.player(f"read.in.{scheme}")
    await leaderboard.be_held(me, f"desk-{scheme}")
    window = await desk(
        shared_browser, leaderboard, width=360, height=640, color_scheme=scheme, reduced_motion="reduce"
    )
    incident = window.page.locator(".incident", has_text=me.name)
    await incident.locator("summary").click()
    await expect(incident.locator("tbody tr")).to_have_count(1)
    assert await window.page.evaluate(TOO_WIDE) == 0
    assert await window.page.evaluate(CONTRAST) == []
    await incident.get_by_role("button", name="Uphold").click()
    assert await window.page.evaluate(CONTRAST) == []
    await window.page.keyboard.press("Escape")
    await expect(incident.get_by_role("button", name="Uphold")).to_be_focused()
    window.must_be_clean()
