"""Unmodified public clients against a running server: every check of every script is a test."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.conformance.conftest import Run

HERE = Path(__file__).parent
CHECK = re.compile(r"^check\('([^']+)',", re.MULTILINE)
RUNS = (
    ("server", "sdk_auth.mjs"),
    ("server", "sdk_browser.mjs"),
    ("server", "sdk_database.mjs"),
    ("hasty_server", "sdk_expiry.mjs"),
    ("server", "postgrest.mjs", "@supabase/postgrest-js"),
    ("server", "postgrest.mjs", "postgrest-js-newest"),
    ("open_server", "postgrest_calls.mjs", "@supabase/postgrest-js"),
    ("open_server", "postgrest_calls.mjs", "postgrest-js-newest"),
    ("rest", "rest.mjs", "@supabase/postgrest-js"),
    ("rest", "rest.mjs", "postgrest-js-newest"),
)

pytestmark = pytest.mark.needs("node", "npm")


def checks_of(script: str) -> list[str]:
    """The names that a script states."""
    return CHECK.findall((HERE / script).read_text("utf-8"))


CASES = [pytest.param(call, name, id=f"{' '.join(call[1:])}: {name}") for call in RUNS for name in checks_of(call[1])]


@pytest.mark.parametrize(("call", "name"), CASES)
def test_clients(run: Run, call: tuple[str, ...], name: str) -> None:
    outcomes = run(*call)
    assert name in outcomes, "the script never came to this check"
    assert outcomes[name] is None, outcomes[name]


@pytest.mark.parametrize("call", RUNS, ids=" ".join)
def test_every_check_is_a_test_of_its_own(run: Run, call: tuple[str, ...]) -> None:
    stated = checks_of(call[1])
    assert len(stated) == len(set(stated)) > 0
    assert sorted(run(*call)) == sorted(stated)


PLANTED = """
import { check, run } from './kit.mjs'
check('holds', () => {})
check('does not', () => { throw new Error('planted') })
await run()
"""


def test_planted_faults_are_told() -> None:
    command = ["node", "--input-type=module", "--eval", PLANTED]
    ended = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True)
    holds, fails = map(json.loads, ended.stdout.splitlines())
    assert holds == {"name": "holds", "failure": None}
    assert fails["name"] == "does not" and "planted" in fails["failure"]
