"""The tests of Sample app."""
