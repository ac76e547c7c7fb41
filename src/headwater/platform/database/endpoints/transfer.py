"""The endpoints that move many rows."""

from headwater.kernel.component import MEBIBYTE, Access, Endpoint, Mode
from headwater.kernel.models import RawRequest
from headwater.platform.database.models import Export, Imported, LoadedRows, RunningLoads, WantedExport
from headwater.platform.database.operations import Loads, Transfers

_FILE_LIMIT = 256 * MEBIBYTE
_SCRIPT_LIMIT = 64 * MEBIBYTE
_FILE_SECONDS = 660.0
"""Above the statement timeout, so that Postgres is the one who says that a statement took too long."""

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/api/database/advance/bulk-upsert",
        operation=Loads.bulk_upsert,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=RawRequest,
        result=LoadedRows,
        body_limit=_FILE_LIMIT,
        spooled=True,
        timeout=_FILE_SECONDS,
    ),
    Endpoint(
        method="GET",
        path="/api/database/advance/bulk-upsert",
        operation=Loads.list_loads,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        result=RunningLoads,
    ),
    Endpoint(
        method="POST",
        path="/api/database/advance/export",
        operation=Transfers.export_tables,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=WantedExport,
        result=Export,
    ),
    Endpoint(
        method="POST",
        path="/api/database/advance/import",
        operation=Transfers.import_file,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=RawRequest,
        result=Imported,
        body_limit=_SCRIPT_LIMIT,
        spooled=True,
        timeout=_FILE_SECONDS,
    ),
)
