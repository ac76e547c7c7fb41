"""What clients listen to, so that one that was cut off goes on there (Socket.IO's connection state recovery)."""

import asyncio
from collections.abc import Mapping
from hashlib import sha256

import msgspec

from headwater.kernel.bus import Tasks
from headwater.kernel.clock import Clock
from headwater.kernel.database import Database, Transactions
from headwater.kernel.ids import new_secret
from headwater.kernel.observe import Observer
from headwater.kernel.principal import Principal
from headwater.platform.realtime import queries
from headwater.platform.realtime.models import KeptSession

PREFIX = "rs_"


class ListeningSession(msgspec.Struct):
    """What one client listens to: its channels, and the place in the log from which on it listens to each.

    `secret` is known to the client alone; whoever shows it, and is the same principal, goes on with the session.
    """

    secret: str
    principal: str
    channels: dict[str, int]

    @property
    def id(self) -> bytes:
        """What the session is stored under."""
        return sha256(self.secret.encode()).digest()


class SessionBook:
    """Keeps sessions as rows: any node can go on with what another has begun, and killed ones lose nothing.

    What changes in one turn of the loop, or while a commit is under way, is written in one statement.
    """

    def __init__(self, database: Database, clock: Clock, observer: Observer) -> None:
        self._database = database
        self._clock = clock
        self._tasks = Tasks("realtime sessions", observer)
        self._changed: dict[bytes, KeptSession] = {}
        self._written: asyncio.Future[None] | None = None

    def begin(self, principal: Principal) -> ListeningSession:
        """A session of which nothing is stored before somebody listens."""
        return ListeningSession(new_secret(PREFIX, 20), principal.key, {})

    async def find(self, secret: str, principal: Principal) -> ListeningSession | None:
        """The session a client shows; None if it is unknown, or somebody else's."""
        session = ListeningSession(secret, principal.key, {})
        channels = await self._database.single(lambda tx: queries.find_session(tx, session.id, principal.key))
        if channels is None:
            return None
        session.channels.update(channels)
        return session

    async def keep(self, session: ListeningSession) -> None:
        """Return once what the client listens to now is committed."""
        await self._note(session, left=False)

    def leave(self, session: ListeningSession) -> None:
        """Note that its client has gone; it may come back for a while."""
        if session.channels:
            self._tasks.start(self._note(session, left=True))

    async def close(self) -> None:
        """Write what is under way."""
        await self._tasks.stop(patience=2.0)

    async def _note(self, session: ListeningSession, *, left: bool) -> None:
        kept = KeptSession(id=session.id, principal=session.principal, channels=_text(session.channels), left=left)
        self._changed[session.id] = kept
        if self._written is None:
            self._written = asyncio.get_running_loop().create_future()
            self._tasks.start(self._write())
        await asyncio.shield(self._written)

    async def _write(self) -> None:
        await asyncio.sleep(0)  # the rest of this turn comes along
        changed, self._changed = self._changed, {}
        written, self._written = self._written, None
        assert written is not None  # noqa: S101 - for the type checker: whoever starts this has made it
        try:
            now = self._clock.now()
            await Transactions(self._database).writing(lambda tx: queries.put_sessions(tx, changed.values(), now))
        except Exception as failure:  # noqa: BLE001 - raised where it was asked for
            written.set_exception(failure)
            written.exception()  # nobody may wait for it
        else:
            written.set_result(None)


def _text(channels: Mapping[str, int]) -> str:
    return msgspec.json.encode(channels).decode()
