"""A large body waits in a file and looks like bytes; a small one stays in memory; a refused one leaves nothing."""

import gc
import hashlib
import random
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path
from typing import Any

import pytest

from headwater.flow.request import Request
from headwater.flow.spool import HELD
from headwater.kernel.errors import BodyTooLarge, InvalidInput

LIMIT = 8 * HELD


def asked(body: bytes, part: int, *, cut: bool = False) -> Request:
    """A request whose body comes in parts of this size, and perhaps ends too soon."""

    def messages() -> Iterator[dict[str, Any]]:
        for start in range(0, max(len(body), 1), part):
            more = cut or start + part < len(body)
            yield {"type": "http.request", "body": body[start : start + part], "more_body": more}
        yield {"type": "http.disconnect"}

    coming = messages()

    async def receive() -> dict[str, Any]:
        return next(coming)

    return Request("POST", "/", "", {}, "127.0.0.1", receive)


def spools() -> int:
    """How many unnamed files this process has open."""
    links = (str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return sum("(deleted)" in link for link in links)


@pytest.mark.parametrize("size", [0, 1, HELD, HELD + 1, LIMIT])
@pytest.mark.parametrize("part", [1000, 65536, LIMIT])
async def test_what_comes_in_is_what_is_read(size: int, part: int) -> None:
    body = random.Random(size).randbytes(size)
    whole = await asked(body, part).spooled(LIMIT)
    assert isinstance(whole, mmap) == (size > HELD)
    assert hashlib.sha256(whole).digest() == hashlib.sha256(body).digest()
    assert await asked(body, part).body(LIMIT) == body


async def test_too_much_and_too_little_are_refused_and_leave_nothing() -> None:
    before = spools()
    with pytest.raises(BodyTooLarge):
        await asked(bytes(LIMIT + 1), 65536).spooled(LIMIT)
    with pytest.raises(BodyTooLarge):
        await asked(bytes(LIMIT + 1), 65536).body(LIMIT)
    with pytest.raises(InvalidInput):
        await asked(bytes(2 * HELD), 65536, cut=True).spooled(LIMIT)
    assert spools() == before


async def test_a_file_is_gone_with_whoever_holds_it() -> None:
    before = spools()
    whole = await asked(bytes(3 * HELD), 65536).spooled(LIMIT)
    assert spools() == before + 1
    del whole
    gc.collect()
    assert spools() == before
