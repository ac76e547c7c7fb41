"""Where the advisor's scans are asked for, and what it is silent about."""

from headwater.kernel.component import Access, Endpoint, Mode
from headwater.platform.database.models import (
    ExplainedSuppression,
    IssueList,
    NamedSuppression,
    RemovedSuppression,
    Scan,
    StartedScan,
    Suppression,
    SuppressionList,
    WantedIssues,
    WantedSuppression,
)
from headwater.platform.database.operations import Scans

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/api/advisor/scan",
        operation=Scans.scan,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        result=StartedScan,
        status=201,
    ),
    Endpoint(
        method="GET",
        path="/api/advisor/latest",
        operation=Scans.show_latest_scan,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=Scan | None,
    ),
    Endpoint(
        method="GET",
        path="/api/advisor/issues",
        operation=Scans.list_issues,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=WantedIssues,
        result=IssueList,
    ),
    Endpoint(
        method="GET",
        path="/api/advisor/suppressions",
        operation=Scans.list_suppressions,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=SuppressionList,
    ),
    Endpoint(
        method="POST",
        path="/api/advisor/suppressions",
        operation=Scans.add_suppression,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=WantedSuppression,
        result=Suppression,
        status=201,
    ),
    Endpoint(
        method="PATCH",
        path="/api/advisor/suppressions/{id}",
        operation=Scans.explain_suppression,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=ExplainedSuppression,
        result=Suppression,
    ),
    Endpoint(
        method="DELETE",
        path="/api/advisor/suppressions/{id}",
        operation=Scans.remove_suppression,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=NamedSuppression,
        result=RemovedSuppression,
    ),
)
