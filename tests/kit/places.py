"""Where a run's folders lie: in one folder of its own, in memory where there is room, gone when the run ends."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
ROOM = 3 * 2**30
RUN_PLACE = pytest.StashKey[Path]()


def in_memory() -> Path | None:
    """The folder whose files are memory, where there is one that has room for a run and lets programs be started.

    What costs a test time is not PostgreSQL but the disk below it: an fsync for each cluster and each database.
    """
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    state = os.statvfs(MEMORY)
    roomy = state.f_bavail * state.f_frsize >= ROOM
    return MEMORY if roomy and not state.f_flag & os.ST_NOEXEC else None


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give every `tempfile` of this run, its workers and its servers one place; a TMPDIR of the caller's is kept to."""
    if hasattr(config, "workerinput"):
        return  # the place is its parent's, by way of TMPDIR
    chosen = None if "TMPDIR" in os.environ else in_memory()
    place = Path(tempfile.mkdtemp(prefix="hw", dir=chosen))
    place.chmod(0o755)  # the database's user must reach its cluster when root runs the tests
    config.stash[RUN_PLACE] = place
    os.environ["TMPDIR"] = str(place)
    tempfile.tempdir = None


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the place, and with it what was left by whoever was killed."""
    place = config.stash.get(RUN_PLACE, None)
    if place is not None:
        shutil.rmtree(place, ignore_errors=True)
