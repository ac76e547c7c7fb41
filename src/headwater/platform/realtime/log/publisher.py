"""Adds messages: those of one turn of the loop in one commit."""

import asyncio
from collections import defaultdict
from typing import NamedTuple

from headwater.kernel.bus import Tasks
from headwater.kernel.database import Database, Transactions
from headwater.kernel.observe import Observer
from headwater.kernel.principal import Principal
from headwater.platform.realtime import queries
from headwater.platform.realtime.errors import PublishRefused, UnfitMessage
from headwater.platform.realtime.models import NewMessage

_AT_ONCE = 256
FORBIDDEN = "forbidden"


class _Publish(NamedTuple):
    principal: Principal
    message: NewMessage
    added: asyncio.Future[None]


class Publisher:
    """Inserts messages under their senders' roles and claims.

    What comes in one turn, or while a commit is under way, leaves together, one commit for each role; so the messages
    of one role are logged in the order in which they came.
    """

    def __init__(self, database: Database, observer: Observer) -> None:
        self._transactions = Transactions(database)
        self._waiting: defaultdict[str, list[_Publish]] = defaultdict(list)
        self._flushing: set[str] = set()
        self._tasks = Tasks("realtime", observer)

    def add(self, principal: Principal, message: NewMessage) -> asyncio.Future[None]:
        """Take in a message; the future is done once it is committed.

        It raises `PublishRefused` where the policies do not let it in, `UnfitMessage`, and the database's refusals.
        """
        publish = _Publish(principal, message, asyncio.get_running_loop().create_future())
        self._waiting[principal.role].append(publish)
        if principal.role not in self._flushing:
            self._flushing.add(principal.role)
            self._tasks.start(self._flush(principal.role))
        return publish.added

    async def close(self) -> None:
        """Let what is under way come to its end."""
        await self._tasks.stop(patience=5.0)

    async def _flush(self, role: str) -> None:
        waiting = self._waiting[role]
        try:
            while waiting:
                await asyncio.sleep(0)  # the rest of this turn comes along
                leaving, waiting[:_AT_ONCE] = waiting[:_AT_ONCE], []
                await self._insert([publish for publish in leaving if not publish.added.cancelled()])
        finally:
            self._flushing.discard(role)

    async def _insert(self, publishes: list[_Publish]) -> None:
        if not publishes:
            return
        try:
            batch = [(publish.principal, publish.message) for publish in publishes]
            refusals = await queries.add_messages(self._transactions, batch)
        except Exception as failure:  # noqa: BLE001 - raised where it was published
            for publish in publishes:
                if not publish.added.done():
                    publish.added.set_exception(failure)
            return
        for publish, refusal in zip(publishes, refusals, strict=True):
            if publish.added.done():
                continue
            if refusal is None:
                publish.added.set_result(None)
            elif refusal == FORBIDDEN:
                publish.added.set_exception(PublishRefused(channel=publish.message.channel))
            else:
                publish.added.set_exception(UnfitMessage(reason=refusal.partition(" ")[2]))
