"""Mechanisms that know no app."""
