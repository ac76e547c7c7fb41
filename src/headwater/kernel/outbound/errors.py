"""Why somebody else was not asked, or did not answer."""

from headwater.kernel.errors import Refusal


class UnusableCall(Refusal):
    """The URL is none of http or https, or hides a name and a password; or a header would break out of its line."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "The call cannot be made: {reason}"


class PrivateAddress(Refusal):
    """The name leads to this machine or into a private network."""

    code = "FORBIDDEN"
    status = 403
    sentence = "{host} leads to a private address: list it in HEADWATER_OUTBOUND_ALLOWED_HOSTS if it may be called"


class UpstreamUnreachable(Refusal):
    """The host is not to be found, takes no connection, breaks it off, or takes too long."""

    code = "UPSTREAM_FAILURE"
    status = 502
    sentence = "{host} cannot be reached: {reason}"


class CircuitOpen(Refusal):
    """The host has failed too often in a row and is left alone for a while."""

    code = "UPSTREAM_FAILURE"
    status = 503
    sentence = "{host} has failed repeatedly: it is asked again in {seconds} s"


class HostsLeftAlone(Refusal):
    """Hosts have failed repeatedly and are not asked just now."""

    code = "UPSTREAM_FAILURE"
    status = 503
    sentence = "Failed repeatedly and left alone for a while: {hosts}"


class AnswerTooLarge(Refusal):
    """The answer is larger than what asked wants to hold."""

    code = "UPSTREAM_FAILURE"
    status = 502
    sentence = "The answer of {host} is larger than {limit} bytes"


class AnswerUnreadable(Refusal):
    """The answer is packed in a way that was not asked for, or packed wrongly."""

    code = "UPSTREAM_FAILURE"
    status = 502
    sentence = "The answer of {host} cannot be unpacked"


class TooManyRedirects(Refusal):
    """The host sends on and on, or from https to http."""

    code = "UPSTREAM_FAILURE"
    status = 502
    sentence = "{host} redirects {how}"
