"""Private addresses are not called, however they are spelled and whoever names them."""

import asyncio
from ipaddress import ip_address

import httpcore
import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.observe import Observer
from headwater.kernel.outbound import (
    Outbound,
    OutboundCall,
    OutboundSettings,
    PrivateAddress,
    UnusableCall,
    UpstreamUnreachable,
)
from headwater.kernel.outbound.resolve import is_public
from tests.kernel.outbound.conftest import ForgedNames, Upstream, answer

PRIVATE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:db8::1",
]


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_are_known(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::808:808"])
def test_public_addresses_are_known(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.fixture
async def strict(clock: DrivenClock, observer: Observer) -> Outbound:
    """May call nothing private; asks the machine's own resolver."""
    return Outbound(OutboundSettings(), clock, observer)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "0"]
)
async def test_this_machine_is_not_called_by_any_of_its_names(strict: Outbound, upstream: Upstream, host: str) -> None:
    with pytest.raises((PrivateAddress, UpstreamUnreachable, UnusableCall)):
        await strict.call(OutboundCall(url=f"http://{host}:{upstream.port}/", attempts=1))
    assert upstream.asked == []


async def test_a_name_that_leads_inside_is_not_called(
    clock: DrivenClock, observer: Observer, upstream: Upstream, names: ForgedNames
) -> None:
    outbound = Outbound(OutboundSettings(), clock, observer, names)
    for addresses in (["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["::ffff:127.0.0.1"], ["fe80::1%lo"]):
        names.script["inside.example"] = [addresses]
        with pytest.raises(PrivateAddress, match=r"inside\.example leads to a private address"):
            await outbound.call(OutboundCall(url=f"http://inside.example:{upstream.port}/"))
    assert upstream.asked == []
    await outbound.close()


async def test_a_name_is_asked_for_once_and_the_checked_address_is_called(
    clock: DrivenClock, observer: Observer, names: ForgedNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when it is checked, private when it is asked for again."""
    called: list[str] = []

    async def connect_tcp(_self: object, host: str, *_rest: object) -> httpcore.AsyncNetworkStream:
        called.append(host)
        raise httpcore.ConnectError("not today")

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect_tcp)
    names.script["rebinding.example"] = [["93.184.215.14"], ["127.0.0.1"]]
    outbound = Outbound(OutboundSettings(), clock, observer, names)
    with pytest.raises(UpstreamUnreachable):
        await outbound.call(OutboundCall(url="http://rebinding.example/", attempts=1))
    assert (names.asked, called) == (["rebinding.example"], ["93.184.215.14"])
    with pytest.raises(PrivateAddress):
        await outbound.call(OutboundCall(url="http://rebinding.example/", attempts=1))
    assert called == ["93.184.215.14"]
    await outbound.close()


async def test_a_redirect_does_not_lead_inside(
    clock: DrivenClock, observer: Observer, upstream: Upstream, names: ForgedNames
) -> None:
    names.script = {"outside.example": [["127.0.0.1"]], "metadata.example": [["169.254.169.254"]]}
    outbound = Outbound(OutboundSettings(allowed_hosts=("outside.example",)), clock, observer, names)
    upstream.plays = [answer(b"", "302 Found", "Location: http://metadata.example/latest/")]
    with pytest.raises(PrivateAddress, match=r"metadata\.example"):
        await outbound.call(OutboundCall(url=f"http://outside.example:{upstream.port}/", redirects=5))
    assert names.asked == ["outside.example", "metadata.example"]
    await outbound.close()


async def test_credentials_do_not_go_along_to_another_origin(
    clock: DrivenClock, observer: Observer, upstream: Upstream, names: ForgedNames
) -> None:
    names.script = {"one.example": [["127.0.0.1"]], "two.example": [["127.0.0.1"]]}
    outbound = Outbound(OutboundSettings(allowed_hosts=("127.0.0.0/8",)), clock, observer, names)
    location = f"Location: http://two.example:{upstream.port}/"
    upstream.plays = [answer(b"", "307 Temporary Redirect", location), answer(b"here")]
    call = OutboundCall(
        url=f"http://one.example:{upstream.port}/", redirects=1, headers={"Authorization": "Bearer secret"}
    )
    assert (await outbound.call(call)).body == b"here"
    assert [b"Bearer secret" in head for head in upstream.asked] == [True, False]
    await outbound.close()


@pytest.mark.parametrize("allowed", ["localhost", "127.0.0.1", "127.0.0.0/8"])
async def test_listed_hosts_may_be_called(
    clock: DrivenClock, observer: Observer, upstream: Upstream, names: ForgedNames, allowed: str
) -> None:
    names.script["localhost"] = [["127.0.0.1"]]
    outbound = Outbound(OutboundSettings(allowed_hosts=(allowed,)), clock, observer, names)
    got = await asyncio.gather(
        *(outbound.call(OutboundCall(url=f"http://localhost:{upstream.port}/")) for _ in range(5))
    )
    assert {each.body for each in got} == {b"hello"}
    await outbound.close()


async def test_an_unknown_name_is_unreachable(strict: Outbound, clock: DrivenClock, names: ForgedNames) -> None:
    outbound = Outbound(OutboundSettings(), clock, Observer(), names)
    with pytest.raises(UpstreamUnreachable, match="its name has no address"):
        await outbound.call(OutboundCall(url="http://nowhere.example/", attempts=1))
    await outbound.close()
    await strict.close()
