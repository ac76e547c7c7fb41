"""Every refusal of realtime (codes of contracts/platform.md 1.6)."""

from headwater.kernel.errors import Refusal


class ChannelNotFound(Refusal):
    """No channel has this id."""

    code = "REALTIME_CHANNEL_NOT_FOUND"
    status = 404
    sentence = "Channel not found"


class InvalidPattern(Refusal):
    """The pattern of a channel is not of the grammar."""

    code = "REALTIME_INVALID_CHANNEL_PATTERN"
    status = 400
    sentence = (
        "pattern: must be segments joined by ':', the first of letters, digits and hyphens, the others also of '%', "
        "and more than a bare '%'"
    )


class InvalidChannelRequest(Refusal):
    """A channel or a message cannot be understood; the sentence names the field."""

    code = "REALTIME_INVALID_CHANNEL_REQUEST"
    status = 400
    sentence = "{reason}"


class ChannelExists(Refusal):
    """Another channel has this pattern."""

    code = "ALREADY_EXISTS"
    status = 409
    sentence = "A channel with the pattern {pattern} exists already"


class SubscribeRefused(Refusal):
    """No enabled channel matches, or the policies do not show it to the caller: which of them, nobody is told."""

    code = "REALTIME_UNAUTHORIZED"
    status = 403
    sentence = "Not authorized to subscribe to channel: {channel}"


class PublishRefused(Refusal):
    """No enabled channel matches, or the policies do not let the caller publish there."""

    code = "REALTIME_UNAUTHORIZED"
    status = 403
    sentence = "Not authorized to publish to channel: {channel}"


class NotSubscribed(Refusal):
    """A socket may publish only where it is subscribed."""

    code = "REALTIME_NOT_SUBSCRIBED"
    status = 409
    sentence = "Not subscribed to channel: {channel}"


class ReservedEvent(Refusal):
    """The name of the event is the house's own, or one that would end the connection of every client that hears it."""

    code = "REALTIME_INVALID_CHANNEL_REQUEST"
    status = 400
    sentence = "{field}: {event} is reserved: choose another name"


class UnfitMessage(Refusal):
    """Postgres does not take the message; the sentence is its own."""

    code = "REALTIME_INVALID_CHANNEL_REQUEST"
    status = 400
    sentence = "{reason}"


class TooManyChannels(Refusal):
    """The socket is subscribed to as many channels as one may be."""

    code = "REALTIME_TOO_MANY_CHANNELS"
    status = 429
    sentence = "One socket may be subscribed to {most} channels"


class TableNotFound(Refusal):
    """There is no such table, or it tells nothing."""

    code = "REALTIME_TABLE_NOT_FOUND"
    status = 404
    sentence = "Table not found: {table}"


class UnfitTable(Refusal):
    """The table cannot tell its changes; the sentence says why."""

    code = "REALTIME_INVALID_TABLE"
    status = 400
    sentence = "{reason}"


class WebhookRefused(Refusal):
    """A webhook did not take a message; it is sent again."""

    code = "UPSTREAM_FAILURE"
    status = 502
    sentence = "{host} answered {status} to a message"
