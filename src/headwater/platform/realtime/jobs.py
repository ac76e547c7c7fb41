"""What realtime does after a commit, and by the clock."""

from datetime import timedelta

from headwater.kernel.component import Job, Timer
from headwater.platform.realtime.log import CALL_WEBHOOK
from headwater.platform.realtime.models import OldMessages, WebhookCall
from headwater.platform.realtime.operations import History, Webhooks
from headwater.platform.realtime.operations.history import REMOVE_OLD

JOBS = (
    Job(
        name=CALL_WEBHOOK,
        arguments=WebhookCall,
        operation=Webhooks.call_webhook,
        holds_connection=False,
        attempts=10,
        backoff=timedelta(seconds=5),
        timeout=timedelta(seconds=30),
        priority=-1,  # a flood of messages does not hold up letters with codes
    ),
    Job(
        name=REMOVE_OLD,
        arguments=OldMessages,
        operation=History.remove_old_messages,
        holds_connection=False,
        timeout=timedelta(minutes=10),
        unique=lambda _old: "all",
    ),
)
TIMERS = (
    Timer(name="realtime.remove_old_messages", every=timedelta(hours=1), operation=History.call_for_removal),
    Timer(name="realtime.remove_sessions", every=timedelta(minutes=1), operation=History.remove_sessions),
)
