"""How much memory processes hold, as Linux counts it."""

from pathlib import Path

from bench.kit.machine import children_of

MEBI = 1024 * 1024


def proportional_bytes(process: int) -> int:
    """What a process and all its children hold; pages they share are counted once (Pss of smaps_rollup)."""
    total = 0
    for each in (process, *children_of(process)):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += next(_bytes(line) for line in lines if line.startswith("Pss:"))
    return total


def resident_bytes(process: int) -> int:
    """What one process has in memory now."""
    return _status(process, "VmRSS:")


def peak_bytes(process: int) -> int:
    """The most that one process had in memory since `forget_peak`."""
    return _status(process, "VmHWM:")


def forget_peak(process: int) -> None:
    """Begin anew to look for the most (proc(5), clear_refs)."""
    Path(f"/proc/{process}/clear_refs").write_text("5")


def _status(process: int, name: str) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(_bytes(line) for line in lines if line.startswith(name))


def _bytes(line: str) -> int:
    return int(line.split()[1]) * 1024
