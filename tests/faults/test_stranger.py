"""A stranger with a fresh clone: `make serve` in a home that is nobody else's business, and it stays so."""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from headwater.kernel.database.embedded.leftovers import processes_of
from headwater.kernel.database.embedded.placement import known_cluster

ROOT = Path(__file__).parents[2]
READY_WITHIN = 300.0
"""Seconds for a virtual environment, every wheel and the first start."""
ENDS_WITHIN = 15.0
FOREIGN = ("HEADWATER_", "VIRTUAL_ENV", "PYTHON", "XDG_", "MAKE", "MFLAGS", "PYTEST_")


@pytest.fixture
def checkout() -> Iterator[Path]:
    """What a clone would hold, in a home of mode 700, in a temporary folder of mode 700."""
    tree = Path(tempfile.mkdtemp(prefix="hwstranger"))
    place = tree / "home" / "checkout"
    place.mkdir(parents=True)
    for folder in (tree, tree / "home", place):
        folder.chmod(0o700)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    yield place
    cluster = known_cluster(place / ".headwater")
    if place not in cluster.parents:
        shutil.rmtree(cluster.parent)
    shutil.rmtree(tree)


def modes_above(folder: Path) -> dict[Path, tuple[int, int, int]]:
    """Mode and owner of a folder and of every one above it."""
    found = {each: each.stat() for each in (folder, *folder.parents)}
    return {each: (stat.S_IMODE(one.st_mode), one.st_uid, one.st_gid) for each, one in found.items()}


def test_make_serve_in_a_fresh_clone(checkout: Path) -> None:
    before = modes_above(checkout)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    output = checkout.parent / "output"
    began = time.monotonic()
    with output.open("wb") as said:
        made = subprocess.Popen(
            ["make", "serve", "ARGS=--port 0"],
            cwd=checkout,
            env={**environment, "HOME": str(checkout.parent)},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        url = _url_once_ready(made, checkout / ".headwater" / "server.url", output)
        print(f"\nready after {time.monotonic() - began:.1f} s")
        assert httpx.get(url + "/docs").status_code == 200
        cluster = known_cluster(checkout / ".headwater")
        told = output.read_text()
        assert f"Headwater answers at  {url}" in told
        if os.geteuid() == 0:
            assert checkout not in cluster.parents
            assert f"The database lies in  {cluster}" in told
        assert processes_of(cluster)
        assert modes_above(checkout) == before
    finally:
        os.killpg(made.pid, signal.SIGTERM)
        made.wait(ENDS_WITHIN)
    _wait_until_gone(cluster)
    assert modes_above(checkout) == before
    assert "Traceback" not in output.read_text()


def _url_once_ready(made: subprocess.Popen[bytes], address: Path, output: Path) -> str:
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end and made.poll() is None:
        try:
            url = address.read_text().strip()
            if httpx.get(url + "/ready").status_code == 200:
                return url
        except (OSError, httpx.HTTPError):
            time.sleep(0.2)
    raise AssertionError(output.read_text()[-4000:])


def _wait_until_gone(cluster: Path) -> None:
    end = time.monotonic() + ENDS_WITHIN
    while processes_of(cluster):
        assert time.monotonic() < end, "the database goes on"
        time.sleep(0.1)
