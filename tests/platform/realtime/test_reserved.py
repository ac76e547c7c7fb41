"""Channels of the house: components publish on them from their own transactions, and nobody else does."""

import pytest

from headwater.kernel.database import WritingTransaction
from headwater.kernel.errors import Refusal
from headwater.kernel.principal import principal_from_claims
from headwater.platform.realtime.errors import ChannelNotFound, InvalidChannelRequest, InvalidPattern, PublishRefused
from headwater.platform.realtime.models import MessageToPublish
from tests.kernel.waiting import until
from tests.platform.realtime.conftest import ANON, Desk, user

ADMIN = principal_from_claims({"role": "project_admin", "sub": "00000000-0000-4000-8000-000000000009"})


@pytest.fixture
async def reserved(desk: Desk) -> Desk:
    await desk.publishing.reserve_channel(desk.transactions, "board:%", "Scores")
    await desk.publishing.reserve_channel(desk.transactions, "board:incidents", "Cheats", for_admins=True)
    return desk


async def refused(desk: Desk, channel: str, principal: object = ANON) -> bool:
    ear, _ = await desk.connect(principal)  # pyright: ignore[reportArgumentType] - a principal
    try:
        await desk.subscribe(ear, channel)
    except Refusal as refusal:
        return refusal.code == "UNAUTHORIZED" or refusal.status == 403
    return False


async def test_what_a_component_announces_is_told_once_its_transaction_has_committed(reserved: Desk) -> None:
    ear, _ = await reserved.connect()
    await reserved.subscribe(ear, "board:default")

    async def change(tx: WritingTransaction) -> None:
        await reserved.publishing.announce(tx, "board:default", "score", {"n": 1})
        await reserved.publishing.announce(tx, "board:default", "score", {"n": 2})

    async def fail(tx: WritingTransaction) -> None:
        await change(tx)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await reserved.transactions.writing(fail)
    await reserved.transactions.writing(change)
    await until(lambda: len(ear.heard("score")) == 2)
    assert [(told["n"], told["meta"]["senderType"], told["meta"]["offset"]) for told in ear.heard("score")] == [
        (1, "system", 1),
        (2, "system", 2),
    ]


async def test_many_are_announced_in_their_order_and_what_no_channel_hears_is_left_out(reserved: Desk) -> None:
    ear, _ = await reserved.connect()
    await reserved.subscribe(ear, "board:default")
    told: list[tuple[str, object]] = [("board:default", {"n": number}) for number in range(20)]
    told.insert(7, ("nowhere", {"n": -1}))
    logged = await reserved.transactions.writing(lambda tx: reserved.publishing.announce_all(tx, "score", told))
    assert logged == 20
    await until(lambda: len(ear.heard("score")) == 20)
    assert [(told["n"], told["meta"]["offset"]) for told in ear.heard("score")] == [(n, n + 1) for n in range(20)]
    assert await reserved.transactions.writing(lambda tx: reserved.publishing.announce_all(tx, "score", ())) == 0


async def test_nobody_else_publishes_there_however_he_asks(reserved: Desk) -> None:
    for principal in (ANON, user(1), ADMIN):
        ear, _ = await reserved.connect(principal)
        await reserved.subscribe(ear, "board:default")
        with pytest.raises(PublishRefused):
            await reserved.publish(ear, "board:default", n=1)
        body = MessageToPublish(id="board:default", event_name="score", payload={})
        with pytest.raises(PublishRefused):
            await reserved.publishing.publish_to(reserved.transactions, principal, body)
        assert ear.heard("score") == []


async def test_a_channel_for_admins_is_heard_by_no_others(reserved: Desk) -> None:
    assert await refused(reserved, "board:incidents")
    assert await refused(reserved, "board:incidents", user(1))
    ear, _ = await reserved.connect(ADMIN)
    await reserved.subscribe(ear, "board:incidents")
    await reserved.transactions.writing(lambda tx: reserved.publishing.announce(tx, "board:incidents", "opened", {}))
    await until(lambda: len(ear.heard("opened")) == 1)
    ear.principal = user(1)
    await reserved.access.recheck()
    assert [told["channel"] for told in ear.heard("realtime:error")] == ["board:incidents"]


async def test_what_cannot_be_is_refused(reserved: Desk) -> None:
    for pattern in ("", "a b", "table:public.x"):
        with pytest.raises(InvalidPattern):
            await reserved.publishing.reserve_channel(reserved.transactions, pattern, "")
    with pytest.raises(ChannelNotFound):
        await reserved.transactions.writing(lambda tx: reserved.publishing.announce(tx, "nowhere", "e", {}))
    huge = {"x": "y" * 70_000}
    with pytest.raises(InvalidChannelRequest):
        await reserved.transactions.writing(lambda tx: reserved.publishing.announce(tx, "board:a", "e", huge))


async def test_a_channel_is_reserved_again_at_every_start(reserved: Desk) -> None:
    await reserved.say("update realtime.channels set description = 'mine' where pattern = 'board:%'")
    await reserved.publishing.reserve_channel(reserved.transactions, "board:%", "Scores")
    assert await reserved.say("select description from realtime.channels where pattern = 'board:%'") == "mine"
