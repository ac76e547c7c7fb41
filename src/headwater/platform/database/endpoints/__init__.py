"""Where the admin's side of the database is reached."""

from headwater.platform.database.endpoints import tables

ENDPOINTS = tables.ENDPOINTS
