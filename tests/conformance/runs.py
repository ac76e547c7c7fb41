"""Which script runs against which server, and what it checks."""

import re
from pathlib import Path

HERE = Path(__file__).parent
CHECK = re.compile(r"^check\('([^']+)',", re.MULTILINE)
RUNS = (
    ("server", "sdk_auth.mjs"),
    ("server", "sdk_browser.mjs"),
    ("server", "sdk_codes.mjs"),
    ("server", "sdk_database.mjs"),
    ("server", "sdk_realtime.mjs"),
    ("server", "sdk_requests.mjs"),
    ("server", "sdk_ssr.mjs"),
    ("open_server", "sdk_account.mjs"),
    ("hasty_server", "sdk_expiry.mjs"),
    ("strict_server", "sdk_throttled.mjs"),
    ("server", "traps.mjs"),
    ("server", "postgrest.mjs", "@supabase/postgrest-js"),
    ("server", "postgrest.mjs", "postgrest-js-newest"),
    ("server", "postgrest_refusals.mjs", "@supabase/postgrest-js"),
    ("server", "postgrest_refusals.mjs", "postgrest-js-newest"),
    ("server", "postgrest_newest.mjs", "postgrest-js-newest"),
    ("open_server", "postgrest_calls.mjs", "@supabase/postgrest-js"),
    ("open_server", "postgrest_calls.mjs", "postgrest-js-newest"),
    ("rest", "rest.mjs", "@supabase/postgrest-js"),
    ("rest", "rest.mjs", "postgrest-js-newest"),
)
"""The fixture of a server, a script, and the package it is about where it is not the SDK."""


def checks_of(script: str) -> list[str]:
    """The names that a script states."""
    return CHECK.findall((HERE / script).read_text("utf-8"))
