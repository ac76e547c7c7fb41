"""The scoreboard's page, as people use it: two at once, on one board that moves."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.kit.browser import Window
from tests.kit.leaderboard import CROWD, Leaderboard, sign_in

pytestmark = pytest.mark.needs("chromium")
NOTE_MOVES = """() => {
window.moves = 0;
const animate = Element.prototype.animate;
Element.prototype.animate = function (...given) {
  if (this.matches(".row") && given[0][0].transform) window.moves += 1;
  return animate.apply(this, given);
}; }"""
RUNNING = """
document.getAnimations().filter((one) => one.playState === "running")
  .map((one) => one.effect.getComputedTiming().duration).filter((milliseconds) => milliseconds > 1)
"""
"""How long what moves takes; the least moment, which stands for no time at all, is nothing that moves."""
EVIL = "<img src=x onerror=\"window.ranInline = true\"><b onclick='ranInline = true'>me</b>"


async def act(page: Page, action_type: str = "win_match") -> None:
    """Complete an action, and see what it brought."""
    async with page.expect_response("**/api/scoreboard/update"):
        await page.locator(f"[data-action={action_type}]").click()
    await expect(page.locator("#act-outcome strong")).to_be_visible()
    await expect(page.locator("#acts")).to_have_attribute("aria-busy", "false")


async def must_stand(page: Page, rank: int) -> None:
    await expect(page.locator(".summit strong")).to_have_text(f"#{rank}")


async def register(window: Window, username: str, email: str, password: str = "correct horse") -> None:
    page = window.page
    await page.locator("#way-register").click()
    await page.get_by_label("Name on the board").fill(username)
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.locator("#enter").click()


async def test_two_players_see_one_board_move(browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.open_board("duel")
    bob = await leaderboard.player("bob")
    one = await leaderboard.open(browser, board="duel")
    two = await leaderboard.open(browser, bob, board="duel")
    await expect(two.page.locator("#board-empty")).to_contain_text("Nobody is here yet")
    for window in (one, two):
        await window.page.evaluate(NOTE_MOVES)
        await window.page.evaluate("window.neverReloaded = true")
    await register(one, "alice", "alice@example.com")
    await expect(one.page.locator("#own-place")).to_contain_text("not on this board yet")

    await act(one.page)
    await expect(one.page.locator("#act-outcome")).to_have_text(
        "Win match brought 50 points. You now have 50 points, rank 1."
    )
    await expect(two.page.locator("#places .name")).to_have_text(["alice"])
    await expect(two.page.locator("#board-empty")).to_be_hidden()
    await must_stand(one.page, 1)

    await act(two.page)
    await must_stand(two.page, 2)
    await expect(two.page.locator("#own-place")).to_contain_text("Level with alice, who was there first")
    await act(two.page, "daily_visit")
    for window in (one, two):
        await expect(window.page.locator("#places .name")).to_have_text(["bob", "alice"])
        await expect(window.page.locator("#places .score")).to_have_text(["55", "50"])
        await expect(window.page.locator("#places .rank")).to_have_text(["1", "2"])
        assert await window.page.evaluate("[window.neverReloaded, window.moves >= 2]") == [True, True]
        window.must_be_clean()
        assert sum(path.endswith("/api/boards") for path in window.asked) <= 2, "a change of the board asks for nothing"
    await must_stand(one.page, 2)
    await must_stand(two.page, 1)
    await expect(two.page.locator("#act-outcome")).to_contain_text("rank 1, up 1")
    await expect(one.page.locator(".row.mine .name")).to_have_text("alice")
    await expect(two.page.locator(".row.mine .name")).to_have_text("bob")
    await expect(two.page.locator(".row.mine")).to_have_attribute("aria-current", "true")


async def test_nothing_moves_for_who_wants_it_still(browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.open_board("still")
    first = await leaderboard.player("first", 10, "still")
    second = await leaderboard.player("second", 5, "still")
    window = await leaderboard.open(browser, first, board="still", reduced_motion="reduce")
    await expect(window.page.locator("#places .name")).to_have_text(["first", "second"])
    await window.page.evaluate(NOTE_MOVES)
    await leaderboard.give(second.id, 10, "still")
    await expect(window.page.locator("#places .name")).to_have_text(["second", "first"])
    assert await window.page.evaluate("window.moves") == 0
    assert await window.page.evaluate(RUNNING) == []
    window.must_be_clean()


async def test_my_place_and_my_neighbours_beyond_the_first_ten(browser: Browser, leaderboard: Leaderboard) -> None:
    crowd = await leaderboard.crowd()
    names = [player.name for player in crowd]
    window = await leaderboard.open(browser, crowd[11], board=CROWD)
    page = window.page
    await must_stand(page, 12)
    await expect(page.locator("#own-place")).to_contain_text("of 14 players")
    await expect(page.locator("#own-place")).to_contain_text("1,000 points behind rival.11")
    await expect(page.locator("#neighbours .name")).to_have_text(names[9:14])
    await expect(page.locator("#neighbours .gap")).to_have_text(["+2,000", "+1,000", "988,000", "−1,000", "−2,000"])
    await expect(page.locator("#neighbours .mine .name")).to_have_text("rival.12")
    await expect(page.locator("#places .name")).to_have_text(names[:10])
    assert await page.locator(".row.mine").count() == 0
    await leaderboard.give(crowd[13].id, 2500, CROWD)
    await must_stand(page, 13)
    await expect(page.locator("#neighbours .name")).to_have_text(["rival.11", "rival.14", "rival.12", "rival.13"])
    window.must_be_clean()


async def test_a_name_is_text(browser: Browser, leaderboard: Leaderboard) -> None:
    """Defect 15 of the original: its page put names into the page as HTML."""
    await leaderboard.open_board("names")
    await leaderboard.player(EVIL, 20, "names")
    me = await leaderboard.player("harmless", 10, "names")
    window = await leaderboard.open(browser, me, board="names")
    page = window.page
    await expect(page.locator("#places .name")).to_have_text([EVIL, "harmless"])
    await expect(page.locator("#own-place")).to_contain_text(f"10 points behind {EVIL}")
    await expect(page.locator("#neighbours .name")).to_have_text([EVIL, "harmless"])
    assert await page.locator("main img, main b").count() == 0
    assert await page.evaluate("window.ranInline === undefined") is True
    window.must_be_clean()


async def test_a_board_is_chosen_and_remembered(browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.open_board("sprint", operator="best", entryLimit=9)
    await leaderboard.open_board("over", startsAt="2020-01-01T00:00:00Z", endsAt="2020-02-01T00:00:00Z")
    me = await leaderboard.player("chooser")
    window = await leaderboard.open(browser, me)
    page = window.page
    await page.get_by_label("Board", exact=True).select_option("sprint")
    await expect(page.locator("#board-title")).to_have_text("Sprint")
    await expect(page.locator("#board-rules")).to_contain_text("The best result counts")
    await expect(page.locator("#terms-entries")).to_have_text("0 of 9 places taken")
    await act(page)
    await expect(page.locator("#places .score")).to_have_text(["50"])
    await act(page, "daily_visit")
    await expect(page.locator("#act-outcome")).to_have_text(
        "Daily visit brought 5 points. Your score stays 50, rank 1."
    )
    assert await leaderboard.score(me, "sprint") == 50
    assert await leaderboard.score(me) == 0
    await page.reload()
    await expect(page.locator("#board-title")).to_have_text("Sprint")
    await expect(page.locator("#own-name")).to_have_text("chooser")
    await page.get_by_label("Board", exact=True).select_option("over")
    await expect(page.locator("#terms-stage")).to_have_text("Final result")
    await expect(page.locator("#act-outcome")).to_contain_text("This board is closed")
    await expect(page.locator("[data-action=win_match]")).to_have_attribute("aria-disabled", "true")
    window.must_be_clean()


async def test_refusals_stand_beside_their_field(browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.player("settled")
    window = await leaderboard.open(browser)
    page = window.page

    async def must_complain(field: str, sentence: str) -> None:
        await expect(page.locator(f"#{field}-problem")).to_contain_text(sentence)
        await expect(page.locator(f"#{field}")).to_have_attribute("aria-invalid", "true")
        await expect(page.locator(f"#{field}")).to_be_focused()

    await register(window, "", "", "")
    await must_complain("username", "Please fill this in")
    await expect(page.locator("#password-problem")).to_have_text("Please fill this in")
    await register(window, "ab", "new@example.com")
    await must_complain("username", "At least 3 characters")
    await register(window, "no spaces", "new@example.com")
    await must_complain("username", "Only letters, digits")
    await register(window, "newcomer", "nowhere")
    await must_complain("email", "This is not an email address")
    await register(window, "newcomer", "new@example.com", "12345")
    await must_complain("password", "characters")
    await register(window, "SETTLED", "new@example.com")
    await expect(page.locator("#form-problem")).to_have_text("This username or email is taken")
    await expect(page.locator("#own")).to_be_hidden()
    await sign_in(window, "new@example.com", "wrong password")
    await expect(page.locator("#form-problem")).to_have_text("This email and password do not belong together.")
    await page.locator("#way-register").click()
    await expect(page.locator("#form-problem")).to_be_empty()
    window.must_be_clean()


async def test_a_session_that_was_ended_elsewhere_is_ended_here(browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.open_board("ending")
    me = await leaderboard.player("leaver", 5, "ending")
    window = await leaderboard.open(browser, me, board="ending")
    page = window.page
    kept = "JSON.parse(localStorage.getItem('scoreboard.session'))?.token ?? null"
    token = await page.evaluate(kept)
    await leaderboard.sign_out(me._replace(token=token))
    await expect(page.locator("#door-notice")).to_have_text("Your session has ended. Please sign in again.")
    await expect(page.locator("#own")).to_be_hidden()
    await expect(page.locator("#near")).to_be_hidden()
    await expect(page.locator(".row.mine")).to_have_count(0)

    await sign_in(window, me.email)
    await expect(page.locator("#own-name")).to_be_focused()
    token = await page.evaluate(kept)
    async with page.expect_response("**/api/auth/logout"):
        await page.get_by_role("button", name="Sign out").click()
    await expect(page.locator("#door-title")).to_be_focused()
    assert await page.evaluate(kept) is None
    with pytest.raises(Exception, match="401"):
        await leaderboard.score(me._replace(token=token))
    window.must_be_clean()


async def test_who_is_too_quick_is_told_how_long_to_wait(browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.open_board("quick")
    me = await leaderboard.player("hasty")
    window = await leaderboard.open(browser, me, board="quick")
    page = window.page
    await leaderboard.spend_updates(me)
    await page.locator("[data-action=daily_visit]").click()
    await expect(page.locator("#act-problem")).to_contain_text("That was quick")
    await expect(page.locator("#act-outcome")).to_contain_text("Ready again in")
    await expect(page.locator("[data-action=daily_visit]")).to_have_attribute("aria-disabled", "true")
    window.must_be_clean()
