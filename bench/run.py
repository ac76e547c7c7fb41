"""Run every benchmark, or one: `python -m bench.run [--only NAME]`."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

_BENCH = Path(__file__).resolve().parent
_NAMES = sorted(script.stem for script in _BENCH.glob("*.py") if script.stem != "run")


def main() -> int:
    """Each benchmark in a process of its own; 1 when one of them is below a bar."""
    parser = argparse.ArgumentParser(description="Measure what is promised; exits 1 below a bar.")
    parser.add_argument("--only", choices=_NAMES, metavar="NAME", help=f"one of {', '.join(_NAMES)}")
    only = parser.parse_args().only
    busy = os.getloadavg()[0]
    if busy > 1:
        print(f"The machine is busy already (load {busy:.1f}): distrust what follows.")
    failed: list[str] = []
    for name in [only] if only else _NAMES:
        print(f"\n== {name} ==", flush=True)
        # As a module: with this folder first on the path, http.py would hide the standard library's http.
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], cwd=_BENCH.parent, check=False).returncode:
            failed.append(name)
    if failed:
        print(f"\nbelow a bar, or unable to measure: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
