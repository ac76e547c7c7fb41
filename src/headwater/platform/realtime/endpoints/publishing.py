"""Publishing by REST."""

from headwater.kernel.component import Access, Endpoint, Mode
from headwater.platform.realtime.endpoints.channels import ENVELOPE
from headwater.platform.realtime.models import MessageToPublish, PlacedMessage
from headwater.platform.realtime.operations import Publishing

PUBLISHING = (
    Endpoint(
        method="POST",
        path="/api/realtime/channels/{id}/messages",
        operation=Publishing.publish_to,
        access=Access.CALLER,
        transaction=Mode.NONE,
        body=MessageToPublish,
        status=202,
        result=PlacedMessage,
        envelope=ENVELOPE,
    ),
)
