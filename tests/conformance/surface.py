"""What the clients offer, and which of it no check shows to work and to be refused."""

import json
import re
import subprocess
from collections.abc import Iterable
from functools import cache

from tests.conformance.conftest import Outcome
from tests.conformance.packages import installed_packages
from tests.conformance.runs import HERE, RUNS

HEADING = re.compile(r"\w+(?:(?:, | and )\w+)*")
"""The methods that a check is about stand first in its name, however many there are."""

PACKAGES = (
    "@insforge/sdk",
    "@insforge/sdk/ssr",
    "@insforge/sdk/ssr/middleware",
    "@supabase/postgrest-js",
    "postgrest-js-newest",
)

LATER = {
    "client.storage": "platform/storage, which no open issue builds yet",
    "client.functions": "platform/functions, which no open issue builds yet",
    "client.payments": "platform/credits, which no open issue builds yet",
    "client.ai": "a gateway to models, which the design does not have",
}
"""Modules of the SDK that are not proven yet, and what brings them; with `sdk_<module>.mjs` here, the line goes."""

REFUSED_UNTIL_LATER = {
    "client.auth.signInWithOAuth": "OAuth of contracts/platform.md 1.3, which no open issue builds yet",
    "client.auth.exchangeOAuthCode": "the same",
    "client.auth.signInWithIdToken": "the same",
    "ssr.createAuthActions().signInWithOAuth": "the same",
    "ssr.createAuthActions().exchangeOAuthCode": "the same",
    "ssr.createAuthActions().signInWithIdToken": "the same",
    "PostgrestTransformBuilder.geojson": "PostGIS, which the embedded Postgres does not have",
}
"""Methods that can only be refused, in plain words, until something else is there."""

NEVER_REFUSED = {
    "sdk.createClient": "makes a client and asks nothing",
    "client.setAccessToken": "keeps a token and asks nothing",
    "client.getHttpClient": "hands the client's own part over",
    "client.auth.onAuthStateChange": "listens to the client itself",
    "client.auth.signOut": "ends the session here whatever the server says",
    "client.realtime.disconnect": "ends the connection here, whatever the server says",
    "client.realtime.unsubscribe": "tells the server, and waits for no answer",
    "client.realtime.on": "listens to the client itself",
    "client.realtime.off": "the same",
    "client.realtime.once": "the same",
    "client.realtime.isConnected": "tells what the client knows",
    "client.realtime.connectionState": "the same",
    "client.realtime.socketId": "the same",
    "client.realtime.getSubscribedChannels": "the same",
    "client.realtime.getPresenceState": "the same",
    "client.getHttpClient().setAuthToken": "keeps a token and asks nothing",
    "client.getHttpClient().setRefreshToken": "keeps a token and asks nothing",
    "client.getHttpClient().getHeaders": "tells what would be sent",
    "ssr.accessTokenCookieOptions": "reads a token",
    "ssr.refreshTokenCookieOptions": "reads a token",
    "ssr.getAccessTokenCookieName": "tells a name",
    "ssr.getRefreshTokenCookieName": "tells a name",
    "ssr.setAuthCookies": "writes cookies",
    "ssr.clearAuthCookies": "writes cookies",
    "ssr.createAuthActions().signOut": "ends the session here whatever the server says",
    "ssr/middleware.getAccessTokenCookieName": "tells a name",
    "ssr/middleware.getRefreshTokenCookieName": "tells a name",
    "ssr/middleware.setAuthCookies": "writes cookies",
    "ssr/middleware.clearAuthCookies": "writes cookies",
    "PostgrestTransformBuilder.returns": "a word to the type checker",
    "PostgrestBuilder.overrideTypes": "a word to the type checker",
}
"""Methods that no server could refuse."""


@cache
def surface() -> dict[str, dict[str, list[str]]]:
    """Of each package its classes and their public methods, as they are at run time."""
    installed_packages()
    told = subprocess.run(["node", "surface.mjs"], cwd=HERE, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(told.stdout)


def is_of(label: str, module: str) -> bool:
    """Whether a class belongs to a module of the SDK."""
    return label == module or label.startswith((f"{module}.", f"{module}("))


def methods_of(package: str) -> list[str]:
    """A package's public methods with their classes."""
    return [
        f"{label}.{method}"
        for label, methods in surface()[package].items()
        for method in methods
        if not any(is_of(label, module) for module in LATER)
    ]


def calls_of(package: str) -> list[tuple[str, ...]]:
    """The runs whose checks are about a package."""
    if "postgrest-js" in package:
        return [call for call in RUNS if call[2:] == (package,)]
    return [call for call in RUNS if call[1].startswith("sdk_ssr" if "/ssr" in package else "sdk_")]


def checks_about(method: str, outcomes: Iterable[tuple[str, Outcome]]) -> list[str]:
    """The names of the checks that bear a method's name, and called it; a bag of functions cannot be watched."""
    watched = not method.startswith(("sdk.", "ssr"))
    word = method.rpartition(".")[2]
    return [
        name
        for name, outcome in outcomes
        if word in headed_by(name) and outcome.failure is None and (not watched or method in outcome.called)
    ]


def headed_by(name: str) -> list[str]:
    """The methods that a check's name begins with, and perhaps words that are none."""
    heading = HEADING.match(name)
    return re.split(", | and ", heading.group()) if heading else []


def holes(methods: Iterable[str], outcomes: list[tuple[str, Outcome]]) -> list[str]:
    """What no check shows."""
    found: list[str] = []
    for method in methods:
        names = checks_about(method, outcomes)
        if method not in REFUSED_UNTIL_LATER and all("refused" in name for name in names):
            found.append(f"{method}: no check shows that it works")
        if method not in NEVER_REFUSED and not any("refused" in name for name in names):
            found.append(f"{method}: no check shows where it is refused")
    return found
