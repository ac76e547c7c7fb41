"""The tutorial is done: its files written, its commands typed in, the app used, and at the end installed elsewhere."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser

from tests.house.test_components_are_alike import violations
from tests.kit.browser import browser, window
from tests.kit.installed import ROOT, Environment
from tests.kit.server import RunningServer, new_folder
from tests.kit.sockets import upgraded

__all__ = ["browser"]
PAGE = (ROOT / "docs" / "tutorial" / "your-first-app.md").read_text("utf-8")
BLOCK = re.compile(r"(?:^`(?P<path>[\w./-]+)`\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
CHECKOUT = ("src", "web", "tests", "conftest.py", "pyproject.toml")
ALONE = {"PYTHONPATH": ""}


class Pupil:
    """Somebody with a clone of his own, who does what the page says; `printed` is what each command told him."""

    def __init__(self, place: Path) -> None:
        self.clone = place / "headwater"
        self.clone.mkdir()
        for name in CHECKOUT:
            whole = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            whole(ROOT / name, self.clone / name)
        self.app = self.clone / "src" / "headwater" / "apps" / "shelf"
        self.environment = Environment(self.clone / ".venv")
        self.environment.stand_for(self.clone)
        self.printed: list[str] = []
        self.blocks = list(BLOCK.finditer(PAGE))
        self.server: RunningServer | None = None

    def go_on(self, until: str) -> None:
        """Do the blocks that come next, up to and without the first of that language, which is left out."""
        while self.blocks:
            block = self.blocks.pop(0)
            if block["language"] == until:
                return
            if block["language"] == "bash":
                self.printed.append(self.type_in(block["text"]))
            else:
                assert block["path"], block["text"]
                self.write(block["path"], block["text"])

    def write(self, path: str, text: str) -> None:
        """Write a file of the app, or of the project that it becomes."""
        folder = self.clone if path.startswith("shelf-project/") else self.app
        (folder / path).write_text(text, "utf-8")

    def type_in(self, script: str) -> str:
        """What bash prints for a script, which must not fail anywhere."""
        ended = subprocess.run(
            ["bash", "-c", f"set -euo pipefail\n{script}"],
            cwd=self.clone,
            env={**os.environ, **ALONE},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def serve(self) -> RunningServer:
        """`make serve`, as far as the commands can tell."""
        command = (str(self.clone / ".venv" / "bin" / "headwater"),)
        limited = {**ALONE, "HEADWATER_FLOW_LIMITS_FACTOR": "1"}  # the tutorial meets a limit of its own
        self.server = RunningServer(self.clone / ".headwater", limited, command=command)
        return self.server

    def stop(self) -> None:
        """End the server."""
        if self.server is not None:
            self.server.stop()
            self.server = None


@pytest.fixture(scope="module")
def pupil() -> Iterator[Pupil]:
    """Somebody who has come to where the server is started."""
    place = new_folder().parent
    pupil = Pupil(place)
    try:
        pupil.go_on(until="sh")
        pupil.serve()
        yield pupil
    finally:
        pupil.stop()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def server(pupil: Pupil) -> RunningServer:
    """The server that was started last."""
    assert pupil.server is not None
    return pupil.server


async def test_what_is_typed_in_is_answered_and_heard(pupil: Pupil, server: RunningServer) -> None:
    rules, verbs = pupil.printed[1:]
    assert "2 passed" in rules and "5 passed" in verbs
    _, watcher = await upgraded(int(server.url.rpartition(":")[2]), "/apps/shelf/ws")
    [typed] = [block["text"] for block in pupil.blocks if "apps/shelf/things -d" in block["text"]]
    pupil.blocks = pupil.blocks[1:]

    printed = await asyncio.to_thread(pupil.type_in, typed)

    lent, refused = map(json.loads, printed.splitlines())
    assert lent["name"] == "Ladder" and lent["due"]
    assert refused["error"] == "ALREADY_LENT"
    heard = await watcher.json()
    assert (heard["type"], heard["thing_id"], heard["due"][:19]) == ("ThingLent", lent["id"], lent["due"][:19])
    await watcher.close()
    jobs = {job["name"]: job for job in json.loads(server.run("jobs", "--json"))["jobs"]}
    assert jobs["shelf.remind_borrower"]["nextRun"] is not None


@pytest.mark.needs("chromium")
async def test_two_windows_see_the_ladder_go_from_hand_to_hand(server: RunningServer, browser: Browser) -> None:
    olgas, pauls = [await window(browser, f"{server.url}/apps/shelf/", 390, 780) for _ in range(2)]
    for page, name in ((olgas, "olga"), (pauls, "paul")):
        await page.get_by_label("Email").fill(f"{name}@example.com")
        await page.get_by_label("Password").fill("correct horse battery")
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_label("A thing you can lend").wait_for()
    await olgas.get_by_text("lent until").wait_for()
    await pauls.get_by_role("button", name="Give back").click()
    await olgas.get_by_role("button", name="Borrow").click()
    await pauls.get_by_text("lent until").wait_for()
    await olgas.get_by_role("button", name="Give back").wait_for()


def test_a_limit_and_a_bad_name_are_refused(server: RunningServer) -> None:
    with server.client(server.sign_up("quinn@example.com")) as client:
        answers = [client.post("/apps/shelf/things", json={"name": name}) for name in ("", *"abcde")]
    assert [answer.status_code for answer in answers] == [400, 201, 201, 201, 201, 429]


def test_the_app_is_as_tidy_as_ours(pupil: Pupil) -> None:
    assert violations(pupil.app) == []
    for command in (["check"], ["format", "--check"]):
        ruff = [str(Path(sys.executable).parent / "ruff"), *command, "--config", str(ROOT / "pyproject.toml"), "."]
        checked = subprocess.run(ruff, cwd=pupil.app, check=False, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout


def test_at_the_end_it_is_a_package_with_everything_that_was_on_it(pupil: Pupil) -> None:
    pupil.stop()
    pupil.go_on(until="nothing")
    assert not pupil.app.exists()
    shutil.rmtree(pupil.clone / "shelf-project")
    server = pupil.serve()
    assert "Ladder" in [thing["name"] for thing in httpx.get(f"{server.url}/apps/shelf/things").json()]
    assert "<h1>The shelf</h1>" in httpx.get(f"{server.url}/apps/shelf/").text


def test_every_block_is_done() -> None:
    blocks = list(BLOCK.finditer(PAGE))
    assert len(blocks) == PAGE.count("\n```") / 2
    assert [block["text"] for block in blocks if block["language"] == "sh"] == ["make serve\n"]
    assert all(block["path"] for block in blocks if block["language"] not in {"bash", "sh"})
