"""The page on `headwater rest` is executed, and every variable it names is one."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from headwater.boot.rest.settings import RestOptions
from tests.faults.outside import OutsidePostgres
from tests.kit.rest import run_script

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "postgrest-from-pip.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"   # (\S.*)$", re.MULTILINE)
PRELUDE = "set -euo pipefail\ntrap 'kill $(jobs -p) && wait' EXIT\n"
LONGEST = 120


def blocks(language: str) -> str:
    return "".join(text for found, text in FENCE.findall(PAGE) if found == language)


@pytest.mark.needs("curl")
def test_everything_is_typed_in_and_prints_what_the_page_says() -> None:
    postgres = OutsidePostgres()
    try:
        run_script(postgres, blocks("sql"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        typed = blocks("bash").replace("localhost:5432", f"127.0.0.1:{postgres.port}")
        typed = typed.replace("localhost:3000", f"127.0.0.1:{port}").replace(
            "headwater rest", f"headwater rest --port {port}"
        )
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        ended = subprocess.run(
            ["bash", "-c", PRELUDE + typed],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
    finally:
        postgres.remove()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    expected = EXPECTED.findall(blocks("bash"))
    assert len(expected) == 3
    assert [text for text in expected if text not in ended.stdout] == [], ended.stdout


def test_every_setting_is_named_and_is_one() -> None:
    named = set(re.findall(r"PGRST_[A-Z0-9_]+[A-Z0-9]", PAGE)) - {"PGRST_APP_SETTINGS"}
    known = {f"PGRST_{field.name.upper()}" for field in msgspec.structs.fields(RestOptions)} - {"PGRST_APP_SETTINGS"}
    assert named == known
