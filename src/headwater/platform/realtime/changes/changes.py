"""Tells the changes of tables: to everyone what he may SELECT, judged once for all who see the same."""

from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

import asyncpg
import msgspec

from headwater.kernel.database import Database, Transactions
from headwater.kernel.errors import DatabaseUnavailable
from headwater.kernel.observe import HookFailed, Observer
from headwater.kernel.principal import Principal
from headwater.kernel.sockets import CloseReason, Packet
from headwater.platform.realtime import queries, rules
from headwater.platform.realtime.changes.address import parse_channel
from headwater.platform.realtime.changes.sight import Sight, group_of, is_readable, sight_of
from headwater.platform.realtime.changes.telling import TRUNCATE, Change, Telling, changes_of
from headwater.platform.realtime.delivery import Delivery, Send, Subscription, packet_of, room_of
from headwater.platform.realtime.errors import InvalidChannelRequest, SubscribeRefused
from headwater.platform.realtime.models import LoggedMessage, RealtimeSettings, Verdict, WatchedTable

_AT_ONCE = 5000
"""Rows judged in one statement, counted once for each group."""

Verdicts = tuple[Verdict | None, Verdict | None]


class Told(NamedTuple):
    """What those in one room are told of each of some messages; None where they may not see it."""

    room: str
    messages: Sequence[LoggedMessage | None]


class _Group:
    """Those who see the same rows, by channel: each has a filter of its own.

    Their room is the channel's name, a line's end and the group's name: no channel is called so (`is_channel_name`), or
    somebody could sit down in a group's room by what he calls his own channel.
    """

    def __init__(self, principal: Principal, seen: bytes) -> None:
        self.principal = principal
        self.name = f"{principal.role} {seen.decode()}"
        self.listeners: defaultdict[str, list[Subscription]] = defaultdict(list)


