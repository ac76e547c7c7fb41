"""The lists of what no check shows are true, and a method without a check is found."""

import pytest

from tests.conformance.conftest import Outcome
from tests.conformance.runs import HERE
from tests.conformance.surface import (
    LATER,
    NEVER_REFUSED,
    PACKAGES,
    REFUSED_UNTIL_LATER,
    holes,
    is_of,
    methods_of,
    surface,
)

pytestmark = pytest.mark.needs("node", "npm")


def test_every_package_is_looked_at() -> None:
    assert tuple(surface()) == PACKAGES
    assert all(methods_of(package) for package in PACKAGES)


def test_what_is_excused_is_there() -> None:
    """An excuse for what is gone, or for what works by now, is struck out."""
    methods = {method for package in PACKAGES for method in methods_of(package)}
    assert {*REFUSED_UNTIL_LATER, *NEVER_REFUSED} <= methods
    labels = {label for classes in surface().values() for label in classes}
    for module in LATER:
        assert any(is_of(label, module) for label in labels), module
        assert not (HERE / f"sdk_{module.removeprefix('client.')}.mjs").exists(), f"{module} is no longer for later"


def test_a_method_without_a_check_is_told() -> None:
    called = frozenset({"client.auth.signUp", "client.auth.signOut"})
    outcomes = [
        ("signUp and signOut work", Outcome(None, called)),
        ("signUp of nobody is refused", Outcome(None, called)),
        ("verifyOtp is named and not called, and refused", Outcome(None, called)),
    ]
    methods = ("client.auth.signUp", "client.auth.signOut", "client.auth.verifyOtp")
    assert holes(methods, outcomes) == [
        "client.auth.verifyOtp: no check shows that it works",
        "client.auth.verifyOtp: no check shows where it is refused",
    ]
    assert holes(methods[:1], [(name, Outcome("failed", called)) for name, _ in outcomes]) != []
