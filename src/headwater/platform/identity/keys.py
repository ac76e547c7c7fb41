"""The project's keys: made once, recognised in memory."""

import asyncio
from datetime import datetime, timedelta
from hashlib import sha256
from math import inf

from headwater.kernel.bus import Bus, Revocations, Revoked
from headwater.kernel.clock import Clock
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.ids import new_id, new_secret
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import ADMIN_ROLE, ANON_ROLE, Kind, Principal
from headwater.kernel.tokens import Tokens
from headwater.kernel.vault import Vault
from headwater.platform.identity import queries, rules
from headwater.platform.identity.errors import KeysNotMade
from headwater.platform.identity.models import IdentitySettings, KeyKind, KeyRow, ProjectKeys

ADMIN_PREFIX = "ik_"
ANON_PREFIX = "anon_"
CHANNEL = "headwater_keys_changed"
SIGNING_CHANNEL = "headwater_signing_keys_changed"
_PAUSE = 5.0
_MARGIN = 60.0
"""Other nodes may sign with the old key until they hear of the new one."""
_NAMES: dict[KeyKind, str] = {"admin": "API_KEY", "anon": "ANON_KEY"}
_PREFIXES: dict[KeyKind, str] = {"admin": ADMIN_PREFIX, "anon": ANON_PREFIX}


class KeyRing:
    """Knows every key by its SHA-256; the keys themselves are in the vault, to be shown to the admin."""

    def __init__(
        self,
        settings: IdentitySettings,
        clock: Clock,
        tokens: Tokens,
        vault: Vault,
        bus: Bus,
        revocations: Revocations,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tokens = tokens
        self._vault = vault
        self._bus = bus
        self._revocations = revocations
        self._known: dict[bytes, tuple[Principal, float]] = {}
        self._asked = 0
        self._answered = 0
        self._transactions: Transactions | None = None
        self._caught_up_at = -inf

    def listen(self, transactions: Transactions) -> None:
        """From now on hear of every change of the keys, and of those that sign tokens."""
        self._transactions = transactions

        async def hear(_payload: str = "") -> None:
            await self._load(transactions)

        async def hear_signing(_payload: str = "") -> None:
            await self._tokens.load(transactions)

        async def hear_revoked(revoked: Revoked) -> None:
            if revoked.keys:
                await asyncio.gather(hear(), hear_signing())

        self._revocations.add(hear_revoked)
        for channel, hearer in ((CHANNEL, hear), (SIGNING_CHANNEL, hear_signing)):
            self._bus.listen_raw(channel, hearer)
            self._bus.on_gap(hearer)

    async def warm(self, transactions: Transactions) -> None:
        """Make the keys if this is the first start, and know them from now on."""
        await transactions.writing(self._ensure)
        await self._load(transactions)

    def find(self, key: str, kind: Kind) -> Principal | None:
        """Whom a key stands for, if it is of this kind, known and not expired."""
        principal, until = self._known.get(_hash(key), (None, 0.0))
        good = principal is not None and principal.kind is kind and until > self._clock.timestamp()
        return principal if good else None

    async def catch_up(self) -> bool:
        """Read the signing keys again, unless that was done a moment ago; whether it was done.

        For a token whose key is not known here: another node may have made it, and what it told may still be on the
        way. However many tokens name keys that nobody made, the keys are read once in five seconds.
        """
        if self._transactions is None or self._clock.timestamp() - self._caught_up_at < _PAUSE:
            return False
        self._caught_up_at = self._clock.timestamp()
        await self._tokens.load(self._transactions)
        return True

    async def read(self, tx: ReadingTransaction) -> ProjectKeys:
        """The keys as clients send them; raises `KeysNotMade` before the first start."""
        admin_key = await self._vault.read(tx, _NAMES["admin"])
        anon_key = await self._vault.read(tx, _NAMES["anon"])
        if admin_key is None or anon_key is None:
            raise KeysNotMade
        return ProjectKeys(anon_key=anon_key.decode(), admin_key=admin_key.decode())

    async def rotate(self, transactions: Transactions, kind: KeyKind, grace: timedelta) -> tuple[str, datetime]:
        """A new key, known to every live process when this returns; and the end of the old ones.

        That is `grace` from now at the latest.
        """
        key = new_secret(_PREFIXES[kind])

        async def replace(tx: WritingTransaction) -> datetime:
            until = tx.now + grace
            await queries.retire_keys(tx, kind, until)
            await queries.add_key(tx, KeyRow(id=new_id(), kind=kind, hash=_hash(key), expires_at=None))
            await self._vault.write(tx, _NAMES[kind], key.encode(), reserved=True)
            tx.audit(AuditEntry(action="KEY_ROTATED", module="identity", details={"key": kind, "old_until": until}))
            return until

        until = await transactions.writing(replace)
        await self._load(transactions)
        await self._revocations.tell(Revoked(keys=True))
        return key, until

    async def rotate_signing(self, transactions: Transactions, *, compromised: bool) -> tuple[str, datetime]:
        """A new signing key, which every live process knows when this returns, and until when the old ones verify.

        That is until the last token they signed has expired; at once if they are `compromised`.
        """
        made = await self._tokens.make_key()
        grace = timedelta(0) if compromised else timedelta(seconds=self._settings.access_lifetime + _MARGIN)

        async def replace(tx: WritingTransaction) -> datetime:
            until = await self._tokens.rotate(tx, made, grace)
            await queries.tell(tx, SIGNING_CHANNEL, made.id)
            details = {"key": made.id, "compromised": compromised}
            tx.audit(AuditEntry(action="SIGNING_KEY_ROTATED", module="identity", details=details))
            return until

        until = await transactions.writing(replace)
        await self._tokens.load(transactions)
        await self._revocations.tell(Revoked(keys=True))
        return made.id, until

    async def _load(self, transactions: Transactions) -> None:
        self._asked = asked = self._asked + 1
        rows = await transactions.reading(queries.list_keys)
        if asked > self._answered:  # else one that asked later has been answered first
            self._answered = asked
            self._known = {row.hash: (_principal(row), _until(row)) for row in rows}

    async def _ensure(self, tx: WritingTransaction) -> None:
        """Make what is missing; of several nodes at once the first to commit makes it and the others wait for him."""
        seeds: dict[KeyKind, str | None] = {"admin": self._settings.api_key, "anon": self._settings.anon_key}
        for kind, seed in seeds.items():
            prefix = _PREFIXES[kind]
            key = new_secret(prefix) if seed is None else rules.seeded_key(seed, prefix)
            if await self._vault.add(tx, _NAMES[kind], key.encode(), reserved=True):
                await queries.add_key(tx, KeyRow(id=new_id(), kind=kind, hash=_hash(key), expires_at=None))


def _hash(key: str) -> bytes:
    return sha256(key.encode()).digest()


def _until(row: KeyRow) -> float:
    return inf if row.expires_at is None else row.expires_at.timestamp()


def _principal(row: KeyRow) -> Principal:
    kind, role = (Kind.ADMIN, ADMIN_ROLE) if row.kind == "admin" else (Kind.ANON, ANON_ROLE)
    return Principal(
        kind=kind,
        role=role,
        key=f"key:{row.id}",
        claims={"role": role},
        claims_json=f'{{"role":"{role}"}}',
        expires_at=None if row.expires_at is None else row.expires_at.timestamp(),
    )
