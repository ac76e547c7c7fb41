"""Headwater: a self-hosted, real-time application backend."""

__version__ = "0.1.0"
