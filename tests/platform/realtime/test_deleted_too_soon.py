"""Messages that are deleted before a node has told them: whoever may have missed one is cut off, and learns it."""

from typing import Any

import pytest

from headwater.kernel.sockets import CloseReason
from headwater.platform.realtime.delivery import Delivery
from tests.kit.sockets import until
from tests.platform.realtime.conftest import Desk, quiet


def delete_before_reading(patch: pytest.MonkeyPatch, desk: Desk) -> None:
    """From now on the whole log is deleted whenever this node is about to read."""
    read = Delivery._read

    async def read_too_late(*asked: Any) -> Any:
        await desk.say("delete from realtime.messages where place is not null")
        return await read(desk.delivery, *asked)

    patch.setattr(desk.delivery, "_read", read_too_late)


async def test_a_node_that_lags_cuts_its_listeners_off(
    desk: Desk, other: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear, _ = await desk.connect()
    speaker, _ = await other.connect()
    idle, _ = await desk.connect()
    heard = await desk.subscribe(ear, "news")
    await other.subscribe(speaker, "news")
    await quiet()
    with monkeypatch.context() as patch:
        delete_before_reading(patch, desk)
        await other.publish(speaker, "news", number=1)
        await until(lambda: ear.reason is not None)
    assert (ear.reason, ear.heard("said")) == (CloseReason.FAILED, [])
    assert idle.connected, "who hears nothing has missed nothing"
    again, _ = await desk.connect()
    answer = await desk.subscribe(again, "news", (heard.offset, heard.epoch))
    assert (answer.recovered, answer.offset) == (False, 1)
    await other.publish(speaker, "news", number=2)
    await until(lambda: again.heard("said"))
    assert [message["meta"]["offset"] for message in again.heard("said")] == [2]


async def test_a_client_that_is_being_brought_up_is_cut_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    speaker, _ = await desk.connect()
    await desk.subscribe(speaker, "news")
    place = await desk.publish(speaker, "news", number=1)
    await desk.publish(speaker, "news", number=2)
    assert place.offset is not None and place.epoch is not None
    ear, _ = await desk.connect()
    with monkeypatch.context() as patch:
        delete_before_reading(patch, desk)
        answer = await desk.subscribe(ear, "news", (place.offset, place.epoch))
        assert answer.recovered
        await until(lambda: ear.reason is not None)
    assert (ear.reason, ear.heard("said")) == (CloseReason.FAILED, [])
    assert speaker.connected, "who had everything has missed nothing"
    again, _ = await desk.connect()
    assert not (await desk.subscribe(again, "news", (place.offset, place.epoch))).recovered
