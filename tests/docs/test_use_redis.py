"""The page on Redis is executed: its component installed beside a real Redis, its commands typed in."""

import re
import shutil
from collections.abc import Iterator

import pytest

from headwater.kernel.cache import CacheSettings
from headwater.kernel.redis import RedisSettings
from tests.kit.pages import Page, install_beside, known_settings, must_print, type_in
from tests.kit.redis import RedisServer
from tests.kit.server import RunningServer, new_folder
from tests.kit.workers import python_path

pytestmark = pytest.mark.needs("redis-server")
PAGE = Page("howto/use-redis.md")
EXPECTED = re.compile(r"^# (\S.*)$", re.MULTILINE)
PRELUDE = """set -euo pipefail
call() {{
  curl -fsS -X $1 {url}/apps/counting/$2 -H 'authorization: Bearer {key}'
}}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server with the page's component and a Redis."""
    redis, folder = RedisServer(), new_folder()
    [component] = PAGE.blocks("python")
    place = install_beside(folder, "counting", component)
    running = RunningServer(folder, {"PYTHONPATH": python_path(place), "HEADWATER_REDIS_URL": redis.url})
    yield running
    running.stop()
    redis.remove()
    shutil.rmtree(folder.parent, ignore_errors=True)


def test_everything_is_typed_in_and_prints_what_the_page_says(server: RunningServer) -> None:
    typed = PAGE.typed()
    script = PRELUDE.format(url=server.url, key=server.admin_key) + typed.replace("localhost:7130", server.url)
    printed = type_in(script, server.folder.parent, server.environment)
    expected = EXPECTED.findall(typed)
    assert len(expected) == 3
    must_print(printed, expected)


def test_every_metric_is_scraped(server: RunningServer) -> None:
    named = PAGE.metrics()
    assert len(named) == 4
    with server.client() as client:
        scraped = client.get("/metrics").text
    assert [name for name in named if name not in scraped] == []


def test_every_setting_is_one() -> None:
    assert PAGE.settings() <= known_settings(RedisSettings, CacheSettings)
