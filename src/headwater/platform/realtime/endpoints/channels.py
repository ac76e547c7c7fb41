"""Where the admin cares for channels."""

from headwater.kernel.component import Access, Endpoint, Mode, PlatformEnvelope
from headwater.kernel.errors import InvalidInput, Refusal
from headwater.kernel.models import Reply
from headwater.platform.realtime.errors import InvalidChannelRequest
from headwater.platform.realtime.models import (
    Channel,
    ChannelChange,
    ChannelId,
    ChannelRemoved,
    NewChannel,
    Permissions,
    RealtimeContents,
)
from headwater.platform.realtime.operations import Channels

PATH = "/api/realtime/channels"


class ChannelEnvelope(PlatformEnvelope):
    """The platform's, with a code of its own for a request about channels that cannot be understood."""

    def refuse(self, refusal: Refusal) -> Reply:
        """The refusal; `REALTIME_INVALID_CHANNEL_REQUEST` stands in for `INVALID_INPUT` (contracts/platform.md 1.1)."""
        if isinstance(refusal, InvalidInput):
            return super().refuse(InvalidChannelRequest(reason=refusal.message))
        return super().refuse(refusal)


ENVELOPE = ChannelEnvelope()
CHANNELS = (
    Endpoint(
        method="GET",
        path=PATH,
        operation=Channels.list_channels,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=list[Channel],
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="POST",
        path=PATH,
        operation=Channels.add_channel,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=NewChannel,
        status=201,
        result=Channel,
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="GET",
        path=f"{PATH}/{{id}}",
        operation=Channels.find_channel,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=ChannelId,
        result=Channel,
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="PUT",
        path=f"{PATH}/{{id}}",
        operation=Channels.update_channel,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=ChannelChange,
        result=Channel,
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="DELETE",
        path=f"{PATH}/{{id}}",
        operation=Channels.remove_channel,
        access=Access.ADMIN,
        transaction=Mode.NONE,
        body=ChannelId,
        result=ChannelRemoved,
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="GET",
        path="/api/realtime/permissions",
        operation=Channels.list_permissions,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=Permissions,
    ),
    Endpoint(
        method="GET",
        path="/api/metadata/realtime",
        operation=Channels.describe_realtime,
        access=Access.ADMIN,
        transaction=Mode.READING,
        result=RealtimeContents,
    ),
)
