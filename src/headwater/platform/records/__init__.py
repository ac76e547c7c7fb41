"""Rows over HTTP in the PostgREST dialect.

Tables: none of its own. It reads and changes the developer's, as the caller's role, under row-level security.
Endpoints: `/api/database/records/{table}` and, exactly as PostgREST answers, `/rest/v1/{table}`; described at
`/api/database/openapi.json` and `/rest/v1/`.
Events, limits: none.
"""

from headwater.kernel.component import Component
from headwater.platform.records import errors
from headwater.platform.records.endpoints import ENDPOINTS, ENVELOPES, EXACT_MOUNT
from headwater.platform.records.models import RecordsSettings
from headwater.platform.records.operations import Batches, Descriptions, Records

COMPONENT = Component(
    name="records",
    package=__name__,
    operations=(Records, Batches, Descriptions),
    endpoints=ENDPOINTS,
    envelopes=ENVELOPES,
    errors=errors,
)

__all__ = ["COMPONENT", "EXACT_MOUNT", "Batches", "Descriptions", "Records", "RecordsSettings"]
