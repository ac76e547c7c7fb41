"""The page on realtime is executed: its commands typed in, its SQL run, its settings known."""

import json
import re
import subprocess
from pathlib import Path
from typing import get_type_hints

from headwater.boot.settings import variable_names
from headwater.kernel.outbound import OutboundSettings
from headwater.platform.realtime.models import RealtimeSettings
from tests.kit.server import RunningServer

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "realtime.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def typed(server: RunningServer, script: str) -> str:
    """What a shell prints that runs a block of the page."""
    environment = {**server.environment, "URL": server.url, "ADMIN_KEY": server.admin_key}
    ended = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{script}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_everything_is_typed_in(own_server: RunningServer) -> None:
    printed: list[str] = []
    for language, text in FENCE.findall(PAGE):
        if language == "sql":
            assert own_server.sql(text)[0]["publish"] is not None
        else:
            printed.append(typed(own_server, text))
    channel, published, permissions, config, last = printed
    assert json.loads(channel)["pattern"] == "order:%"
    assert json.loads(published)["offset"] == 1
    assert set(json.loads(permissions)) == {"subscribe", "publish"}
    assert json.loads(config)["webhookSecret"].startswith("whsec_")
    assert '"payload":{"amount": 12}' in last
    assert last.endswith('{"deleted":2}')


def test_every_setting_is_one() -> None:
    known = {
        name
        for kind in (RealtimeSettings, OutboundSettings)
        for field, hint in get_type_hints(kind, include_extras=True).items()
        for name in variable_names(kind, field, hint)
    }
    assert set(re.findall(r"HEADWATER_[A-Z_]+[A-Z]", PAGE)) <= known
