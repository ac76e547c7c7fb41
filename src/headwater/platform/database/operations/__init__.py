"""The verbs of the admin's side of the database, a class for each noun."""

from headwater.platform.database.operations.tables import (
    DatabaseAdmin,
)

__all__ = [
    "DatabaseAdmin",
]
