"""Passwords that leaked elsewhere: looked up in a file, or asked for without telling them."""

import asyncio
import re
from hashlib import sha1
from pathlib import Path
from typing import BinaryIO

from headwater.kernel.errors import Refusal
from headwater.kernel.outbound import Outbound, OutboundCall
from headwater.platform.identity.errors import BreachedListUnusable, BreachedPassword
from headwater.platform.identity.models import IdentitySettings

_TOLD = 5
_PATIENCE = 2.0
_LINE = re.compile(rb"([0-9A-Fa-f]{10,40})(:\d+)?\r?\n?")


class Breaches:
    """Knows leaked passwords by the SHA-1 that lists of them are made of.

    The file may be as large as it likes: a lookup reads some thirty lines of it. Of a password that is asked for
    elsewhere the first five digits of its SHA-1 are told, which hundreds of leaked ones share; where no answer comes
    the password is accepted, because nobody could sign up otherwise.
    """

    def __init__(self, settings: IdentitySettings, outbound: Outbound) -> None:
        self._file = settings.breached_passwords
        self._url = settings.breached_passwords_url
        self._outbound = outbound

    def must_be_usable(self) -> None:
        """Raises `BreachedListUnusable` for a configured file that cannot be read or is no such list."""
        if self._file is None:
            return
        try:
            with self._file.open("rb") as file:
                good = _LINE.fullmatch(file.readline())
        except OSError as failure:
            raise BreachedListUnusable(path=self._file, reason=failure.strerror or "it cannot be read") from failure
        if good is None:
            raise BreachedListUnusable(path=self._file, reason="its first line is no SHA-1 in hexadecimal")

    async def must_not_hold(self, password: str) -> None:
        """Raises `BreachedPassword`."""
        digest = sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        if self._file is not None and await asyncio.to_thread(_holds, self._file, digest.encode()):
            raise BreachedPassword
        if self._url is not None and await self._is_told(self._url, digest):
            raise BreachedPassword

    async def _is_told(self, url: str, digest: str) -> bool:
        call = OutboundCall(
            url=f"{url.rstrip('/')}/{digest[:_TOLD]}", headers={"Add-Padding": "true"}, seconds=_PATIENCE, attempts=2
        )
        try:
            answer = await self._outbound.call(call)
        except Refusal:
            return False
        rest = digest[_TOLD:].encode()
        found = (line.strip().upper().partition(b":") for line in answer.body.splitlines())
        return answer.is_good and any(suffix == rest and count != b"0" for suffix, _, count in found)


def _holds(path: Path, digest: bytes) -> bool:
    """Whether a line of a sorted file is the digest, or its beginning."""
    with path.open("rb") as file:
        line = _last_not_after(file, path.stat().st_size, digest)
    return line is not None and digest.startswith(line)


def _last_not_after(file: BinaryIO, size: int, digest: bytes) -> bytes | None:
    """The last line that sorts before the digest or is its beginning; by halving, as the lines are in order."""
    first, beyond = 0, size  # the line sought begins in [first, beyond)
    found = None
    while first < beyond:
        middle = (first + beyond) // 2
        begins = _line_at(file, middle)
        line = file.readline()
        if begins >= beyond or not line:
            beyond = middle
            continue
        text = line.strip().partition(b":")[0].upper()
        if text <= digest:
            found, first = text, begins + len(line)
        else:
            beyond = middle
    return found


def _line_at(file: BinaryIO, place: int) -> int:
    """Go to the first line that begins at a place or after it; where that is."""
    file.seek(max(place - 1, 0))
    if place > 0:
        file.readline()
    return file.tell()
