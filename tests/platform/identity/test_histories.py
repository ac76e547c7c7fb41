"""Random histories of refresh tokens: an honest client is never logged out, and a thief always ends the family."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from headwater.kernel.bus import Nodes, PostgresBus, Revocations
from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database, DatabaseSettings, Lease, Transactions, WritingTransaction
from headwater.kernel.errors import InvalidToken
from headwater.kernel.ids import new_id
from headwater.kernel.observe import Observer
from headwater.kernel.tokens import Tokens, TokenSettings
from headwater.platform.identity import IdentitySettings, queries
from headwater.platform.identity.errors import NoSession
from headwater.platform.identity.models import Device, Presented, SignedIn
from headwater.platform.identity.sessions import SessionKeeper
from tests.kit.database import Cluster
from tests.platform.identity.conftest import VAULT

WINDOW = 10.0
"""`IdentitySettings.repeat_window`: how long a token may be shown again by who never got the answer."""
IDLE = 600_000.0
"""Less than `IdentitySettings.refresh_lifetime`: who stays away for longer is rightly forgotten."""


class Sessions:
    """The keeper of sessions over a real database, on a loop of its own, for a test that is no coroutine."""

    def __init__(self, database: Database, clock: DrivenClock, keeper: SessionKeeper, runner: asyncio.Runner) -> None:
        self.clock = clock
        self.keeper = keeper
        self._transactions = Transactions(database)
        self._runner = runner

    def begin(self) -> SignedIn:
        """A new user's session."""
        return self._runner.run(self._begin())

    def refresh(self, *tokens: str) -> list[SignedIn | None]:
        """What becomes of tokens that are shown all at once; None for who is refused."""
        return self._runner.run(self._all(tokens))

    def is_open(self, signed_in: SignedIn) -> bool:
        """Whether the session lives, as far as access tokens go."""
        return not self.keeper.has_ended(str(signed_in.grant.session_id))

    async def _begin(self) -> SignedIn:
        user_id = new_id()
        device = Device(client_type="mobile", address="", agent="")

        async def keep(tx: WritingTransaction) -> SignedIn:
            await queries.add_user(tx, user_id, f"{user_id}@example.com")
            user = await queries.find_user(tx, user_id)
            assert user is not None
            grant = await self.keeper.begin(tx, user, device)
            return SignedIn(grant=grant, access_token="")

        return await self._transactions.writing(keep)

    async def _all(self, tokens: tuple[str, ...]) -> list[SignedIn | None]:
        return list(await asyncio.gather(*map(self._one, tokens)))

    async def _one(self, token: str) -> SignedIn | None:
        shown = Presented(client_type="mobile", token=token)
        outcome = await self._transactions.writing(lambda tx: self.keeper.proceed(tx, "user", shown))
        try:
            await self.keeper.finish(outcome)
        except (NoSession, InvalidToken):
            return None
        assert outcome.grant is not None
        return SignedIn(grant=outcome.grant, access_token="")


@asynccontextmanager
async def opened(cluster: Cluster, name: str, runner: asyncio.Runner) -> AsyncGenerator[Sessions]:
    clock, observer, database_settings = DrivenClock(), Observer(), DatabaseSettings()
    lease = Lease(cluster.connector(name), database_settings, observer)
    await lease.start()
    database = Database(lease, clock, observer, database_settings)
    bus = PostgresBus(cluster.connector(name), database, observer)
    nodes = Nodes(bus, observer)
    await bus.start()
    await nodes.start()
    tokens = Tokens(TokenSettings(), clock, VAULT)
    keeper = SessionKeeper(IdentitySettings(), clock, tokens, VAULT, bus, Revocations(nodes))
    try:
        yield Sessions(database, clock, keeper, runner)
    finally:
        await nodes.stop()
        await bus.stop()
        await lease.close()


@pytest.fixture
def sessions(cluster: Cluster, database_name: str) -> Iterator[Sessions]:
    """The keeper of sessions."""
    with asyncio.Runner() as runner:
        context = opened(cluster, database_name, runner)
        yield runner.run(context.__aenter__())
        runner.run(context.__aexit__(None, None, None))


