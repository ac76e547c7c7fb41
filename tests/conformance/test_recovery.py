"""Two nodes behind one address, either of them killed: the unmodified SDK gets what it missed, in order, once."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conformance.runs import checks_of
from tests.kit.nodes import outside_postgres, two_nodes

SCRIPT = "recovery.mjs"
Outcomes = Mapping[str, str | None]

pytestmark = pytest.mark.needs("node", "npm")


@pytest.fixture(scope="module", params=["the first is killed", "the second is killed"])
def outcomes(packages: Path, request: pytest.FixtureRequest) -> Outcomes:
    """What became of every check; `packages` are there."""
    with outside_postgres() as outside, two_nodes(outside) as nodes:
        order = nodes if request.param == "the first is killed" else nodes[::-1]
        told = [{"url": node.url, "pid": node.process.pid} for node in order]
        environment = {
            **os.environ,
            "HEADWATER_NODES": json.dumps(told),
            "HEADWATER_ANON_KEY": nodes[0].anon_key,
            "HEADWATER_ADMIN_KEY": nodes[0].admin_key,
        }
        command = ["node", str(packages.parent / SCRIPT)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        order[0].process.wait(10)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-4000:]
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    return {line["name"]: line["failure"] for line in lines}


@pytest.mark.parametrize("name", checks_of(SCRIPT))
def test_recovery(outcomes: Outcomes, name: str) -> None:
    assert name in outcomes, "the script never came to this check"
    assert outcomes[name] is None, outcomes[name]
