"""Whatever a cookie proves needs its CSRF token and a page that may use cookies: others can send the cookie too."""

import httpx
import pytest

from headwater.boot.components import find_components
from headwater.kernel.component import Endpoint, FromCookie, FromHeader
from tests.kit.server import RunningServer

BY_COOKIE = [
    (endpoint, source.name)
    for component in find_components()
    for endpoint in component.endpoints
    for source in endpoint.inputs.values()
    if isinstance(source, FromCookie)
]


def named(value: object) -> str | None:
    return f"{value.method} {value.path}" if isinstance(value, Endpoint) else None


every_cookie = pytest.mark.parametrize(("endpoint", "cookie"), BY_COOKIE, ids=named)


def test_cookies_are_read_somewhere() -> None:
    paths = {endpoint.path for endpoint, _ in BY_COOKIE}
    assert paths >= {"/api/auth/refresh", "/api/auth/logout", "/api/auth/admin/refresh", "/api/auth/admin/logout"}


@every_cookie
def test_who_reads_a_cookie_reads_the_csrf_token_and_the_origin(endpoint: Endpoint, cookie: str) -> None:
    headers = {source.name for source in endpoint.inputs.values() if isinstance(source, FromHeader)}
    assert headers >= {"x-csrf-token", "origin", "host"}
    assert endpoint.method == "POST"


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({}, "Invalid CSRF token"),
        ({"x-csrf-token": "0" * 64}, "Invalid CSRF token"),
        ({"origin": "https://evil.example"}, "is not allowed to use cookies"),
        ({"origin": "null"}, "is not allowed to use cookies"),
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/api/auth/refresh", "/api/auth/logout"])
def test_another_site_gets_nowhere_with_a_cookie(
    server: RunningServer, path: str, headers: dict[str, str], sentence: str
) -> None:
    """With the right token and another origin as well: the token alone might have leaked."""
    with server.client(server.anon_key) as client:
        begun = client.post(
            "/api/auth/users",
            json={"email": f"csrf{abs(hash((path, str(headers))))}@example.com", "password": "correct horse"},
        ).raise_for_status()
        cookie = begun.headers["set-cookie"].partition(";")[0]
        shown = {"cookie": cookie, **headers}
        if "origin" in headers:
            shown["x-csrf-token"] = begun.json()["csrfToken"]
        answer: httpx.Response = client.post(path, headers=shown)
        assert answer.status_code == 403, answer.text
        assert (answer.json()["error"], sentence in answer.json()["message"]) == ("FORBIDDEN", True)
        good = {"cookie": cookie, "x-csrf-token": begun.json()["csrfToken"], "origin": str(client.base_url).rstrip("/")}
        assert client.post(path, headers=good).status_code == 200
