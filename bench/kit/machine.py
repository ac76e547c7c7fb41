"""Which core does what: the server under test has one to itself, Postgres and the load generator share the other."""

import os
from pathlib import Path

SERVER_CORE = 0
HELPERS_CORE = 1


def pinned(command: list[str], core: int) -> list[str]:
    """The command, held to one core from its first thread on."""
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("A benchmark needs two cores: one for the server, one for Postgres and the load generator.")
    return ["taskset", "-c", str(core), *command]


def children_of(process: int) -> list[int]:
    """The processes started by this one, at any depth; those that ended meanwhile are left out."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(_fields(int(entry.name))[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found = [process]
    for parent in found:
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return found[1:]


def processor_seconds(process: int) -> float:
    """Processor time of one process, all threads, user and system."""
    fields = _fields(process)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def seconds_waiting(process: int) -> float:
    """How long the main thread was ready to run and the core was given to somebody else."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) / 1e9


def move(process: int, core: int) -> None:
    """Hold a running process, its threads and its children to one core; what it starts later inherits that."""
    for each in (process, *children_of(process)):
        for thread in Path(f"/proc/{each}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})


def _fields(process: int) -> list[str]:
    """/proc/PID/stat from the state on: the name before it may hold spaces and parentheses."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
