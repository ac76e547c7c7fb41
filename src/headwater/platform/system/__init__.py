"""System: health, readiness, metrics, documentation and metadata; how jobs are.

Tables: none. Endpoints: GET /api/health, /health, /ready, /metrics, /openapi.json, /docs, /, /api/metadata,
/api/metadata/project-id; /api/jobs, and their failures listed, retried and discarded. Events: none. Limits: the house's
own. Inner state is told to callers on this machine and to the admin only.
"""

from headwater.kernel.component import Component, HealthCheck
from headwater.platform.system import errors
from headwater.platform.system.endpoints import ENDPOINTS
from headwater.platform.system.operations import Jobs, System

COMPONENT = Component(
    name="system",
    package=__name__,
    operations=(System, Jobs),
    endpoints=ENDPOINTS,
    errors=errors,
    health_checks=(HealthCheck(name="database", operation=System.reach_database),),
)

__all__ = ["COMPONENT", "Jobs", "System"]
