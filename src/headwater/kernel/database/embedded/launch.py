"""The little program between us and PostgreSQL: become the unprivileged user, promise to end with the parent, exec."""

import ctypes
import os
import signal
import sys

# Run as a file by a bare interpreter, so nothing of ours is imported. It stands in for `preexec_fn`, which is not safe
# beside threads, and for `user=`, which uvloop does not offer.
PR_SET_PDEATHSIG = 1


def main(uid: int, gid: int, parent: int, command: list[str]) -> None:
    """Replace this process by `command`, run as `uid` and `gid`; it is interrupted when `parent` dies (Linux)."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    os.chdir("/")
    if sys.platform == "linux":
        # After setuid, which clears it. SIGINT is PostgreSQL's fast shutdown, and makes initdb remove what it began.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:
        sys.exit("the parent died before PostgreSQL was started")
    os.execv(command[0], command)  # noqa: S606 the program is ours, and a shell is what we do not want


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
