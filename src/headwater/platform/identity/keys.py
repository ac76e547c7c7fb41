"""The project's keys: made once, recognised in memory."""

from hashlib import sha256
from math import inf

from headwater.kernel.bus import Bus
from headwater.kernel.clock import Clock
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.ids import new_id, new_secret
from headwater.kernel.principal import ADMIN_ROLE, ANON_ROLE, Kind, Principal
from headwater.kernel.vault import Vault
from headwater.platform.identity import queries, rules
from headwater.platform.identity.errors import KeysNotMade
from headwater.platform.identity.models import IdentitySettings, KeyKind, KeyRow, ProjectKeys

ADMIN_PREFIX = "ik_"
ANON_PREFIX = "anon_"
CHANNEL = "headwater_keys_changed"
_NAMES: dict[KeyKind, str] = {"admin": "API_KEY", "anon": "ANON_KEY"}


class KeyRing:
    """Knows every key by its SHA-256; the keys themselves are in the vault, to be shown to the admin."""

    def __init__(self, settings: IdentitySettings, clock: Clock, vault: Vault, bus: Bus) -> None:
        self._settings = settings
        self._clock = clock
        self._vault = vault
        self._bus = bus
        self._known: dict[bytes, tuple[Principal, float]] = {}
        self._asked = 0
        self._answered = 0

    def listen(self, transactions: Transactions) -> None:
        """From now on hear of every change of the keys."""

        async def hear(_payload: str = "") -> None:
            await self._load(transactions)

        self._bus.listen_raw(CHANNEL, hear)
        self._bus.on_gap(hear)

    async def warm(self, transactions: Transactions) -> None:
        """Make the keys if this is the first start, and know them from now on."""
        await transactions.writing(self._ensure)
        await self._load(transactions)

    def find(self, key: str, kind: Kind) -> Principal | None:
        """Whom a key stands for, if it is of this kind, known and not expired."""
        principal, until = self._known.get(_hash(key), (None, 0.0))
        good = principal is not None and principal.kind is kind and until > self._clock.timestamp()
        return principal if good else None

    async def read(self, tx: ReadingTransaction) -> ProjectKeys:
        """The keys as clients send them; raises `KeysNotMade` before the first start."""
        admin_key = await self._vault.read(tx, _NAMES["admin"])
        anon_key = await self._vault.read(tx, _NAMES["anon"])
        if admin_key is None or anon_key is None:
            raise KeysNotMade
        return ProjectKeys(anon_key=anon_key.decode(), admin_key=admin_key.decode())

    async def _load(self, transactions: Transactions) -> None:
        self._asked = asked = self._asked + 1
        rows = await transactions.reading(queries.list_keys)
        if asked > self._answered:  # else one that asked later has been answered first
            self._answered = asked
            self._known = {row.hash: (_principal(row), _until(row)) for row in rows}

    async def _ensure(self, tx: WritingTransaction) -> None:
        """Make what is missing; of several nodes at once the first to commit makes it and the others wait for him."""
        wanted: tuple[tuple[KeyKind, str, str | None], ...] = (
            ("admin", ADMIN_PREFIX, self._settings.api_key),
            ("anon", ANON_PREFIX, self._settings.anon_key),
        )
        for kind, prefix, seed in wanted:
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
