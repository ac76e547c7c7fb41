"""The page on Redis is executed: its component installed beside a real Redis, its commands typed in."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

from headwater.boot.settings import variable_names
from headwater.kernel.cache import CacheSettings
from headwater.kernel.redis import RedisSettings
from tests.kit.redis import RedisServer
from tests.kit.server import RunningServer, new_folder
from tests.kit.workers import python_path

pytestmark = pytest.mark.needs("redis-server")
PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "use-redis.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"^# (\S.*)$", re.MULTILINE)
METRIC = re.compile(r"^\| `(headwater_\w+)` ", re.MULTILINE)
PRELUDE = """set -euo pipefail
call() {{
  curl -fsS -X $1 {url}/apps/counting/$2 -H 'authorization: Bearer {key}'
}}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server with the page's component and a Redis."""
    redis, folder = RedisServer(), new_folder()
    place = folder.with_name("plug-in")
    about = place / "counting-1.dist-info"
    about.mkdir(parents=True)
    [component] = [text for language, text in FENCE.findall(PAGE) if language == "python"]
    (place / "counting").mkdir()
    (place / "counting" / "__init__.py").write_text(component)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: counting\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[headwater.components]\ncounting = counting:COMPONENT\n")
    running = RunningServer(folder, {"PYTHONPATH": python_path(place), "HEADWATER_REDIS_URL": redis.url})
    yield running
    running.stop()
    redis.remove()
    shutil.rmtree(folder.parent, ignore_errors=True)


def test_everything_is_typed_in_and_prints_what_the_page_says(server: RunningServer) -> None:
    typed = "".join(text for language, text in FENCE.findall(PAGE) if language == "bash")
    script = PRELUDE.format(url=server.url, key=server.admin_key) + typed.replace("localhost:7130", server.url)
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=server.folder.parent,
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    expected = EXPECTED.findall(typed)
    assert len(expected) == 3
    lines = iter(ended.stdout.splitlines())
    assert [text for text in expected if text not in lines] == [], ended.stdout


def test_every_metric_is_scraped(server: RunningServer) -> None:
    named = METRIC.findall(PAGE)
    assert len(named) == 4
    with server.client() as client:
        scraped = client.get("/metrics").text
    assert [name for name in named if name not in scraped] == []


def test_every_setting_is_one() -> None:
    known = {
        name
        for kind in (RedisSettings, CacheSettings)
        for field, hint in get_type_hints(kind, include_extras=True).items()
        for name in variable_names(kind, field, hint)
    }
    assert set(re.findall(r"HEADWATER_[A-Z_]+", PAGE)) <= known
