"""Which other origins' pages may call, and with what."""

import pytest

from headwater.flow import FlowSettings
from headwater.kernel.component import Access
from tests.kit.house import SmallHouse, endpoint


@pytest.fixture
def house() -> SmallHouse:
    return SmallHouse(
        endpoint("PUT", "/x"),
        endpoint("GET", "/admin", access=Access.ADMIN),
        settings=FlowSettings(allowed_origins=("https://app.example.com",)),
    )


@pytest.mark.parametrize(
    ("origin", "credentials"),
    [
        ("https://app.example.com", True),
        ("http://localhost:5173", True),
        ("https://127.0.0.1", True),
        ("http://[::1]:3000", True),
        ("https://anyone.example.net", False),
        ("http://app.example.com", False),
        ("https://app.example.com:8443", False),
        ("https://app.example.com.evil.net", False),
        ("http://localhost.evil.net", False),
        ("http://evil.net/localhost", False),
        ("http://localhost@evil.net", False),
        ("null", False),
        ("http://[", False),
        ("", False),
    ],
)
async def test_any_origin_may_read_and_few_may_send_credentials(
    house: SmallHouse, origin: str, credentials: bool
) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "X-A, X-B"}
    for answer in (
        await house.call("PUT", "/x", headers={"Origin": origin}),
        await house.call("GET", "/nowhere", headers={"Origin": origin}),
        await house.call("GET", "/admin", headers={"Origin": origin}),
        await house.call("OPTIONS", "/x", headers=asked),
    ):
        assert answer.headers["access-control-allow-origin"] == origin
        assert "Origin" in answer.headers["vary"]
        assert ("access-control-allow-credentials" in answer.headers) is credentials


async def test_a_preflight_asks_for_no_credentials_and_counts_nowhere(house: SmallHouse) -> None:
    asked = {"Origin": "https://a.b", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "X-A"}
    for target in ("/x", "/admin", "/nowhere"):
        answer = await house.call("OPTIONS", target, headers=asked)
        assert (answer.status, answer.body) == (204, b"")
        assert "PUT" in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"] == "X-A"
        assert "ratelimit-limit" not in answer.headers


async def test_options_without_the_question_is_a_request_like_any_other(house: SmallHouse) -> None:
    answer = await house.call("OPTIONS", "/x", headers={"Origin": "https://a.b"})
    assert (answer.status, answer.headers["allow"]) == (405, "PUT")


async def test_without_an_origin_nothing_is_said(house: SmallHouse) -> None:
    assert not [name for name in (await house.call("PUT", "/x")).headers if name.startswith("access-control")]


async def test_pages_may_read_what_clients_need(house: SmallHouse) -> None:
    exposed = (await house.call("PUT", "/x", headers={"Origin": "https://a.b"})).headers[
        "access-control-expose-headers"
    ]
    assert {"Content-Range", "Preference-Applied", "X-Request-Id", "Retry-After", "RateLimit-Remaining"} <= set(
        exposed.split(", ")
    )
