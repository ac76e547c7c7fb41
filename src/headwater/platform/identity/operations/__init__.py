"""The verbs of identity, a class for each noun."""

from headwater.platform.identity.operations.accounts import (
    Identity,
)

__all__ = [
    "Identity",
]
