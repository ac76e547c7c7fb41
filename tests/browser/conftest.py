"""A real browser for the tests of pages."""

from tests.kit.browser import browser, shared_browser
from tests.kit.leaderboard import leaderboard

__all__ = ["browser", "leaderboard", "shared_browser"]
