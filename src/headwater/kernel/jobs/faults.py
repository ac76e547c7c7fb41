"""What can be wrong with a job: told to the observer and the log, never to a caller."""


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
