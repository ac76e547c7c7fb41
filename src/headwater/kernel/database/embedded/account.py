"""Which operating-system user PostgreSQL runs as, and how a program is started as that user."""

import asyncio
import os
import pwd
import shutil
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Sequence
from pathlib import Path

import msgspec

from headwater.kernel.database.embedded.errors import NamelessUser

UNPRIVILEGED = "headwater"
LAUNCH = Path(__file__).with_name("launch.py")
# shadow-utils, Debian's adduser, busybox
CREATE_ACCOUNT = (
    (
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/usr/sbin/nologin",
    ),
    ("adduser", "--system", "--group", "--no-create-home", "--quiet"),
    ("adduser", "-S", "-D", "-H"),
)


class Account(msgspec.Struct, frozen=True):
    """A user of this machine."""

    name: str
    uid: int
    gid: int


def this_account() -> Account:
    """The user this process runs as; NamelessUser where the machine knows only a number."""
    try:
        entry = pwd.getpwuid(os.geteuid())
    except KeyError:
        raise NamelessUser(uid=os.geteuid()) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def server_account(cluster: Path) -> Account:
    """The user PostgreSQL runs as: ourselves, but never root.

    As root: the owner of an existing cluster, else the system user `headwater`, made on first use, else `nobody`
    where users cannot be made.
    """
    if os.geteuid() != 0:
        return this_account()
    owner = cluster.stat().st_uid if cluster.exists() else 0
    if owner:
        try:
            entry = pwd.getpwuid(owner)
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
        except KeyError:
            return Account(str(owner), owner, owner)
    return _find(UNPRIVILEGED) or _create() or _find("nobody") or Account("nobody", 65534, 65534)


def _find(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create() -> Account | None:
    for command in CREATE_ACCOUNT:
        if shutil.which(command[0]):
            subprocess.run([*command, UNPRIVILEGED], check=False, capture_output=True, timeout=30)
            # Whether we or a process that started beside us made it does not matter.
            if account := _find(UNPRIVILEGED):
                return account
    return None


def owner_of(path: Path) -> str:
    """The name of the user `path` belongs to, or the number of one without a name."""
    owner = path.stat().st_uid
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return str(owner)


def give(path: Path, account: Account) -> None:
    """As root, make `account` the owner of `path`; a link itself, never what it points to."""
    if os.geteuid() == 0:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def give_tree(folder: Path, account: Account) -> None:
    """As root, make `account` the owner of `folder` and all below it."""
    give(folder, account)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            give(Path(parent, name), account)


async def spawn(account: Account, command: Sequence[str | Path], output: int = DEVNULL) -> Process:
    """Start `command` as `account`, in a session of its own and with an empty environment.

    A session of its own, so that Ctrl-C at the terminal reaches us alone and we may finish before the database goes.
    On Linux it is interrupted when the thread that called this ends, however we die.
    """
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-S", str(LAUNCH)),
        *(str(account.uid), str(account.gid), str(os.getpid())),
        *(str(part) for part in command),
        stdin=DEVNULL,
        stdout=output,
        stderr=STDOUT,
        env={"LC_ALL": "C", "PATH": os.defpath},
        start_new_session=True,
    )


async def run(account: Account, command: Sequence[str | Path]) -> tuple[int, str]:
    """Run `command` as `account` to its end: exit status and all it said."""
    process = await spawn(account, command, PIPE)
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, said.decode(errors="replace").strip()
