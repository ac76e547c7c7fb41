"""Identity as one process of the house has it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from headwater.boot.parts import Parts
from headwater.boot.settings import Settings
from headwater.kernel.bus import Bus, Nodes, PostgresBus, Revocations
from headwater.kernel.cache import Cache, CacheSettings
from headwater.kernel.clock import Clock, DrivenClock
from headwater.kernel.database import Connect, Database, Transactions
from headwater.kernel.mail import Mailer, MailSettings, SmtpSettings
from headwater.kernel.models import Effects, PublicAddress
from headwater.kernel.observe import Observer
from headwater.kernel.outbound import Outbound, OutboundSettings
from headwater.kernel.principal import NOBODY, Principal
from headwater.kernel.tokens import Issuers, KeySource, Tokens, TokenSettings
from headwater.kernel.tokens.keys import generate_key
from headwater.kernel.vault import MasterKey, Vault
from headwater.platform.identity import Identity, IdentitySettings
from headwater.platform.identity.models import Login, NewUser, Presented, SignedIn, User
from headwater.platform.identity.operations import Accounts, AnonymousUsers, Keys, OwnAccount, Sessions

VAULT = Vault(MasterKey("k" * 16 + "0123456789abcdef"))
ADMIN: dict[str, Any] = {"admin_username": "root", "admin_password": "correct horse"}
SIGNING_KEYS = {"RS256": generate_key("RS256")}
"""Made once: every database of a test would take its tenth of a second."""


@dataclass
class Process:
    """Identity in one process, with short ways to its verbs."""

    identity: Identity
    accounts: Accounts
    own_account: OwnAccount
    anonymous: AnonymousUsers
    sessions: Sessions
    keys: Keys
    database: Database
    bus: PostgresBus
    effects: Effects
    parts: Parts

    @property
    def transactions(self) -> Transactions:
        """What an operation without a transaction of its own is given; its effects are kept."""
        fresh = Transactions(self.database)
        fresh.effects = self.effects
        return fresh

    async def sign_up(self, email: str = "a@example.com", principal: Principal = NOBODY, **more: Any) -> SignedIn:
        """Make an account whose password is `secret` unless told."""
        stated: dict[str, Any] = {"email": email, "password": "secret", "client_type": "mobile", **more}
        body = NewUser(**stated)
        signed_in = await self.identity.sign_up(self.transactions, principal, body)
        assert isinstance(signed_in, SignedIn)
        return signed_in

    async def sign_in(self, email: str = "a@example.com", password: str = "secret", **more: Any) -> SignedIn:
        """Begin a session."""
        stated: dict[str, Any] = {"client_type": "mobile", "address": "192.0.2.1", **more}
        body = Login(email=email, password=password, **stated)
        return await self.identity.sign_in(self.transactions, NOBODY, body)

    async def refresh(self, token: str | None) -> SignedIn:
        """Continue a session as a client that is no browser does."""
        body = Presented(client_type="mobile", token=token)
        return await self.identity.refresh(self.transactions, NOBODY, body)

    def whoami(self, signed_in: SignedIn) -> Principal:
        """Whom an access token stands for."""
        return self.identity.recognise(f"Bearer {signed_in.access_token}")


Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def start(
    connector: Connect,
    database: Database,
    clock: DrivenClock,
    observer: Observer,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Start]:
    """Starts a process over this test's database; further keyword arguments are identity's settings."""
    monkeypatch.setattr("headwater.kernel.tokens.keys.generate_key", SIGNING_KEYS.__getitem__)
    async with AsyncExitStack() as stack:

        async def begin(
            issuers: str | None = None,
            key_source: KeySource | None = None,
            mailer: Mailer | None = None,
            **values: Any,
        ) -> Process:
            settings = IdentitySettings(**{**ADMIN, **values})
            bus = PostgresBus(connector, database, observer)
            nodes = Nodes(bus, observer)
            await bus.start()
            stack.push_async_callback(bus.stop)
            await nodes.start()
            stack.push_async_callback(nodes.stop)
            tokens = Tokens(TokenSettings(), clock, VAULT)
            await tokens.load(Transactions(database))
            outbound = Outbound(OutboundSettings(), clock, observer)
            stack.push_async_callback(outbound.close)
            parts = Parts(Settings({}))
            for part in (settings, tokens, VAULT, database, outbound, observer):
                parts.add(part)
            parts.add(clock, Clock)
            parts.add(bus, Bus)
            parts.add(Revocations(nodes))
            parts.add(Cache(None, bus, nodes, clock, CacheSettings()))
            parts.add(Issuers(TokenSettings(issuers=issuers), clock, key_source or outbound), Issuers)
            parts.add(PublicAddress(url="https://auth.example.com"))
            mail = (MailSettings(mode="development"), SmtpSettings(min_interval_seconds=0))
            parts.add(mailer or Mailer(mail, VAULT, clock, observer, listens_locally=True))
            await parts.find(Identity).warm(Transactions(database))
            return Process(
                identity=parts.find(Identity),
                accounts=parts.find(Accounts),
                own_account=parts.find(OwnAccount),
                anonymous=parts.find(AnonymousUsers),
                sessions=parts.find(Sessions),
                keys=parts.find(Keys),
                database=database,
                bus=bus,
                effects=Effects(),
                parts=parts,
            )

        yield begin


@pytest.fixture
async def process(start: Start) -> Process:
    """One process."""
    return await start()


def user_of(signed_in: SignedIn) -> User:
    """The user that signed in."""
    assert isinstance(signed_in.grant.holder, User)
    return signed_in.grant.holder
