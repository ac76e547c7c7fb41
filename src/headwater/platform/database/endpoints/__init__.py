"""Where the admin's side of the database is reached."""

from headwater.platform.database.endpoints import (
    admin_records,
    advisor,
    alterations,
    backups,
    inventory,
    migrations,
    objects,
    scans,
    tables,
    transfer,
)

ENDPOINTS = (
    tables.ENDPOINTS
    + alterations.ENDPOINTS
    + objects.ENDPOINTS
    + migrations.ENDPOINTS
    + transfer.ENDPOINTS
    + backups.ENDPOINTS
    + admin_records.ENDPOINTS
    + advisor.ENDPOINTS
    + scans.ENDPOINTS
    + inventory.ENDPOINTS
)
