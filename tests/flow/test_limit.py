"""How often, and whose requests they are."""

from ipaddress import IPv4Address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from headwater.flow import FlowSettings, address_of
from headwater.kernel.component import Access, Limit
from tests.kit.house import SmallHouse, endpoint

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def small_house(per_minute: int = 60, *limits: Limit, access: Access = Access.ANYONE) -> SmallHouse:
    settings = FlowSettings(requests_per_minute=per_minute)
    return SmallHouse(
        endpoint("GET", "/x", limits=limits, access=access), endpoint("GET", "/y"), settings=settings, trusted=PROXIES
    )


async def test_the_headers_count_down_and_the_refusal_says_when() -> None:
    house = small_house(3)
    for left in (2, 1, 0):
        told = (await house.call("GET", "/x")).headers
        assert (told["ratelimit-limit"], told["ratelimit-remaining"]) == ("3", str(left))
        assert told["ratelimit-reset"] == str((3 - left) * 20)
    refused = await house.call("GET", "/x")
    assert (refused.status, refused.json()["error"]) == (429, "TOO_MANY_REQUESTS")
    assert (refused.headers["retry-after"], refused.headers["ratelimit-remaining"]) == ("20", "0")
    house.clock.advance(19)
    assert (await house.call("GET", "/x")).status == 429
    house.clock.advance(1)
    assert (await house.call("GET", "/x")).status == 200


async def test_addresses_are_counted_apart_and_over_every_endpoint() -> None:
    house = small_house(2)
    assert [(await house.call("GET", target)).status for target in ("/x", "/y", "/x")] == [200, 200, 429]
    assert (await house.call("GET", "/x", peer="203.0.113.10")).status == 200


async def test_a_principal_is_counted_wherever_he_calls_from() -> None:
    house = small_house(2)
    peers = [f"203.0.113.{n}" for n in range(3)]
    assert [(await house.call("GET", "/x", token="user", peer=peer)).status for peer in peers] == [200, 200, 429]
    assert (await house.call("GET", "/x", token="other", peer=peers[0])).status == 200


async def test_anons_are_counted_by_address_because_they_share_a_key() -> None:
    house = small_house(2)
    peers = [f"203.0.113.{n}" for n in range(5)]
    assert [(await house.call("GET", "/x", token="anon", peer=peer)).status for peer in peers] == [200] * 5


async def test_the_address_is_counted_before_credentials_are_looked_at() -> None:
    house = small_house(2, access=Access.USER)
    answers = [(await house.call("GET", "/x", token="bad")).status for _ in range(3)]
    assert answers == [401, 401, 429]
    assert house.stages == ["limit", "respond"]


async def test_an_endpoints_own_limits_are_added_and_the_tightest_is_told() -> None:
    own = Limit(name="login", count=2, seconds=900)
    per_user = Limit(name="writes", count=1, seconds=60, by="principal")
    house = small_house(60, own, per_user)
    first = await house.call("GET", "/x", token="user")
    assert (first.headers["ratelimit-limit"], first.headers["ratelimit-remaining"]) == ("1", "0")
    assert (await house.call("GET", "/x", token="user")).headers["ratelimit-limit"] == "1"
    refused = await house.call("GET", "/x", token="other")
    assert (refused.status, refused.headers["retry-after"]) == (429, "450")
    assert (await house.call("GET", "/y")).status == 200


async def test_forwarded_addresses_count_only_behind_a_configured_proxy() -> None:
    house = small_house(1)
    for peer, statuses in (("10.0.0.1", [200, 200]), ("203.0.113.1", [200, 429])):
        told = [{"X-Forwarded-For": f"198.51.100.{n}"} for n in (1, 2)]
        assert [(await house.call("GET", "/x", peer=peer, headers=each)).status for each in told] == statuses


addresses = st.ip_addresses().map(str)
entries = addresses | st.text(alphabet="0123456789.:, x", max_size=12)


@given(peer=addresses.filter(lambda text: not any(_within(text, net) for net in PROXIES)), forwarded=st.lists(entries))
def test_nobody_but_a_proxy_chooses_an_address(peer: str, forwarded: list[str]) -> None:
    assert address_of(peer, ",".join(forwarded), PROXIES) == peer


@given(forged=st.lists(entries), client=addresses, proxies=st.lists(st.integers(1, 9), max_size=3))
def test_the_client_is_who_the_outermost_proxy_saw(forged: list[str], client: str, proxies: list[int]) -> None:
    if any(_within(client, net) for net in PROXIES):
        return
    chain = [*forged, client, *(f"10.0.0.{n}" for n in proxies)]
    assert address_of("10.1.1.1", ", ".join(chain), PROXIES) == client


def test_walks() -> None:
    assert address_of("10.0.0.1", None, PROXIES) == "10.0.0.1"
    assert address_of("10.0.0.1", "10.0.0.2, 10.0.0.3", PROXIES) == "10.0.0.2"
    assert address_of("10.0.0.1", "203.0.113.1, nonsense, 10.0.0.3", PROXIES) == "10.0.0.3"
    assert address_of("fd00::1", "2001:DB8:0::1", PROXIES) == "2001:db8::1"
    assert address_of("10.0.0.1", "203.0.113.1", ()) == "10.0.0.1"
    assert address_of("", "203.0.113.1", PROXIES) == ""
    assert address_of("10.0.0.1", str(IPv4Address("203.0.113.1")), PROXIES) == "203.0.113.1"


def _within(text: str, network: object) -> bool:
    from ipaddress import ip_address

    return ip_address(text) in network  # pyright: ignore[reportOperatorIssue]
