"""Passwords hashed with Argon2id, off the loop and not too many at once."""

import asyncio
import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from headwater.kernel.errors import Busy
from headwater.platform.identity import rules
from headwater.platform.identity.models import Account, IdentitySettings, PasswordRules
from headwater.platform.identity.passwords.breaches import Breaches

T = TypeVar("T")
NOBODYS_HASH = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""No password is known to match it; comparing with it takes as long as comparing with a real one."""


class Passwords:
    """Hashes and compares passwords: 19 MiB, two passes, one lane (OWASP's parameters), about 19 ms each.

    At most `hashing_threads` run and `hashing_queue` wait; beyond that callers are refused with `Busy`. Nobody who
    waits here may hold a connection.
    """

    def __init__(self, settings: IdentitySettings, breaches: Breaches) -> None:
        self._settings = settings
        self._breaches = breaches
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._threads = ThreadPoolExecutor(settings.hashing_threads, thread_name_prefix="passwords")
        self._room = settings.hashing_threads + settings.hashing_queue

    def must_be_usable(self) -> None:
        """Raises `BreachedListUnusable`."""
        self._breaches.must_be_usable()

    async def accept(self, password: str, wanted: PasswordRules) -> str:
        """The hash of a new password; raises `WeakPassword` and `BreachedPassword`."""
        rules.must_be_strong_enough(password, wanted)
        await self._breaches.must_not_hold(password)
        return await self.hash(password)

    async def hash(self, password: str) -> str:
        """The password's hash, with a salt of its own (PHC string format)."""
        return await self._run(lambda: self._hasher.hash(password))

    async def prove(self, account: Account | None, password: str) -> Account | None:
        """The account if this is its password; where there is no account, or none with a password, the same time."""
        hashed = NOBODYS_HASH if account is None or account.hash is None else account.hash
        return account if await self._run(lambda: self._compare(hashed, password)) else None

    async def renew(self, account: Account | None, password: str) -> str | None:
        """A new hash of a password that came with an import, or was hashed with other parameters than today's."""
        if account is None or account.hash is None:
            return None
        if not account.imported and not self._hasher.check_needs_rehash(account.hash):
            return None
        return await self.hash(password)

    def are_admins(self, username: str, password: str) -> bool:
        """Whether these words are the configured ones; digests are compared, so the time tells of no length."""
        wanted = (self._settings.admin_username, self._settings.admin_password)
        if wanted[0] is None or wanted[1] is None:
            return False
        digests = [sha256(word.encode()).digest() for word in (username, password, wanted[0], wanted[1])]
        return hmac.compare_digest(digests[0] + digests[1], digests[2] + digests[3])

    def _compare(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._room == 0:
            raise Busy
        self._room -= 1
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        running.add_done_callback(self._make_room)
        return await asyncio.shield(running)

    def _make_room(self, _done: object) -> None:
        self._room += 1
