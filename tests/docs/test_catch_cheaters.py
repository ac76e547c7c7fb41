"""The page on cheaters is executed: a player forges, is held, and is released."""

import re
import shutil
from collections.abc import Iterator

import pytest

from headwater.apps.scoreboard.models.fraud import FraudSettings, Rule
from tests.kit.pages import Page, known_settings, type_in
from tests.kit.server import RunningServer, new_folder

PAGE = Page("howto/catch-cheaters.md")
EXPECTED = re.compile(r"^# (\S.*)$", re.MULTILINE)
PRELUDE = """set -euo pipefail
app={url}/apps/scoreboard/api
show() {{ python3 -c '
import json, sys
told = json.load(sys.stdin)
found = []
for path in sys.argv[1:]:
    here = told.get("data", told)
    for name in path.split("."):
        here = here[int(name)] if name.isdigit() else here[name]
    found.append(str(here))
print(*found)' "$@"; }}
post() {{ curl -sS -X POST "$app/$1" -H "authorization: Bearer $token" -d "$2"; }}
admin() {{ curl -sS -X "$1" "$app/scoreboard/incidents$2" -H 'authorization: Bearer {key}' ${{3:+-d "$3"}}; }}
token=$(curl -sS "$app/auth/register" -d '{{"username": "ada", "email": "ada@example.com",
  "password": "a long enough one"}}' | show token)
forge() {{ post scoreboard/generate-action '{{"scoreIncrement": 50}}' | python3 -c '
import json, sys
print(json.dumps(json.load(sys.stdin)["data"] | {{"scoreIncrement": 51}}))' > forged
  post scoreboard/update "$(cat forged)" > /dev/null; }}
play() {{ post scoreboard/generate-action '{{"scoreIncrement": 50}}' | python3 -c '
import json, sys
print(json.dumps(json.load(sys.stdin)["data"]))' > made
  post scoreboard/update "$(cat made)" | python3 -c '
import json, sys
told = json.load(sys.stdin)
print(told["data"]["newScore"] if told["success"] else told["error"]["code"])'; }}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """A server of the page's own."""
    running = RunningServer(new_folder())
    yield running
    running.stop()
    shutil.rmtree(running.folder.parent, ignore_errors=True)


def test_everything_is_typed_in_and_prints_what_the_page_says(server: RunningServer) -> None:
    typed = PAGE.typed()
    script = PRELUDE.format(url=server.url, key=server.admin_key) + typed
    printed = type_in(script, server.folder.parent, server.environment)
    assert printed.splitlines() == EXPECTED.findall(typed)
    with server.client(server.admin_key) as client:
        channels = client.get("/api/realtime/channels").json()
    assert "scoreboard:incidents" in {channel["pattern"] for channel in channels}


def test_every_rule_and_setting_is_one() -> None:
    named = {name for name in PAGE.settings() if name.startswith("HEADWATER_FRAUD_")}
    assert named == known_settings(FraudSettings)
    assert set(re.findall(r"^\| `(\w+)` \| .* \| `HEADWATER", PAGE.text, re.MULTILINE)) == set(Rule.__args__)
