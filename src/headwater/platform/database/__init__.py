"""Database: tables and SQL, for the project's admin.

Tables: none of its own; it makes the developer's, in the schemas the developer owns.
Endpoints: GET and POST /api/database/tables, GET /api/database/tables/{table}/schema,
DELETE /api/database/tables/{table}, POST /api/database/advance/rawsql and …/rawsql/unrestricted; all for the admin.
Events: none. Limits: the house's own.
"""

from headwater.kernel.component import Component
from headwater.platform.database import errors
from headwater.platform.database.endpoints import ENDPOINTS
from headwater.platform.database.operations import DatabaseAdmin

COMPONENT = Component(name="database", package=__name__, operations=DatabaseAdmin, endpoints=ENDPOINTS, errors=errors)

__all__ = ["COMPONENT", "DatabaseAdmin"]
