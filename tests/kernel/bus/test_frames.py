"""Joined payloads stay under Postgres' limit and lose nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.kernel.bus.bus import MessageTooLarge
from headwater.kernel.bus.frames import MESSAGE_LIMIT, join, pack, read_frame

messages = st.lists(st.tuples(st.text(max_size=40), st.binary(max_size=3000)), max_size=12)


@given(messages, st.integers(0, 2**62))
def test_messages_arrive_in_order_in_payloads_under_8000_bytes(messages: list[tuple[str, bytes]], serial: int) -> None:
    payloads = join("f" * 32, serial, [pack(topic, message) for topic, message in messages])
    assert all(len(payload.encode()) < 8000 for payload in payloads)
    frames = [read_frame(payload) for payload in payloads]
    assert [message for frame in frames for message in frame.messages] == messages
    assert [frame.serial for frame in frames] == list(range(serial, serial + len(frames)))


def test_small_messages_share_a_payload() -> None:
    assert len(join("s", 0, [pack("topic", b"x" * 10)] * 100)) == 1


def test_a_message_beyond_the_limit_is_refused_by_name() -> None:
    pack("rooms", b"x" * (MESSAGE_LIMIT * 3 // 4 - 30))
    with pytest.raises(MessageTooLarge, match="'rooms' takes 10012 bytes"):
        pack("rooms", b"x" * 7500)
