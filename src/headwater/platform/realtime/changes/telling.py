"""What a client is told of a change that it may see."""

from collections.abc import Mapping

import msgspec

from headwater.platform.realtime.changes.sight import Sight
from headwater.platform.realtime.models import LoggedChange, LoggedMessage, ToldChange, Verdict, WatchedTable

TRUNCATE = "TRUNCATE"
Row = Mapping[str, msgspec.Raw]
_encode = msgspec.json.Encoder().encode


class Change:
    """One message of the log: the rows of it, and whether they can still be judged."""

    __slots__ = ("message", "new", "old")

    def __init__(self, message: LoggedMessage, logged: LoggedChange) -> None:
        self.message = message
        self.old = logged.old
        self.new = logged.new

    def can_be_judged(self, sight: Sight) -> bool:
        """Whether its rows have every column that the policy looks at; one that was added later nobody wrote."""
        return all(sight.judged <= row.keys() for row in (self.old, self.new) if row is not None)


def changes_of(table: WatchedTable, messages: list[LoggedMessage]) -> list[Change | None]:
    """What each message says of this very table; None for those of an earlier table of its name."""
    decoded = [(message, msgspec.json.decode(message.payload, type=LoggedChange)) for message in messages]
    return [Change(message, logged) if logged.relation == table.oid else None for message, logged in decoded]


class Telling:
    """Makes messages for those who have one view of a table and hear it by one channel."""

    def __init__(self, table: WatchedTable, sight: Sight, channel: str, most: int) -> None:
        self._table = table
        self._sight = sight
        self._channel = channel
        self._most = most

    def emptied(self, message: LoggedMessage) -> LoggedMessage:
        """Every row is gone."""
        return self._told(message, TRUNCATE, None, None)

    def changed(
        self, change: Change, was: Verdict | None, is_now: Verdict | None, nth: int | None
    ) -> LoggedMessage | None:
        """What became of a row in sight; in sight is what the policies show and filter `nth` keeps, None if none does.

        A row that comes into sight is an INSERT, one that leaves it a DELETE, of which the key alone is told.
        """
        old = None if change.old is None or was is None or not _keeps(was, nth) else self._readable(change.old, was)
        new = (
            None
            if change.new is None or is_now is None or not _keeps(is_now, nth)
            else self._readable(change.new, is_now)
        )
        if old is None and new is None:
            return None
        if old is None:
            return self._told(change.message, "INSERT", None, new)
        whole = self._table.tells_old_rows and (new is not None or change.new is None)
        told = old if whole else self._key_of(old)
        return self._told(change.message, "DELETE" if new is None else "UPDATE", told, new)

    def _told(self, message: LoggedMessage, event: str, old: Row | None, new: Row | None) -> LoggedMessage:
        payload = self._payload(old, new, truncated=False)
        if len(payload) > self._most:
            payload = self._payload(
                None if old is None else self._key_of(old), None if new is None else self._key_of(new), truncated=True
            )
        return msgspec.structs.replace(message, channel=self._channel, event=event, payload=payload.decode())

    def _payload(self, old: Row | None, new: Row | None, *, truncated: bool) -> bytes:
        return _encode(
            ToldChange(
                schema=self._table.schema,
                table=self._table.name,
                old=None if old is None else dict(old),
                new=None if new is None else dict(new),
                truncated=truncated,
            )
        )

    def _readable(self, row: Row, verdict: Verdict) -> Row:
        """The columns that there are and that the role may read, in the table's order."""
        whole = {**row, **(verdict.computed or {})}
        return {
            column.name: whole[column.name]
            for column in self._table.columns
            if column.name in whole and column.name in self._sight.columns
        }

    def _key_of(self, row: Row) -> Row:
        return {name: row[name] for name in self._table.key if name in row}


def _keeps(verdict: Verdict, nth: int | None) -> bool:
    return nth is None or verdict.kept[nth]
