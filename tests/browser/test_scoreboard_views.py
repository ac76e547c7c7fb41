"""What of a board is looked at beside its first ten: pages, friends, seasons that are over, tournaments, one player."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from tests.kit.leaderboard import CROWD, Leaderboard

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="module")]


def hence(**distance: float) -> str:
    """So far from now, as the API reads it."""
    return (datetime.now(UTC) + timedelta(**distance)).isoformat()  # the server has no other clock


async def names_on(page: Page, *names: str) -> None:
    await expect(page.locator("#places .name")).to_have_text(list(names))


async def test_pages_lead_on_and_back_and_to_my_own(shared_browser: Browser, leaderboard: Leaderboard) -> None:
    crowd = await leaderboard.crowd()
    names = [player.name for player in crowd]
    window = await leaderboard.open(shared_browser, crowd[12], board=CROWD)
    page = window.page
    await expect(page.locator("#page-range")).to_have_text("1 to 10 of 14")
    await expect(page.locator("#page-before")).to_have_attribute("aria-disabled", "true")
    await page.locator("#page-after").click()
    await expect(page.locator("#page-range")).to_have_text("11 to 14 of 14")
    await names_on(page, *names[10:])
    await expect(page.locator("#page-after")).to_have_attribute("aria-disabled", "true")
    await leaderboard.give(crowd[13].id, 1, CROWD)
    await expect(page.locator("#places .score").last).to_have_text("986,001")
    await page.locator("#page-first").click()
    await names_on(page, *names[:10])
    await page.locator("#page-own").click()
    await expect(page.locator(".row.mine .name")).to_have_text(names[12])
    await expect(page.locator("#page-own")).to_be_hidden()
    await page.locator("#page-before").click()
    await names_on(page, *names[:10])
    await leaderboard.give(crowd[13].id, -1, CROWD)
    window.must_be_clean()


async def test_a_stranger_turns_pages_too_and_opens_nobody(shared_browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.crowd()
    window = await leaderboard.open(shared_browser, board=CROWD)
    await expect(window.page.locator("#views")).to_be_hidden()
    await expect(window.page.locator(".pick:visible")).to_have_count(0)
    await window.page.locator("#page-after").click()
    await expect(window.page.locator("#places .name")).to_have_count(4)
    await expect(window.page.locator("#page-own")).to_be_hidden()
    window.must_be_clean()


async def test_a_page_that_cannot_be_read_has_a_way_on(shared_browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.crowd()
    window = await leaderboard.open(shared_browser, board=CROWD)
    page = window.page
    await page.route("**/api/scoreboard?*offset=10*", lambda route: route.abort())
    await page.locator("#page-after").click()
    await expect(page.locator("#board-empty")).to_contain_text("These places cannot be shown")
    await page.unroute_all()
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("#places .name")).to_have_count(4)
    await expect(page.locator("#board-empty")).to_be_hidden()
    window.must_be_clean(forgiven=("ERR_FAILED",))


async def test_friends_are_chosen_on_the_board_and_compared(shared_browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.open_board("circle")
    me, friend, other = [
        await leaderboard.player(name, points, "circle")
        for name, points in (("sociable", 30), ("close.one", 20), ("far.one", 10))
    ]
    window = await leaderboard.open(shared_browser, me, board="circle")
    page = window.page
    await page.locator("#view-friends").click()
    await expect(page.locator("#board-empty")).to_contain_text("Press a player on the live board")
    await page.locator("#view-live").click()
    await page.get_by_role("button", name=f"More about {friend.name}").click()
    await expect(page.locator("#player-name")).to_have_text(friend.name)
    await page.locator("#player-friend").click()
    await expect(page.locator("#player-friend")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name=f"More about {friend.name}")).to_be_focused()
    await page.locator("#view-friends").click()
    await names_on(page, me.name, friend.name)
    await leaderboard.give(friend.id, 15, "circle")
    await names_on(page, friend.name, me.name)
    await expect(page.locator("#places .rank")).to_have_text(["1", "2"])
    await page.reload()
    await page.locator("#view-friends").click()
    await names_on(page, friend.name, me.name)
    await page.get_by_role("button", name=f"More about {friend.name}").click()
    await page.locator("#player-friend").click()
    await page.keyboard.press("Escape")
    await names_on(page, me.name)
    assert other.name not in await page.locator("#places").inner_text()
    window.must_be_clean()


async def test_last_seasons_winners_are_remembered(shared_browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.open_board("weekly", resets="weekly")
    winner = await leaderboard.player("champion", 90, "weekly")
    me = await leaderboard.player("runner.up", 40, "weekly")
    await leaderboard.ask_admin("POST", "/api/boards/weekly/reset")
    await leaderboard.give(me.id, 7, "weekly")
    window = await leaderboard.open(shared_browser, me, board="weekly")
    page = window.page
    await expect(page.locator("#board-rules")).to_contain_text("begins anew weekly")
    await names_on(page, me.name)
    await page.locator("#view-season").click()
    await names_on(page, winner.name, me.name)
    await expect(page.locator("#season-winner")).to_have_text("Won by champion with 90 points")
    await expect(page.locator(".row.mine .score")).to_have_text("40")
    await leaderboard.give(me.id, 1, "weekly")
    await expect(page.locator("#own-place")).to_contain_text("8 points")
    await names_on(page, winner.name, me.name)
    await page.locator("#view-live").click()
    await names_on(page, me.name)
    await expect(page.locator("#season-choice")).to_be_hidden()
    window.must_be_clean()


async def test_a_board_that_begins_anew_empties_before_the_eyes(
    shared_browser: Browser, leaderboard: Leaderboard
) -> None:
    await leaderboard.open_board("anew")
    me = await leaderboard.player("sisyphus", 12, "anew")
    window = await leaderboard.open(shared_browser, me, board="anew")
    await names_on(window.page, me.name)
    await leaderboard.ask_admin("POST", "/api/boards/anew/reset")
    await expect(window.page.locator("#board-empty")).to_contain_text("Nobody is here yet")
    await expect(window.page.locator("#own-place")).to_contain_text("not on this board yet")
    window.must_be_clean()


async def test_a_tournament_says_when_and_for_how_many(shared_browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.open_board(
        "cup", startsAt=hence(days=-1), endsAt=hence(days=1, hours=5, minutes=30), entryLimit=2
    )
    await leaderboard.open_board("next-cup", startsAt=hence(days=3, minutes=30))
    me = await leaderboard.player("entrant", 5, "cup")
    window = await leaderboard.open(shared_browser, me, board="cup")
    page = window.page
    await expect(page.locator("#terms-stage")).to_contain_text("Open, 1 d 5 h left")
    await expect(page.locator("#terms-entries")).to_have_text("1 of 2 places taken")
    await leaderboard.player("second.entrant", 3, "cup")
    await expect(page.locator("#terms-entries")).to_have_text("2 of 2 places taken · full")
    assert {"Boards", "Tournaments"} <= set(
        await page.locator("#boards optgroup").evaluate_all("(groups) => groups.map((group) => group.label)")
    )
    await page.get_by_label("Board", exact=True).select_option("next-cup")
    await expect(page.locator("#terms-stage")).to_contain_text("Opens in 3 d")
    await expect(page.locator("[data-action=win_match]")).to_have_attribute("aria-disabled", "true")
    window.must_be_clean()


async def test_a_tournament_ends_while_one_looks(shared_browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.open_board("sprint-cup", endsAt=hence(days=1))
    me = await leaderboard.player("finisher", 5, "sprint-cup")
    window = await leaderboard.open(shared_browser, me, board="sprint-cup")
    page = window.page
    await expect(page.locator("#terms-stage")).to_contain_text("left")
    await page.clock.install()
    await page.reload()
    await expect(page.locator("#terms-stage")).to_contain_text("left")
    await page.clock.fast_forward("24:00:10")
    await expect(page.locator("#terms-stage")).to_have_text("Final result")
    await expect(page.locator("#act-outcome")).to_contain_text("This board is closed")


async def test_a_player_finds_what_counted_and_turns_back(shared_browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.open_board("diary")
    me = await leaderboard.player("chronicler")
    for points in range(1, 24):
        await leaderboard.give(me.id, points, "diary")
    window = await leaderboard.open(shared_browser, me, board="diary")
    page = window.page
    await page.locator("[data-action=win_match]").click()
    await expect(page.locator("#act-outcome strong")).to_be_visible()
    await page.locator("#own-history").click()
    await expect(page.locator("#player-name")).to_be_focused()
    await expect(page.locator("#player-friend")).to_be_hidden()
    await expect(page.locator("#player-rank")).to_have_text("#1 of 1")
    await expect(page.locator("#player-score")).to_have_text("326")
    await expect(page.locator("#player-acts li")).to_have_count(20)
    await expect(page.locator("#player-acts li").first).to_contain_text("Win match")
    await page.locator("#player-more").click()
    await expect(page.locator("#player-acts li")).to_have_count(24)
    await expect(page.locator("#player-acts .after").last).to_have_text("score 1")
    await expect(page.locator("#player-more")).to_be_hidden()
    await page.get_by_role("button", name="Close", exact=True).click()
    await expect(page.locator("#own-history")).to_be_focused()
    window.must_be_clean()


async def test_rows_and_views_are_one_stop_each_and_arrows_lead_on(
    shared_browser: Browser, leaderboard: Leaderboard
) -> None:
    crowd = await leaderboard.crowd()
    window = await leaderboard.open(shared_browser, crowd[0], board=CROWD)
    page = window.page
    await expect(page.locator("#places .name")).to_have_count(10)
    for list_of in ("#views button:visible", "#places .pick"):
        assert await page.locator(list_of).evaluate_all("(all) => all.filter((one) => one.tabIndex === 0).length") == 1
    await page.locator("#view-live").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#view-friends")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Tab")
    await expect(page.locator(".pick").nth(0)).to_be_focused()
    await page.keyboard.press("End")
    await expect(page.locator(".pick").nth(9)).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await leaderboard.give(crowd[8].id, 1, CROWD)
    await expect(page.locator("#places .score").nth(8)).to_have_text("991,001")
    await expect(page.locator(".pick").nth(8)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#player-name")).to_have_text(crowd[8].name)
    await leaderboard.give(crowd[8].id, -1, CROWD)
    window.must_be_clean()


async def test_a_new_rank_is_read_out_once_it_has_settled(shared_browser: Browser, leaderboard: Leaderboard) -> None:
    await leaderboard.open_board("spoken")
    me = await leaderboard.player("listener", 10, "spoken")
    rival = await leaderboard.player("climber", 5, "spoken")
    window = await leaderboard.open(shared_browser, me, board="spoken")
    told = window.page.locator("#rank-told")
    await expect(told).to_have_text("You are in place 1")
    await leaderboard.give(rival.id, 10, "spoken")
    await expect(told).to_have_text("You are in place 2, down from 1")
    window.must_be_clean()