class RowChanges:
    """Decides who is told what of the channels `table:…`.

    What decides is read anew for every batch of changes (one statement), so policies, privileges and columns are those
    of now. Each row is judged once for every group (docs/decisions/0040), before and after the change.
    """

    def __init__(self, delivery: Delivery, database: Database, observer: Observer, settings: RealtimeSettings) -> None:
        self._delivery = delivery
        self._transactions = Transactions(database)
        self._observer = observer
        self._settings = settings

    def start(self) -> None:
        """Take over the channels of tables."""
        self._delivery.divert(self)

    def takes(self, channel: str) -> bool:
        """Whether it is a table's."""
        return rules.tells_a_table(channel)

    async def admit(self, transactions: Transactions, principal: Principal, channel: str) -> None:
        """Return if the table tells its changes and the role may look at it.

        Raises `SubscribeRefused`, and `InvalidChannelRequest` for a filter that cannot be.
        """
        address = parse_channel(channel)
        table = await queries.describe_table(transactions, address, [principal.role], self._settings.judging_seconds)
        sight = None if table is None else sight_of(table, principal.role)
        if table is None or sight is None:
            raise SubscribeRefused(channel=channel)
        for condition in address.conditions:
            if condition.column not in sight.columns:
                raise InvalidChannelRequest(reason=f"channel: there is no column {condition.column!r} to filter by")
        if address.conditions:
            statement = queries.judgement(table, None, [address.conditions])
            try:
                await queries.try_judgement(transactions, principal, statement)
            except asyncpg.PostgresError as failure:
                raise InvalidChannelRequest(reason=f"channel: {failure}") from failure

    async def prepare(self, messages: Sequence[LoggedMessage]) -> list[Send]:
        """What tells each message to those who may have it, of all that hear it now."""
        sends: dict[int, Send] = {}
        for source, mine in _by_channel(messages).items():
            audience = [each for each in self._delivery.listening(source) if each.listener.live]
            told = await self._tell(source, mine, audience)
            packets = _packets(told.values(), len(mine))
            for nth, message in enumerate(mine):
                sends[message.place] = self._send(source, told if nth == 0 else None, packets[nth])
        return [sends[message.place] for message in messages]

    async def prepare_for(self, subscription: Subscription, messages: Sequence[LoggedMessage]) -> list[Packet | None]:
        """What one listener gets of each message; it raises where that cannot be found out."""
        table, sights = await self._look(subscription.source, [subscription])
        sight = sights.get(subscription.listener.socket.principal.role)
        told: Sequence[LoggedMessage | None] = [None] * len(messages)
        if table is not None and sight is not None:
            judged = await self._judge(table, sight, list(messages), [subscription])
            told = judged[subscription].messages if subscription in judged else told
        return [
            None if each is None else packet_of(each, replayed=message.place <= subscription.since)
            for message, each in zip(messages, told, strict=True)
        ]

    def _send(self, source: str, told: dict[Subscription, Told] | None, packets: list[tuple[str, Packet]]) -> Send:
        def send() -> int:
            if told is not None:
                self._seat(source, told)
            sockets = self._delivery.sockets
            return sum(sockets.broadcast_packet(room, packet) for room, packet in packets)

        return send

    def _seat(self, source: str, told: dict[Subscription, Told]) -> None:
        """Let everyone be in the room of those who are told the same; who is told nothing, where nobody speaks."""
        sockets = self._delivery.sockets
        for subscription in self._delivery.listening(source):
            room = told[subscription].room if subscription in told else room_of(subscription.channel)
            if subscription.room != room and subscription.listener.live:
                socket = subscription.listener.socket
                sockets.write_now(socket)  # who leaves a room gets nothing more of what was told there
                sockets.leave(socket, subscription.room)
                sockets.join(socket, room)
                subscription.room = room

    async def _look(
        self, source: str, audience: Iterable[Subscription]
    ) -> tuple[WatchedTable | None, dict[str, Sight | None]]:
        """The table that a channel tells of, and what the listeners' roles see of it now."""
        roles = sorted({each.listener.socket.principal.role for each in audience})
        table = None
        with suppress(InvalidChannelRequest):
            address, patience = parse_channel(source), self._settings.judging_seconds
            table = await queries.describe_table(self._transactions, address, roles, patience) if roles else None
        return table, {} if table is None else {role: sight_of(table, role) for role in roles}

    async def _tell(
        self, source: str, messages: list[LoggedMessage], audience: list[Subscription]
    ) -> dict[Subscription, Told]:
        """What each of the audience is told; whoever's view cannot be found out is cut off, to come back and ask."""
        told: dict[Subscription, Told] = {}
        with self._cutting_off(audience):
            table, sights = await self._look(source, audience)
            for role, sight in sights.items():
                mine = [each for each in audience if each.listener.socket.principal.role == role]
                if table is not None and sight is not None:
                    with self._cutting_off(mine):
                        told |= await self._judge(table, sight, messages, mine)
        return told

    @contextmanager
    def _cutting_off(self, audience: Iterable[Subscription]) -> Generator[None]:
        """A failure is told and ends these sockets; it must not stop what others are told."""
        try:
            yield
        except DatabaseUnavailable:
            raise
        except Exception as failure:  # noqa: BLE001 - whatever a policy raises
            self._observer.tell(HookFailed(part="realtime row changes", failure=failure))
            for each in audience:
                each.listener.socket.close(CloseReason.FAILED)

    async def _judge(
        self, table: WatchedTable, sight: Sight, messages: list[LoggedMessage], audience: list[Subscription]
    ) -> dict[Subscription, Told]:
        """What each of an audience of one role is told."""
        groups = _grouped(sight, audience)
        changes = changes_of(table, messages)
        judged = [each for each in changes if each is not None and _has_rows(each) and each.can_be_judged(sight)]
        rows = msgspec.json.encode([(each.old, each.new) for each in judged])
        told: dict[Subscription, Told] = {}
        at_once = max(1, _AT_ONCE // max(1, len(judged)))
        for start in range(0, len(groups), at_once):
            some = groups[start : start + at_once]
            asked = [self._question(table, sight, group) for group in some]
            verdicts: list[list[Verdicts]] = [[] for _ in some]
            if judged:
                patience = self._settings.judging_seconds
                verdicts = await queries.judge(self._transactions, some[0].principal, asked, rows, patience)
            for group, verdict in zip(some, verdicts, strict=True):
                pairs = dict(zip(judged, verdict, strict=True))
                told |= self._told(table, sight, group, changes, pairs)
        return told

    def _question(self, table: WatchedTable, sight: Sight, group: _Group) -> tuple[str, str]:
        filters = [parse_channel(channel).conditions for channel in group.listeners]
        statement = queries.judgement(table, sight.policy, [each for each in filters if each])
        return group.principal.claims_json, statement

    def _told(
        self,
        table: WatchedTable,
        sight: Sight,
        group: _Group,
        changes: Sequence[Change | None],
        verdicts: dict[Change, Verdicts],
    ) -> dict[Subscription, Told]:
        told: dict[Subscription, Told] = {}
        filters = 0
        for channel, subscriptions in group.listeners.items():
            nth = None
            if parse_channel(channel).conditions:
                nth, filters = filters, filters + 1
            telling = Telling(table, sight, channel, self._settings.payload_bytes)
            heard: list[LoggedMessage | None] = []
            for change in changes:
                if change is not None and change in verdicts:
                    was, is_now = verdicts[change]
                    heard.append(telling.changed(change, was, is_now, nth))
                elif change is not None and change.message.event == TRUNCATE:
                    heard.append(telling.emptied(change.message))
                else:
                    heard.append(None)
            told |= dict.fromkeys(subscriptions, Told(f"{room_of(channel)}\n{group.name}", heard))
        return told


def _by_channel(messages: Iterable[LoggedMessage]) -> dict[str, list[LoggedMessage]]:
    found: defaultdict[str, list[LoggedMessage]] = defaultdict(list)
    for message in messages:
        found[message.channel].append(message)
    return found


def _grouped(sight: Sight, audience: Iterable[Subscription]) -> list[_Group]:
    """The groups in an audience, without those whose filters ask for what they may no longer read."""
    groups: dict[bytes, _Group] = {}
    for subscription in audience:
        principal = subscription.listener.socket.principal
        if is_readable(parse_channel(subscription.channel), sight):
            seen = group_of(sight, principal)
            group = groups.setdefault(seen, _Group(principal, seen))
            group.listeners[subscription.channel].append(subscription)
    return list(groups.values())


def _has_rows(change: Change) -> bool:
    return change.old is not None or change.new is not None


def _packets(told: Iterable[Told], count: int) -> list[list[tuple[str, Packet]]]:
    """For each of so many messages, what is told in which room."""
    rooms = {each.room: each.messages for each in told}
    packets: list[list[tuple[str, Packet]]] = [[] for _ in range(count)]
    for room, messages in rooms.items():
        for nth, message in enumerate(messages):
            if message is not None:
                packets[nth].append((room, packet_of(message)))
    return packets
