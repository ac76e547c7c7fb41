"""The tests of ranks."""
