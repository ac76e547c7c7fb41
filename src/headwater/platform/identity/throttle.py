"""Failed sign-ins, counted for every door and every process together."""

from datetime import timedelta

import msgspec

from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.kernel.errors import TooManyRequests
from headwater.platform.identity import queries, rules
from headwater.platform.identity.models import Account, IdentitySettings


class Attempt(msgspec.Struct, frozen=True):
    """One try of a password: the names it counts under, with what each allows."""

    account: str
    limits: dict[str, int]


class Throttle:
    """Refuses to compare passwords for who has failed too often within the window.

    Failures count per account, whether it exists or not, and per network. Counts are committed before the answer
    leaves, and both answers look at them, so guesses sent all at once learn no more than guesses sent one by one.
    """

    def __init__(self, settings: IdentitySettings) -> None:
        self._settings = settings

    def attempt(self, account: str, address: str) -> Attempt:
        """A try at `account` from `address`."""
        account_name, address_name = f"account:{account}", f"address:{rules.network_of(address)}"
        limits = {account_name: self._settings.failures_per_account, address_name: self._settings.failures_per_address}
        return Attempt(account_name, limits)

    def attempt_at(self, account: Account, address: str) -> Attempt:
        """A try at an account that is known, under the name that the door counts."""
        return self.attempt(f"user:{(account.email or str(account.id)).lower()}", address)

    async def check(self, tx: ReadingTransaction, attempt: Attempt) -> None:
        """Raises `TooManyRequests` if the limit is reached."""
        rules.must_not_be_throttled(await queries.list_failures(tx, list(attempt.limits)), attempt.limits, tx.now)

    async def count(self, tx: WritingTransaction, attempt: Attempt) -> TooManyRequests | None:
        """Count a failure; the refusal, to be raised after commit, if it came when the limit was reached already."""
        resets_at = tx.now + timedelta(seconds=self._settings.failure_window)
        counts = await queries.count_failure(tx, sorted(attempt.limits), resets_at)
        return rules.exceeds(counts, attempt.limits, tx.now)

    async def spend(self, tx: WritingTransaction, name: str, allowed: int, window: float) -> TooManyRequests | None:
        """Count one use under a name; the refusal, to be raised after commit, once there were `allowed`.

        The window, in seconds, begins with the first.
        """
        counts = await queries.count_failure(tx, [name], tx.now + timedelta(seconds=window))
        return rules.exceeds(counts, {name: allowed}, tx.now)

    async def succeed(self, tx: WritingTransaction, attempt: Attempt) -> None:
        """Forget the account's failures, but not the network's: its owner may have an account of his own.

        Raises `TooManyRequests` if the limit was reached meanwhile.
        """
        await self.check(tx, attempt)
        await queries.remove_failures(tx, attempt.account)
