"""What the system refuses."""

from headwater.kernel.errors import Refusal


class NothingMeant(Refusal):
    """A change of failed jobs that does not say which, or says it twice."""

    code = "INVALID_INPUT"
    status = 400
    sentence = "Say which failed jobs are meant: exactly one of id, job and all"


class NoSuchFailure(Refusal):
    """No failed job is kept under the id or the name."""

    code = "NOT_FOUND"
    status = 404
    sentence = "No failed job is kept under {meant}"
