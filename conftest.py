"""What every test may rely on: stated counts and a seed for torture, tools that are present, nothing else."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["tests.kit.places", "tests.kit.database", "tests.kit.redis", "tests.kit.server", "tests.kit.users"]
collect_ignore = ["tests/kit"]
TORTURE = os.environ.get("HEADWATER_TORTURE") == "1"
REQUIRE_ALL = os.environ.get("HEADWATER_REQUIRE_ALL") == "1"
SEED = int(os.environ.get("HEADWATER_SEED") or (random.SystemRandom().randrange(2**32) if TORTURE else 2026))

hypothesis.settings.register_profile("test", derandomize=True, deadline=None)
hypothesis.settings.register_profile("torture", max_examples=1000, deadline=None, print_blob=True)
hypothesis.settings.load_profile("torture" if TORTURE else "test")


def pytest_report_header() -> str | None:
    """Print the seed of a torture run, so that it can be run again."""
    return f"torture: stated counts, HEADWATER_SEED={SEED}" if TORTURE else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything under tests/faults is torture; tests whose tools are missing are skipped or fail."""
    for item in items:
        if "faults" in Path(item.path).parent.parts:
            item.add_marker(pytest.mark.torture)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose programs are missing; fail it where everything was promised to be installed."""
    for mark in item.iter_markers("needs"):
        missing = [tool for tool in map(str, mark.args) if shutil.which(tool) is None]
        if missing and REQUIRE_ALL:
            pytest.fail(f"{', '.join(missing)} must be installed where HEADWATER_REQUIRE_ALL=1", pytrace=False)
        if missing:
            pytest.skip(f"needs {', '.join(missing)}")


@pytest.fixture(scope="session")
def scaled() -> Callable[[int], int]:
    """Turn the count an issue states into the one to run now: all of it under torture, a tenth otherwise."""
    return lambda stated: stated if TORTURE else max(1, stated // 10)


@pytest.fixture
def seeded() -> random.Random:
    """A source of randomness that `HEADWATER_SEED` repeats."""
    return random.Random(SEED)  # noqa: S311 - it is to be repeated, not to be secret
