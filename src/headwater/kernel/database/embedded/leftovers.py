"""Processes that an earlier server of a cluster left alive, and how they are brought to an end."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

LEADER_FILE = "postmaster.pid"


async def end_leftovers(cluster: Path, patience: float) -> tuple[int, ...]:
    """End every PostgreSQL process that still works in `cluster`; who they were.

    Only the holder of the folder's lock may call this. An orphaned leader gets a fast shutdown; backends whose leader
    was killed notice it by themselves and are only waited for; whoever stays is killed. A server that started while
    one of them lived would write to the same files.
    """
    found = await asyncio.to_thread(processes_of, cluster)
    if found:
        leader = leader_of(cluster)
        if leader in found:
            _signal([leader], signal.SIGINT)
        if not await _gone(cluster, patience):
            _signal(processes_of(cluster), signal.SIGQUIT)
            if not await _gone(cluster, 3):
                _signal(processes_of(cluster), signal.SIGKILL)
                await _gone(cluster, 3)
    _remove_stale_leader_file(cluster)
    return found


def leader_of(cluster: Path) -> int | None:
    """The process id that the cluster's leader wrote down, dead or alive."""
    try:
        return int((cluster / LEADER_FILE).read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def processes_of(cluster: Path) -> tuple[int, ...]:
    """The living PostgreSQL processes of `cluster`; where there is no /proc, at most its leader."""
    if sys.platform == "linux":
        return tuple(pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if _works_in(pid, cluster))  # noqa: PTH208 names are enough
    leader = leader_of(cluster)
    if leader is None:
        return ()
    shown = subprocess.run(
        ["/bin/ps", "-p", str(leader), "-o", "command="], check=False, capture_output=True, text=True
    )
    return (leader,) if str(cluster) in shown.stdout else ()


def _works_in(pid: int, cluster: Path) -> bool:
    """True for a PostgreSQL program whose working folder is `cluster`, as is that of all its processes."""
    try:
        folder = os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115 the kernel's text, not a path to follow
        program = os.readlink(f"/proc/{pid}/exe")  # noqa: PTH115
    except OSError:
        return False
    return folder == str(cluster) and program.rpartition("/")[2].startswith("postgres")


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


async def _gone(cluster: Path, patience: float) -> bool:
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while await asyncio.to_thread(processes_of, cluster):
        if loop.time() >= end:
            return False
        await asyncio.sleep(0.02)
    return True


def _remove_stale_leader_file(cluster: Path) -> None:
    """Remove the leader's file where its number now belongs to a stranger, as it soon does in a restarted container.

    PostgreSQL would take the stranger for a living leader and refuse to start. Where the number is free it looks
    after the file itself, and checks the shared memory that the file names.
    """
    leader = leader_of(cluster)
    if leader is None or sys.platform != "linux":
        return
    if Path(f"/proc/{leader}").exists() and leader not in processes_of(cluster):
        (cluster / LEADER_FILE).unlink(missing_ok=True)
