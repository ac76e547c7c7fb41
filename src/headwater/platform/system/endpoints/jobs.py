"""The endpoints of jobs, for the admin."""

from headwater.kernel.component import Access, Endpoint, Mode
from headwater.kernel.jobs import FailedJob, Overview, Retried
from headwater.platform.system.models import Discarded, FailuresAsked, FailuresMeant
from headwater.platform.system.operations import Jobs

JOB_ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/jobs",
        operation=Jobs.list_jobs,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=Overview,
    ),
    Endpoint(
        method="GET",
        path="/api/jobs/failures",
        operation=Jobs.list_failures,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=FailuresAsked,
        result=list[FailedJob],
    ),
    Endpoint(
        method="POST",
        path="/api/jobs/failures/retry",
        operation=Jobs.retry_failures,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=FailuresMeant,
        result=Retried,
    ),
    Endpoint(
        method="POST",
        path="/api/jobs/failures/discard",
        operation=Jobs.discard_failures,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=FailuresMeant,
        result=Discarded,
    ),
)