def histories(sessions: Sessions) -> type[RuleBasedStateMachine]:
    """A client with three tabs that share a store, a network that loses answers, a clock that moves, and a thief."""

    class History(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.tabs: list[str] = []
            self.stored = ""
            self.first: SignedIn
            self.unanswered: tuple[str, float] | None = None
            self.stolen: str | None = None
            self.used_at = 0.0

        @initialize()
        def sign_in(self) -> None:
            self.first = sessions.begin()
            self.stored = str(self.first.grant.refresh_token)
            self.unanswered = None
            self.stolen = None
            self.used_at = sessions.clock.timestamp()

        def keep(self, answer: SignedIn | None) -> None:
            assert answer is not None, "an honest client was logged out"
            self.stored = str(answer.grant.refresh_token)
            self.used_at = sessions.clock.timestamp()

        @precondition(lambda self: self.stolen is None)
        @rule()
        def refresh(self) -> None:
            """A client continues, or repeats what was never answered."""
            self.unanswered = None
            self.keep(sessions.refresh(self.stored)[0])

        @precondition(lambda self: self.stolen is None)
        @rule()
        def lose_the_answer(self) -> None:
            """The server has answered; the client has not heard, and will ask again within the window."""
            assert sessions.refresh(self.stored)[0] is not None
            first_lost = self.unanswered or (self.stored, sessions.clock.timestamp())
            self.unanswered = first_lost

        @precondition(lambda self: self.stolen is None)
        @rule(tabs=st.integers(2, 5))
        def wake_tabs_at_once(self, tabs: int) -> None:
            """Every tab read the store before any of them had an answer."""
            self.unanswered = None
            answers = sessions.refresh(*[self.stored] * tabs)
            assert len({str(answer and answer.grant.refresh_token) for answer in answers}) == 1
            self.keep(answers[0])

        @precondition(lambda self: self.stolen is None and self.unanswered is None)
        @rule(rounds=st.integers(1, 40), late=st.floats(0, WINDOW))
        def wake_a_slow_tab(self, rounds: int, late: float) -> None:
            """It read the store, slept while others went on, and asks within the window with what it read."""
            read = self.stored
            for _ in range(rounds):
                self.keep(sessions.refresh(self.stored)[0])
            sessions.clock.advance(late)
            answer = sessions.refresh(read)[0]
            assert answer is not None and answer.grant.refresh_token == self.stored

        @rule(seconds=st.one_of(st.floats(0, 20), st.floats(0, 600_000), st.floats(-30, 0)))
        def move_the_clock(self, seconds: float) -> None:
            """Time passes, or the machine's clock is set; whoever waits for an answer asks again before it is late."""
            if self.unanswered is not None:
                left = self.unanswered[1] + WINDOW - sessions.clock.timestamp()
                seconds = min(seconds, max(left, 0.0))
            seconds = min(seconds, self.used_at + IDLE - sessions.clock.timestamp())
            sessions.clock.advance(seconds)

        @precondition(lambda self: self.stolen is None and self.unanswered is None)
        @rule()
        def steal(self) -> None:
            """A thief copies what the client holds."""
            self.stolen = self.stored

        @precondition(lambda self: self.stolen is not None)
        @rule(thief_first=st.booleans(), pause=st.floats(WINDOW + 0.001, 900))
        def use_both(self, thief_first: bool, pause: float) -> None:
            """Thief and client each continue once, further apart than a lost answer explains."""
            assert self.stolen is not None
            one, other = (self.stolen, self.stored) if thief_first else (self.stored, self.stolen)
            answer = sessions.refresh(one)[0]
            assert answer is not None
            sessions.clock.advance(pause)  # and access tokens of the session are still about
            assert sessions.refresh(other)[0] is None, "both hold a living session"
            for token in (one, other, str(answer.grant.refresh_token)):
                assert sessions.refresh(token)[0] is None, "the family lives on"
            assert not sessions.is_open(self.first)
            self.sign_in()

        @precondition(lambda self: self.stolen is not None)
        @rule(rounds=st.integers(1, 5), pause=st.floats(WINDOW + 0.001, 3600))
        def come_late_with_it(self, rounds: int, pause: float) -> None:
            """The client went on for a while before the thief shows what he has."""
            assert self.stolen is not None
            for _ in range(rounds):
                self.keep(sessions.refresh(self.stored)[0])
            sessions.clock.advance(pause)
            assert sessions.refresh(self.stolen)[0] is None
            assert sessions.refresh(self.stored)[0] is None, "the family lives on"
            self.sign_in()

        @invariant()
        def lives(self) -> None:
            """Until somebody steals, nothing ends."""
            if self.stored:
                assert sessions.is_open(self.first)

    return History


def told(examples: int) -> settings:
    """So many histories; one that fails is told as it is, because each step of its shrinking takes a database."""
    return settings(
        max_examples=examples,
        stateful_step_count=20,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


@pytest.mark.torture
def test_random_histories(sessions: Sessions, scaled: Callable[[int], int]) -> None:
    run_state_machine_as_test(histories(sessions), settings=told(scaled(500)))


@pytest.mark.parametrize("window", [-1.0, 1e9], ids=["a lost answer taken for a theft", "a theft for a lost answer"])
def test_planted_faults_are_found(sessions: Sessions, monkeypatch: pytest.MonkeyPatch, window: float) -> None:
    monkeypatch.setattr(sessions.keeper, "_settings", IdentitySettings(repeat_window=window))
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(histories(sessions), settings=told(50))
