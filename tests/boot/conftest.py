"""Fixtures of the tests of boot, beyond everybody's."""

from tests.kit.rest import rest, their_postgres

__all__ = ["rest", "their_postgres"]
