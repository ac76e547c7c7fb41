"""What a socket shows at its opening, and what counts."""

import pytest

from headwater.flow.handshake import credentials_of
from headwater.kernel.errors import InvalidInput
from headwater.kernel.sockets import Handshake

ORIGIN = "https://app.example"
COOKIE = "insforge_access_token=c"
BOTH = {"x-api-key": "ik_2", "authorization": "Bearer h"}
PROTOCOLS = {"sec-websocket-protocol": "app, bearer.s"}


def shown(**given: object) -> dict[str, str]:
    handshake = Handshake(path="/socket.io/", **given)  # pyright: ignore[reportArgumentType]
    return dict(credentials_of(handshake, (ORIGIN,)))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"auth": {}}, {}),
        ({"auth": {"token": "t"}}, {"authorization": "Bearer t"}),
        ({"auth": {"token": "Bearer t"}}, {"authorization": "Bearer t"}),
        ({"auth": {"apiKey": "ik_1", "token": "t"}}, {"x-api-key": "ik_1"}),
        ({"headers": {"authorization": "Bearer h"}}, {"authorization": "Bearer h"}),
        (
            {"headers": {"x-api-key": "ik_2", "authorization": "Bearer h"}},
            {"x-api-key": "ik_2", "authorization": "Bearer h"},
        ),
        ({"auth": {"token": "t"}, "headers": {"authorization": "Bearer h"}}, {"authorization": "Bearer t"}),
        ({"query": {"token": "q"}}, {"authorization": "Bearer q"}),
        (
            {"headers": PROTOCOLS, "query": {"token": "q"}},
            {"authorization": "Bearer s"},
        ),
        ({"headers": {"cookie": COOKIE, "origin": ORIGIN}}, {"authorization": "Bearer c"}),
        (
            {"headers": {"cookie": COOKIE, "origin": "http://localhost:3000"}},
            {"authorization": "Bearer c"},
        ),
        ({"headers": {"cookie": COOKIE, "origin": "https://evil.example"}}, {}),
        ({"headers": {"cookie": COOKIE}}, {}),
    ],
)
def test_credentials(given: dict[str, object], expected: dict[str, str]) -> None:
    assert shown(**given) == expected


@pytest.mark.parametrize("field", ["token", "apiKey"])
def test_credentials_that_are_no_texts_are_refused_by_name(field: str) -> None:
    with pytest.raises(InvalidInput, match=f"auth.{field}"):
        shown(auth={field: 7})
