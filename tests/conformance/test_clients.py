"""Unmodified public clients against a running server: every check of every script is a test."""

import json
import subprocess

import pytest

from tests.conformance.conftest import Run
from tests.conformance.runs import HERE, RUNS, checks_of
from tests.conformance.surface import PACKAGES, calls_of, holes, methods_of

pytestmark = pytest.mark.needs("node", "npm")


CASES = [pytest.param(call, name, id=f"{' '.join(call[1:])}: {name}") for call in RUNS for name in checks_of(call[1])]


@pytest.mark.parametrize(("call", "name"), CASES)
def test_clients(run: Run, call: tuple[str, ...], name: str) -> None:
    outcomes = run(*call)
    assert name in outcomes, "the script never came to this check"
    assert outcomes[name].failure is None, outcomes[name].failure


@pytest.mark.parametrize("call", RUNS, ids=" ".join)
def test_every_check_is_a_test_of_its_own(run: Run, call: tuple[str, ...]) -> None:
    stated = checks_of(call[1])
    assert len(stated) == len(set(stated)) > 0
    assert sorted(run(*call)) == sorted(stated)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_method_works_and_is_refused_somewhere(run: Run, package: str) -> None:
    outcomes = [pair for call in calls_of(package) for pair in run(*call).items()]
    assert holes(methods_of(package), outcomes) == []


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
    assert holds == {"name": "holds", "failure": None, "called": []}
    assert fails["name"] == "does not" and "planted" in fails["failure"]
