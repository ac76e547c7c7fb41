"""The public clients, installed from their lock where they are not."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"
INSTALLED = HERE / "node_modules" / ".package-lock.json"


def install() -> Path:
    """The `node_modules` that the lock describes; raises `CalledProcessError` where npm cannot make it.

    Test processes that want it at the same time wait for the one that installs.
    """
    with LOCK.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCK.stat().st_mtime:
            npm = shutil.which("npm") or "npm"
            command = [npm, "ci", "--no-audit", "--no-fund", "--prefix", str(HERE)]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return INSTALLED.parent


def installed_packages() -> Path:
    """The same for a test: where npm cannot install them it is skipped, or fails if all is required."""
    try:
        return install()
    except (OSError, subprocess.SubprocessError) as failure:
        sentence = f"npm ci failed: {getattr(failure, 'stderr', None) or failure}"
    if os.environ.get("HEADWATER_REQUIRE_ALL") == "1":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
