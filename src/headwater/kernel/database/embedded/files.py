"""The files the embedded server keeps in the data folder, written so that a crash or a planted link cannot hurt."""

import os
import re
import shutil
import tempfile
from pathlib import Path

import msgspec

from headwater.kernel.database.embedded.account import Account
from headwater.kernel.database.embedded.models import Address

ADDRESS = "postgres.address"
LOCATION = "postgres.location"
LOCK = "postgres.lock"
LOG = "postgres.log"
CLUSTER = "postgres"
LONGEST_SOCKET_FOLDER = 103 - len("/.s.PGSQL.5432")  # sun_path holds 104 bytes on macOS and 108 on Linux


def write_whole(path: Path, text: str, mode: int, account: Account | None = None) -> None:
    """Put `text` at `path`, all or nothing; as root it then belongs to `account`, where one is given.

    A rename replaces a link planted at `path`; writing through it could reach any file of root's.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if account is not None and os.geteuid() == 0:
                os.fchown(file.fileno(), account.uid, account.gid)
            os.fsync(file.fileno())
        Path(name).rename(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class KeptAddress(msgspec.Struct, frozen=True):
    """What stands in the address file; in a copy of the folder, `folder` tells that it is about another one."""

    folder: str
    address: Address


def keep_address(folder: Path, address: Address) -> None:
    """Tell other commands where the server of `folder` listens; open to read, for it is no secret."""
    write_whole(folder / ADDRESS, msgspec.json.encode(KeptAddress(str(folder), address)).decode(), 0o644)


def kept_address(folder: Path) -> Address | None:
    """The address last kept for `folder`; it may be that of a server long gone."""
    try:
        kept = msgspec.json.decode((folder / ADDRESS).read_bytes(), type=KeptAddress)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return kept.address if kept.folder == str(folder) else None


def clear_sockets(address: Address) -> None:
    """Remove the socket files of a server that is gone.

    PostgreSQL does so itself, unless its old number is still taken: by a stranger, or by a dead process that nobody
    has reaped, as in a container whose first process does not.
    """
    socket = Path(address.host, f".s.PGSQL.{address.port}")
    socket.unlink(missing_ok=True)
    socket.with_name(f"{socket.name}.lock").unlink(missing_ok=True)


def forget_address(folder: Path, address: Address) -> None:
    """Remove the socket folder and what points to it."""
    (folder / ADDRESS).unlink(missing_ok=True)
    shutil.rmtree(address.host, ignore_errors=True)


def socket_folder(folder: Path, account: Account) -> Path:
    """A short folder of mode 0700 that belongs to `account`: the one a crashed server left, else a new one.

    Not in the data folder: its path may be longer than a socket's may be, and shared folders hold no sockets.
    """
    kept = kept_address(folder)
    if kept is not None and _ours(Path(kept.host), account):
        return Path(kept.host)
    bases = ("/run", "/tmp") if os.geteuid() == 0 else (tempfile.gettempdir(), "/tmp")  # noqa: S108 mkdtemp makes it ours
    for base in bases:
        try:
            made = Path(tempfile.mkdtemp(prefix="headwater-", dir=base))
        except OSError:
            continue
        if len(os.fsencode(made)) <= LONGEST_SOCKET_FOLDER:
            if os.geteuid() == 0:
                os.chown(made, account.uid, account.gid)
            return made
        made.rmdir()
    raise FileNotFoundError(f"No folder for a socket can be made in {' or '.join(bases)}")


def _ours(path: Path, account: Account) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return found.st_mode == 0o040700 and found.st_uid == account.uid and path.name.startswith("headwater-")


def open_log(folder: Path, most_bytes: int) -> int:
    """A descriptor for the end of the log; a log past `most_bytes` becomes `postgres.log.1` first."""
    path = folder / LOG
    if path.exists() and path.stat().st_size > most_bytes:
        path.rename(folder / f"{LOG}.1")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:  # a later start as the folder's own user must be able to open it
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def trim_log(folder: Path, most_bytes: int) -> None:
    """Empty the log of a running server once it has passed `most_bytes`; it is opened for appending, so it may."""
    path = folder / LOG
    if path.stat().st_size > most_bytes:
        os.truncate(path, 0)


def log_size(folder: Path) -> int:
    """Bytes in the log, 0 when there is none: where the next start begins to write."""
    path = folder / LOG
    return path.stat().st_size if path.exists() else 0


def log_reason(folder: Path, start: int) -> str:
    """The most telling line the server wrote after byte `start` of the log, without its time and level."""
    with (folder / LOG).open("rb") as file:
        file.seek(start)
        lines = file.read(65_536).decode(errors="replace").splitlines() or ["it said nothing"]
    last = max((at for at, line in enumerate(lines) if "FATAL:" in line or "PANIC:" in line), default=len(lines) - 1)
    if "contains errors" in lines[last] and last:
        last -= 1  # the line before names the setting
    return re.sub(r"^.*?(?:LOG|FATAL|PANIC): +", "", lines[last])
