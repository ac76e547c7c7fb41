"""Headwater without its checkout: a wheel, and beside it an app that is a package of its own."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.kit.installed import PROJECT, ROOT, Environment, environment
from tests.kit.server import RunningServer, new_folder
from tests.kit.workers import eventually

__all__ = ["environment"]


class Outside(NamedTuple):
    """A server from the wheel, with the plug-in `errands`, and a user's client."""

    server: RunningServer
    client: httpx.Client


@pytest.fixture(scope="module")
def outside(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """`headwater app new errands`, a pyproject.toml beside it, `pip install`, `headwater serve`."""
    project = tmp_path_factory.mktemp("errands-project")
    environment.run("app", "new", "errands", folder=project)
    (project / "pyproject.toml").write_text(PROJECT.format(name="errands"))
    environment.install(project)
    shutil.rmtree(project)
    folder = new_folder()
    server = RunningServer(folder, None, "--root-app", "errands", command=environment.command)
    try:
        with server.client(server.sign_up("ada@example.com")) as client:
            yield Outside(server, client)
    finally:
        server.stop()
        shutil.rmtree(folder.parent, ignore_errors=True)


def test_nothing_of_the_checkout_is_used(environment: Environment, outside: Outside) -> None:
    said = "import headwater, errands; print(headwater.__file__, errands.__file__)"
    places = subprocess.run(
        [str(environment.python), "-I", "-c", said], capture_output=True, text=True, check=True
    ).stdout.split()
    assert all(Path(place).is_relative_to(environment.packages) for place in places), places


def test_the_wheel_brings_every_page_that_ships_with_it(environment: Environment, outside: Outside) -> None:
    def files(web: Path) -> set[str]:
        return {path.relative_to(web).as_posix() for path in web.rglob("*") if path.is_file()}

    assert files(environment.packages / "headwater" / "web") == files(ROOT / "web")
    shown = outside.client.get("/web/kit/theme.css")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert outside.client.get("/docs").status_code == 200


def test_a_plug_ins_tables_verbs_and_job_work(outside: Outside) -> None:
    kept = outside.client.post("/apps/errands/notes", json={"text": "buy some bread"})
    assert kept.status_code == 201, kept.text
    assert outside.client.get("/notes").json()[0]["id"] == kept.json()["id"]
    eventually(lambda: outside.client.get("/apps/errands/notes").json()[0]["words"] == 3)
    nothing = outside.client.post("/apps/errands/notes", json={"text": " "})
    assert (nothing.status_code, nothing.json()["error"]) == (400, "BLANK_NOTE")


@pytest.mark.parametrize("base", ["", "/apps/errands"])
def test_a_plug_ins_page_is_shown(outside: Outside, base: str) -> None:
    with outside.server.client() as stranger:
        page = stranger.get(f"{base}/")
        assert "<h1>Errands</h1>" in page.text
        assert stranger.get(f"{base}/page.js").headers["content-type"] == "text/javascript; charset=utf-8"
        assert stranger.get(f"{base}/", headers={"if-none-match": page.headers["etag"]}).status_code == 304


def test_it_is_told_of_like_every_component(outside: Outside) -> None:
    with outside.server.client(outside.server.admin_key) as admin:
        assert "errands" in admin.get("/api/metadata").json()["components"]
        assert "/apps/errands/notes" in admin.get("/openapi.json").json()["paths"]
