"""The page on backups is executed: its settings set, its night come, its commands typed in."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import httpx
import pytest

from headwater.boot.settings import variable_names
from headwater.kernel.database import DatabaseSettings
from headwater.kernel.database.archive import BackupSettings
from headwater.kernel.vault import VaultSettings
from tests.kit.server import RunningServer, new_folder

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "back-up-and-restore.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
METRIC = re.compile(r"`(headwater_\w+)")
LET_IT_BE_LATE = """
update system.timers set due = due - interval '3 days', beat = beat - interval '3 days'
where name = 'database.schedule_backup' returning rhythm
"""


def blocks(language: str) -> str:
    return "".join(text for found, text in FENCE.findall(PAGE) if found == language)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server with the page's settings, whose data folder lies where the page says."""
    told = dict(line.split("=", 1) for line in blocks("ini").splitlines())
    running = RunningServer(new_folder().with_name(".headwater"), told)
    yield running
    if running.process.poll() is None:
        running.stop()
    shutil.rmtree(running.folder.parent, ignore_errors=True)


def overdue(server: RunningServer) -> list[dict[str, Any]]:
    """Let nights have been missed."""
    with server.client(server.admin_key) as admin:
        answer = admin.post("/api/database/advance/rawsql/unrestricted", json={"query": LET_IT_BE_LATE})
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def backups(server: RunningServer) -> list[dict[str, Any]]:
    with server.client(server.admin_key) as admin:
        return admin.get("/api/database/backups").json()["backups"]


def until_backups(server: RunningServer, count: int) -> list[dict[str, Any]]:
    """Every backup, once so many are written down."""
    end = time.monotonic() + 30
    while len(told := backups(server)) < count:
        assert time.monotonic() < end, told
        time.sleep(0.1)
    return told


def test_the_page_is_typed_in(server: RunningServer) -> None:
    assert overdue(server) == [{"rhythm": "30 3 * * * (Europe/Berlin)"}]
    (made,) = until_backups(server, 1)
    assert (made["status"], made["triggerSource"], made["errorMessage"]) == ("completed", "scheduled", None)
    place = server.folder.parent
    (place / "elsewhere").mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{blocks('bash')}"],
        cwd=place,
        env={**server.environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(rf"{made['sizeBytes']}  \S*\.headwater/backups/scheduled-\S+\.backup\n", ended.stdout)
    assert len(list((place / "elsewhere").iterdir())) == 2
    (kept,) = (place / "elsewhere").glob("*.backup")
    with kept.open("r+b") as opened:
        opened.seek(1000)
        opened.write(b"damage")
    refused = subprocess.run(
        [sys.executable, "-m", "headwater", "restore", str(kept), "--replace", "--data", str(place / ".headwater-new")],
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert refused.returncode == 1
    assert "SHA-256" in refused.stderr


def test_a_failure_shows_where_the_page_says(server: RunningServer) -> None:
    known = len(backups(server))
    folder = server.folder / "backups"
    if folder.exists():
        folder.rename(folder.with_name("aside"))
    folder.write_text("no folder")
    overdue(server)
    failed = until_backups(server, known + 1)[0]
    assert (failed["status"], failed["sizeBytes"]) == ("failed", None)
    assert "File exists" in failed["errorMessage"]
    time.sleep(1.1)
    health = httpx.get(f"{server.url}/health").json()
    told = repr(health)
    assert "The scheduled backup of" in told, told
    scraped = httpx.get(f"{server.url}/metrics").text
    assert 'headwater_backups_total{outcome="failed"} 1.0' in scraped
    for metric in METRIC.findall(PAGE):
        assert metric in scraped
    assert "BackupFailed" in server.log.read_text()
    assert "database.back_up" in server.run("jobs")


def test_every_setting_is_one() -> None:
    known = {
        name
        for kind in (BackupSettings, DatabaseSettings, VaultSettings)
        for field, hint in get_type_hints(kind, include_extras=True).items()
        for name in variable_names(kind, field, hint)
    }
    assert set(re.findall(r"HEADWATER_[A-Z_]+[A-Z]", PAGE)) <= known


def test_a_cron_expression_that_is_none_refuses_the_start() -> None:
    folder = new_folder()
    ended = subprocess.run(
        [sys.executable, "-m", "headwater", "serve", "--data", str(folder), "--port", "0"],
        env={**os.environ, "HEADWATER_BACKUP_CRON": "every night"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    shutil.rmtree(folder.parent, ignore_errors=True)
    assert ended.returncode == 1
    assert "HEADWATER_BACKUP_CRON" in ended.stderr
