"""What identity does after a commit, and by the clock."""

from datetime import timedelta

from headwater.kernel.component import Job, Timer
from headwater.platform.identity.models import CodeToSend, EmailChangeToSend
from headwater.platform.identity.operations import AnonymousUsers, EmailChanges, Identity, Mailing, Verification
from headwater.platform.identity.operations.email_changes import SEND_CODES
from headwater.platform.identity.operations.letters import SEND_CODE

JOBS = (
    Job(name=SEND_CODE, arguments=CodeToSend, operation=Verification.send_code, holds_connection=False),
    Job(name=SEND_CODES, arguments=EmailChangeToSend, operation=EmailChanges.send_codes, holds_connection=False),
)
TIMERS = (
    Timer(name="identity.remove_expired", every=timedelta(minutes=10), operation=Identity.remove_expired),
    Timer(name="identity.remove_idle_anonymous", every=timedelta(hours=1), operation=AnonymousUsers.remove_idle),
    Timer(name="identity.remove_expired_codes", every=timedelta(hours=1), operation=Mailing.remove_expired),
)
