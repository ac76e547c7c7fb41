"""Access that ends: who may no longer hear a channel hears nothing more of it."""

from collections import defaultdict

from headwater.kernel.bus import Bus, Nodes, Rounds
from headwater.kernel.catalog import CATALOG_TOPIC, DDL_CHANNEL
from headwater.kernel.database import Database, Transactions
from headwater.kernel.observe import Observer
from headwater.kernel.principal import Principal
from headwater.platform.realtime import queries
from headwater.platform.realtime.delivery import Delivery, Subscription
from headwater.platform.realtime.directory import CHANGED_CHANNEL, Directory
from headwater.platform.realtime.errors import SubscribeRefused
from headwater.platform.realtime.models import COMPLAINT, RealtimeSettings
from headwater.platform.realtime.presence import Roster
from headwater.platform.realtime.sessions import SessionBook

TOPIC = "realtime.access"
_AT_ONCE = 500


class Access:
    """Asks again whether those who listen here still may.

    At once when channels or schemas change, here or elsewhere, and every few seconds, because policies may hang on
    rows. Whoever takes access away through the house waits for `end_everywhere`: then every live node has asked.
    """

    def __init__(  # noqa: PLR0913 - what it watches, and what it acts on
        self,
        delivery: Delivery,
        roster: Roster,
        directory: Directory,
        book: SessionBook,
        database: Database,
        bus: Bus,
        nodes: Nodes,
        observer: Observer,
        settings: RealtimeSettings,
    ) -> None:
        self._delivery = delivery
        self._roster = roster
        self._directory = directory
        self._book = book
        self._database = database
        self._bus = bus
        self._nodes = nodes
        self._seconds = settings.recheck_seconds
        self._rounds = Rounds("realtime access", observer, self._round)

    def start(self) -> None:
        """Begin to ask."""
        self._nodes.answer(TOPIC, lambda _message: self.recheck())
        self._nodes.answer(CATALOG_TOPIC, lambda _message: self.recheck())
        for channel in (CHANGED_CHANNEL, DDL_CHANNEL):
            self._bus.listen_raw(channel, lambda _payload: self._rounds.ring())
        self._bus.on_gap(self.recheck)
        self._rounds.start()

    async def stop(self) -> None:
        """Finish what is under way."""
        await self._rounds.stop()

    async def end_everywhere(self) -> None:
        """Return once nobody who lost access to a channel is told anything more, on any live node."""
        await self._nodes.tell_all(TOPIC)

    def is_closed_to(self, principal: Principal, channel: str) -> bool:
        """Whether a channel is reserved for admins, and this is none."""
        reserved = self._directory.reserved(channel)
        return reserved is not None and reserved.for_admins and not principal.is_admin

    async def _round(self) -> float:
        await self.recheck()
        return self._seconds

    async def recheck(self) -> None:
        """Ask for every subscription of this node; those that may be no more have ended when this returns."""
        self._delivery.generation += 1
        await self._directory.refresh()
        for subscription in self._delivery.everyone():
            if self.is_closed_to(subscription.listener.socket.principal, subscription.channel):
                await self._end(subscription)
        if not await self._database.single(queries.channels_are_guarded):
            for subscription in self._delivery.everyone():
                known = self._delivery.diversion(subscription.channel) or self._directory.find(subscription.channel)
                if known is None:
                    await self._end(subscription)
            return
        by_role: defaultdict[str, dict[tuple[str, str], list[Subscription]]] = defaultdict(dict)
        for subscription in self._delivery.everyone():
            principal = subscription.listener.socket.principal
            if self._delivery.diversion(subscription.channel) is None:
                asked = by_role[principal.role]
                asked.setdefault((principal.claims_json, subscription.channel), []).append(subscription)
        for asked in by_role.values():
            groups = list(asked.values())
            for at in range(0, len(groups), _AT_ONCE):
                await self._ask(groups[at : at + _AT_ONCE])

    async def _ask(self, groups: list[list[Subscription]]) -> None:
        asked: list[tuple[Principal, str]] = [
            (group[0].listener.socket.principal, group[0].channel) for group in groups
        ]
        verdicts = await queries.may_subscribe(Transactions(self._database), asked)
        for group, may in zip(groups, verdicts, strict=True):
            if not may:
                for subscription in group:
                    await self._end(subscription)

    async def _end(self, subscription: Subscription) -> None:
        if subscription.ended:
            return
        listener, channel = subscription.listener, subscription.channel
        self._delivery.end(subscription)
        self._roster.leave(channel, listener.socket)
        refusal = SubscribeRefused(channel=channel)
        listener.socket.emit(COMPLAINT, {"channel": channel, "code": refusal.code, "message": refusal.message})
        self._delivery.go_on(listener)
        if listener.session is not None and listener.session.channels.pop(channel, None) is not None:
            await self._book.keep(listener.session)
