"""Fraud: what is known of players and devices, and whether what they send looks wrong."""

from headwater.apps.scoreboard.fraud.fraud import Fraud

__all__ = ["Fraud"]
