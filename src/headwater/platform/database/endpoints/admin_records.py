"""Where the admin looks at rows and changes them."""

from headwater.kernel.component import MEBIBYTE, Access, Endpoint, Mode
from headwater.kernel.models import RawRequest
from headwater.platform.database.models import (
    ChangedRecord,
    DeletedRecords,
    EndedRecords,
    ListRecords,
    RecordList,
)
from headwater.platform.database.operations import AdminRecords

_PATH = "/api/database/admin/tables/{table}/records"
_LONGEST = 35.0
"""Above the statement timeout, so that Postgres is the one who says that it took too long."""
_LARGEST = 10 * MEBIBYTE

ENDPOINTS = (
    Endpoint(
        method="GET",
        path=_PATH,
        operation=AdminRecords.list_records,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=ListRecords,
        result=RecordList,
        partial=True,
        timeout=_LONGEST,
    ),
    Endpoint(
        method="GET",
        path=f"{_PATH}/lookup",
        operation=AdminRecords.find_record,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=RawRequest,
        result=dict[str, object] | None,
        timeout=_LONGEST,
    ),
    Endpoint(
        method="POST",
        path=_PATH,
        operation=AdminRecords.create_records,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=RawRequest,
        result=RecordList,
        status=201,
        body_limit=_LARGEST,
        timeout=_LONGEST,
    ),
    Endpoint(
        method="PATCH",
        path=_PATH,
        operation=AdminRecords.update_record,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=ChangedRecord,
        result=dict[str, object],
        body_limit=_LARGEST,
        timeout=_LONGEST,
    ),
    Endpoint(
        method="DELETE",
        path=_PATH,
        operation=AdminRecords.delete_records,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=EndedRecords,
        result=DeletedRecords,
        timeout=_LONGEST,
    ),
)
