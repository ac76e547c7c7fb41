"""Identity as one process of the house has it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from headwater.kernel.bus import PostgresBus
from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Database, Transactions
from headwater.kernel.models import Effects
from headwater.kernel.observe import Observer
from headwater.kernel.principal import NOBODY, Principal
from headwater.kernel.tokens import Tokens, TokenSettings
from headwater.kernel.tokens.keys import generate_key
from headwater.kernel.vault import MasterKey, Vault
from headwater.platform.identity import Identity, IdentitySettings
from headwater.platform.identity.keys import KeyRing
from headwater.platform.identity.models import Login, NewUser, Presented, SignedIn, User
from headwater.platform.identity.passwords import Passwords
from headwater.platform.identity.sessions import SessionKeeper
from headwater.platform.identity.throttle import Throttle

VAULT = Vault(MasterKey("k" * 16 + "0123456789abcdef"))
ADMIN: dict[str, Any] = {"admin_username": "root", "admin_password": "correct horse"}
SIGNING_KEYS = {"RS256": generate_key("RS256")}
"""Made once: every database of a test would take its tenth of a second."""


@dataclass
class Process:
    """Identity in one process, with short ways to its verbs."""

    identity: Identity
    database: Database
    bus: PostgresBus
    effects: Effects

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
        return await self.identity.sign_up(self.transactions, principal, body)

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
    """Starts a process over this test's database; keyword arguments are identity's settings."""
    monkeypatch.setattr("headwater.kernel.tokens.keys.generate_key", SIGNING_KEYS.__getitem__)
    async with AsyncExitStack() as stack:

        async def begin(**values: Any) -> Process:
            settings = IdentitySettings(**{**ADMIN, **values})
            bus = PostgresBus(connector, database, observer)
            await bus.start()
            stack.push_async_callback(bus.stop)
            tokens = Tokens(TokenSettings(), clock, VAULT)
            await tokens.load(Transactions(database))
            identity = Identity(
                settings=settings,
                tokens=tokens,
                passwords=Passwords(settings),
                throttle=Throttle(settings),
                sessions=SessionKeeper(settings, clock, tokens, VAULT, bus),
                keys=KeyRing(settings, clock, VAULT, bus),
            )
            await identity.warm(Transactions(database))
            return Process(identity, database, bus, Effects())

        yield begin


@pytest.fixture
async def process(start: Start) -> Process:
    """One process."""
    return await start()


def user_of(signed_in: SignedIn) -> User:
    """The user that signed in."""
    assert isinstance(signed_in.grant.holder, User)
    return signed_in.grant.holder
