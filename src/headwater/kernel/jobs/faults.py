"""What can be wrong with a job: told to the observer and the log, never to a caller."""

from traceback import format_exception

_LONGEST_ERROR = 1_000
_LONGEST_TRACEBACK = 8_000


class WrongDeclaration(ValueError):
    """A job or timer that is declared as it cannot be."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")


class UndeclaredJob(LookupError):
    """A job that no component of this process declares; nothing of it is lost, it waits for one that does."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No component here declares a job {name!r}")


class WrongArguments(TypeError):
    """A job called with something else than the struct it declares."""

    def __init__(self, name: str, expected: type, given: type) -> None:
        super().__init__(f"The job {name!r} takes {expected.__name__}, not {given.__name__}")


class WorkerLost(RuntimeError):
    """Every attempt at a job ended with the loss of its worker."""

    def __init__(self, attempts: int) -> None:
        super().__init__(f"{attempts} attempts ended with the loss of their worker")


def told_error(failure: BaseException) -> str:
    """A failure in one line, as Postgres can keep it."""
    return f"{type(failure).__name__}: {failure}".replace("\0", "")[:_LONGEST_ERROR]


def told_traceback(failure: BaseException) -> str:
    """Where a failure came from; the end of it, if it is long, and no local variables: secrets may be in them."""
    return "".join(format_exception(failure)).replace("\0", "")[-_LONGEST_TRACEBACK:]
