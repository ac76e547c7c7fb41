"""The trace itself: it notes only what is followed, and a wrong order does not pass."""

import pytest

from tests.flows.trace import Trace


class Bell:
    """Something to watch."""

    def ring(self) -> None: ...


def test_only_what_is_followed_is_noted(trace: Trace) -> None:
    trace.watch(Bell, "ring")
    Bell().ring()
    with trace.following():
        Bell().ring()
    Bell().ring()
    assert trace.steps == ["call: Bell.ring"]


def test_a_wrong_order_and_a_missing_step_do_not_pass(trace: Trace) -> None:
    trace.steps = ["stage: limit", "take: a", "call: b", "give back: a", "stage: respond"]
    trace.must_pass("stage: limit", "call: *", "stage: respond")
    with pytest.raises(pytest.fail.Exception, match="drawn order: stage: limit"):
        trace.must_pass("call: b", "stage: limit")
    with pytest.raises(pytest.fail.Exception):
        trace.must_pass("stage: limit", "stage: limit")
    with pytest.raises(AssertionError):
        trace.must_not_pass("call: *")
    assert trace.holds_a_connection_at("call: b")
    assert not trace.holds_a_connection_at("stage: respond")
