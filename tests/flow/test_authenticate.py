"""Who are you? 401, and 403 where an endpoint is for others."""

from ipaddress import ip_network

import pytest

from headwater.kernel.component import Access
from headwater.kernel.errors import Busy, DatabaseUnavailable, InvalidApiKey
from headwater.kernel.principal import Principal
from tests.kit.house import SmallHouse, endpoint


async def whoami(_tx: object, principal: Principal, _body: object) -> object:
    return {"kind": principal.kind, "key": principal.key}


@pytest.fixture
def house() -> SmallHouse:
    return SmallHouse(
        *(endpoint("GET", f"/{access}", whoami, access=access) for access in Access),
        endpoint("GET", "/metrics", whoami, local_only=True),
        trusted=(ip_network("10.0.0.0/8"),),
    )


NO, BAD, NOT_USER, NOT_ADMIN = (
    (401, "AUTH_INVALID_CREDENTIALS"),
    (401, "AUTH_UNAUTHORIZED"),
    (401, "AUTH_UNAUTHORIZED"),
    (403, "AUTH_UNAUTHORIZED"),
)
OK = (200, None)


@pytest.mark.parametrize(
    ("token", "anyone", "caller", "user", "admin"),
    [
        (None, OK, NO, NO, NO),
        ("wrong", OK, BAD, BAD, BAD),
        ("anon", OK, OK, NOT_USER, NOT_ADMIN),
        ("user", OK, OK, OK, NOT_ADMIN),
        ("admin", OK, OK, NOT_USER, OK),
    ],
)
async def test_who_may_call_what(
    house: SmallHouse,
    token: str | None,
    anyone: tuple[int, str],
    caller: tuple[int, str],
    user: tuple[int, str],
    admin: tuple[int, str],
) -> None:
    for access, expected in zip(Access, (anyone, caller, user, admin), strict=True):
        answer = await house.call("GET", f"/{access}", token=token)
        assert (answer.status, answer.json().get("error")) == expected, access


@pytest.mark.parametrize(
    ("token", "access", "expected"),
    [
        ("user", Access.USER, (200, "user")),
        ("user", Access.CALLER, (200, "admin")),
        ("user", Access.ADMIN, (200, "admin")),
        ("anon", Access.USER, (401, None)),
        ("wrong", Access.USER, (401, None)),
        (None, Access.USER, (401, None)),
    ],
)
async def test_beside_an_api_key_a_token_counts_only_where_a_user_is_wanted(
    house: SmallHouse, token: str | None, access: Access, expected: tuple[int, str | None]
) -> None:
    """InsForge's Python client sends both."""
    answer = await house.call("GET", f"/{access}", token=token, headers={"x-api-key": "admin"})
    assert (answer.status, answer.json().get("kind")) == expected


async def test_bad_credentials_count_as_none_where_anyone_may_call(house: SmallHouse) -> None:
    assert (await house.call("GET", "/anyone", token="wrong")).json() == {"kind": "nobody", "key": "nobody"}
    assert (await house.call("GET", "/anyone", token="user")).json() == {"kind": "user", "key": "user:7"}


@pytest.mark.parametrize("failure", [DatabaseUnavailable(), Busy()])
async def test_who_cannot_be_looked_up_is_not_taken_for_nobody(house: SmallHouse, failure: Exception) -> None:
    house.authenticator.failure = failure
    answer = await house.call("GET", "/anyone", token="user")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    house.authenticator.failure = InvalidApiKey()
    assert (await house.call("GET", "/anyone", token="user")).status == 200


@pytest.mark.parametrize(
    ("peer", "forwarded", "token", "status"),
    [
        ("127.0.0.1", None, None, 200),
        ("127.9.9.9", None, "user", 200),
        ("::1", None, None, 200),
        ("203.0.113.9", None, None, 401),
        ("203.0.113.9", None, "user", 403),
        ("203.0.113.9", None, "admin", 200),
        ("203.0.113.9", "127.0.0.1", None, 401),
        ("10.0.0.1", "127.0.0.1", None, 401),
        ("127.0.0.1", "203.0.113.9", None, 401),  # a proxy on this machine that nobody told us of
        ("", None, None, 401),
    ],
)
async def test_what_is_for_this_machine_needs_an_admin_elsewhere(
    house: SmallHouse, peer: str, forwarded: str | None, token: str | None, status: int
) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert (await house.call("GET", "/metrics", token=token, peer=peer, headers=headers)).status == status
