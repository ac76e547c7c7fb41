"""What a PostgREST client meets where it has lost its way, or its rights: the dialect's own refusals."""

import pytest

from tests.kit.server import RunningServer


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "message"),
    [
        ("GET", "/rest/v1/notes/deeper", 404, "PGRST125", "Invalid path specified in request URL"),
        ("PUT", "/rest/v1/", 405, "PGRST117", "Unsupported HTTP method: PUT"),
        ("PUT", "/rest/v1/rpc/add", 405, "PGRST101", "Cannot use the PUT method on RPC"),
        ("TRACE", "/rest/v1/notes", 405, "PGRST117", "Unsupported HTTP method: TRACE"),
    ],
)
def test_no_endpoint_is_told_in_the_dialect(
    server: RunningServer, method: str, path: str, status: int, code: str, message: str
) -> None:
    with server.client(server.anon_key) as client:
        answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (status, code, message)


@pytest.mark.parametrize(
    ("token", "code", "challenge"),
    [
        (None, "PGRST302", "Bearer"),
        ("not.a.token", "PGRST301", 'Bearer error="invalid_token", error_description="Invalid token"'),
    ],
)
def test_a_stranger_is_challenged(server: RunningServer, token: str | None, code: str, challenge: str) -> None:
    with server.client(token) as client:
        answer = client.get("/rest/v1/notes")
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.headers["www-authenticate"] == challenge


def test_elsewhere_it_is_told_as_the_platform_does(server: RunningServer) -> None:
    with server.client() as client:
        assert client.get("/api/nowhere").json()["error"] == "NOT_FOUND"
        assert client.get("/rest/v1notes").json()["error"] == "NOT_FOUND"
