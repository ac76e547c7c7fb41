"""Assembles the house; the only place that knows everyone."""
