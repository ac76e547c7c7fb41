"""What a socket is told when a message of its cannot be taken in."""

from headwater.kernel.errors import Refusal


class MalformedMessage(Refusal):
    """The message is not what this socket speaks."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "{reason}"


class TooManyMessages(Refusal):
    """The socket sends faster than it may; this message was not taken in."""

    code = "TOO_MANY_REQUESTS"
    status = 429
    sentence = "Too many messages: at most {count} a second"


class NotAcknowledged(Refusal):
    """The client did not acknowledge an event in time, or left."""

    code = "NOT_ACKNOWLEDGED"
    status = 504
    sentence = "The client did not acknowledge {event}"
