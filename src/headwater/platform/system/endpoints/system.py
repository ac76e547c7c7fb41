"""The endpoints by which the system tells of itself."""

from headwater.kernel.clock import encode
from headwater.kernel.component import Access, Endpoint, FromAddress, Mode
from headwater.kernel.models import Reply
from headwater.platform.system import rules
from headwater.platform.system.models import Alive, AskingAddress, HealthReport, ProjectId, Readiness
from headwater.platform.system.operations import System

_UNCACHED = (("cache-control", "no-store"),)


def tell_health(report: object) -> Reply:
    """A health report, whose status load balancers understand."""
    status = rules.status_of(report) if isinstance(report, HealthReport) else 200
    return Reply(status=status, headers=_UNCACHED, body=encode(report))


def tell_readiness(readiness: object) -> Reply:
    """Readiness, whose status load balancers understand."""
    ready = isinstance(readiness, Readiness) and readiness.ready
    return Reply(status=200 if ready else 503, headers=_UNCACHED, body=encode(readiness))


SYSTEM_ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/health",
        operation=System.greet,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        result=Alive,
    ),
    Endpoint(
        method="GET",
        path="/health",
        operation=System.report_health,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        body=AskingAddress,
        inputs={"address": FromAddress()},
        result=HealthReport,
        reply=tell_health,
    ),
    Endpoint(
        method="GET",
        path="/ready",
        operation=System.report_readiness,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        result=Readiness,
        reply=tell_readiness,
    ),
    Endpoint(
        method="GET",
        path="/metrics",
        operation=System.report_metrics,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        result=str,
        media_types=("text/plain",),
        local_only=True,
    ),
    Endpoint(
        method="GET",
        path="/openapi.json",
        operation=System.describe_api,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        result=dict[str, object],
    ),
    Endpoint(
        method="GET",
        path="/docs",
        operation=System.show_documentation,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        result=str,
        media_types=("text/html",),
    ),
    Endpoint(
        method="GET",
        path="/",
        operation=System.show_way_in,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        status=302,
    ),
    Endpoint(
        method="GET",
        path="/api/metadata",
        operation=System.describe_metadata,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=dict[str, object],
    ),
    Endpoint(
        method="GET",
        path="/api/metadata/project-id",
        operation=System.find_project,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        result=ProjectId,
    ),
)
