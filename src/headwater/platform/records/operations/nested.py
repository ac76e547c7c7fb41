"""Rows that carry rows of other relations, added in one transaction: one statement for each level."""

import re
from collections.abc import Iterable, Sequence

import asyncpg
import msgspec

from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.principal import Principal
from headwater.platform.records import rules
from headwater.platform.records.errors import KeyFilledTwice, RecordsRefusal, RowLeftOut, UnreadableBody
from headwater.platform.records.models import Addition, Carried, Inserts, Outcome, Tie, join_path, path_of
from headwater.platform.records.operations.asking import Ready
from headwater.platform.records.operations.running import TO_BE_RETRIED, outcome_of, refusal_of, run_steps
from headwater.platform.records.sql import BEGIN_STEP, FORGET_LEVEL, KEEP_STEP, MARK_LEVEL, write_probe

_MOST_SEARCHED = 10_000
"""Rows of one statement among which the one that it fails for is searched."""
_OF_A_ROW = ("22", "23", "42501", "P0", "PT", "PGRST")
"""The failures that a single row is to blame for."""
_KEY = re.compile(r'Key \("?([^(),"]+)"?\)=')
_Keys = list[list[str | None]]
_encoder = msgspec.json.Encoder()
_keys = msgspec.json.Decoder(list[list[str | None]])


async def run_nested(transactions: Transactions, principal: Principal, ready: Ready) -> Outcome:
    """What a nested insert gives: every row of it is added, or none is."""

    async def steps(tx: WritingTransaction) -> tuple[Outcome, bool]:
        return await _add_and_tell(tx, principal, ready), ready.prepared.rolls_back

    return await run_steps(transactions, principal, steps, soils=False)


async def run_nested_step(tx: WritingTransaction, principal: Principal, ready: Ready) -> Outcome:
    """The same, as one of several requests in a transaction."""
    await tx.execute(BEGIN_STEP)
    outcome = await _add_and_tell(tx, principal, ready)
    await tx.execute(KEEP_STEP)
    return outcome


def located(refusal: RecordsRefusal, levels: Sequence[Carried]) -> RecordsRefusal:
    """The refusal of a column that some row of a level has, with the first row's place."""
    number, column = refusal.facts.get("level"), refusal.facts.get("column")
    if isinstance(number, int) and isinstance(column, str) and number < len(levels):
        row = next((place for place, row in enumerate(levels[number].rows) if column in row), None)
        refusal.path = None if row is None else join_path(path_of(tuple(levels), number, row), column)
    return refusal


async def _add_and_tell(tx: WritingTransaction, principal: Principal, ready: Ready) -> Outcome:
    statement, claims = ready.prepared.statement, principal.claims_json
    inserts, plan = statement.inserts, statement.plan
    if inserts is None:
        return Outcome()
    if plan.media.singular and len(ready.levels[0].rows) != 1:
        raise rules.not_one_row(len(ready.levels[0].rows))
    try:
        if statement.opening is not None:
            await tx.row(statement.opening.sql, claims, *ready.opening)
        adding = _Adding(principal, inserts, ready.levels)
        await adding.add_all(tx)
        place = plan.source.limited + plan.source.shifted  # after the window, the body
        arguments = [*ready.arguments[:place], adding.keys_of_body(), *ready.arguments[place + 1 :]]
        outcome = outcome_of(statement, await tx.row(statement.sql, claims, *arguments))
    except TO_BE_RETRIED:
        raise
    except asyncpg.PostgresError as failure:
        raise refusal_of(failure, principal, plan) from failure
    return msgspec.structs.replace(outcome, inserted=adding.inserted)


class _Adding:
    """A nested insert under way: the keys of the rows that are there already, by level."""

    def __init__(self, principal: Principal, inserts: Inserts, levels: tuple[Carried, ...]) -> None:
        self.inserted: int | None = None
        self._principal = principal
        self._inserts = inserts
        self._levels = levels
        self._keys: dict[int, _Keys] = {}

    async def add_all(self, tx: WritingTransaction) -> None:
        """Add the rows of every level, each before those that take its key."""
        for number, level in enumerate(self._inserts.nested.levels):
            self._must_be_as_many(number, many=level.many)
        for number in self._inserts.nested.order:
            await self._add_level(tx, number)
            await self._add_links(tx, number)

    def keys_of_body(self) -> str:
        """The keys of the body's own rows, as a JSON array of rows."""
        key = self._inserts.nested.key
        rows = [dict(zip(key.columns, _taken(key, told), strict=True)) for told in self._keys[0]]
        return _encoded(rows)

    def _must_be_as_many(self, number: int, *, many: bool) -> None:
        """Refuse a row where there is a list of them, and a list where there is one."""
        level = self._levels[number]
        if level.above < 0:
            return
        wrong = next((row for row, place in enumerate(level.places) if (place < 0) == many), None)
        if wrong is not None:
            path = join_path(path_of(self._levels, level.above, level.parents[wrong]), level.label)
            raise UnreadableBody(reason=f"{path} must be {'an array of objects' if many else 'an object'}", path=path)

    async def _add_level(self, tx: WritingTransaction, number: int) -> None:
        level, rows = self._inserts.nested.levels[number], self._levels[number].rows
        self._keys[number] = []
        if not rows:
            return
        filled = self._filled(number)
        keys, inserted = await self._insert(tx, self._inserts.levels[number], level.addition, filled, number)
        if level.addition.writing.counts_inserted:
            self.inserted = inserted
        self._keys[number] = keys

    async def _add_links(self, tx: WritingTransaction, number: int) -> None:
        linking, sql = self._inserts.nested.levels[number].linking, self._inserts.junctions[number]
        level = self._levels[number]
        if linking is None or sql is None or not level.rows:
            return
        rows = [
            _encoded(
                _filling(linking.near, self._keys[level.above][above])
                | _filling(linking.far, self._keys[number][place])
            )
            for place, above in enumerate(level.parents)
        ]
        await self._insert(tx, sql, linking.addition, rows, number)

    def _filled(self, number: int) -> list[str]:
        """The rows of a level as JSON, with the keys of those that they refer to. Raises `KeyFilledTwice`."""
        level, planned = self._levels[number], self._inserts.nested.levels
        filled: dict[int, dict[str, str | None]] = {}
        tie = planned[number].tie
        if tie is not None and not planned[number].outgoing:
            for place, above in enumerate(level.parents):
                key = _filling(tie, self._keys[level.above][above])
                filled[place] = self._not_given(number, place, key, "the row around it")
        for below, one in enumerate(planned):
            if one.above == number and one.outgoing and one.tie is not None:
                for place, above in enumerate(self._levels[below].parents):
                    key = _filling(one.tie, self._keys[below][place])
                    filled.setdefault(above, {}).update(self._not_given(number, above, key, f"'{one.label}'"))
        return [_with_members(text, filled.get(place)) for place, text in enumerate(level.texts)]

    def _not_given(self, number: int, place: int, key: dict[str, str | None], giver: str) -> dict[str, str | None]:
        twice = next((column for column in key if column in self._levels[number].rows[place]), None)
        if twice is None:
            return key
        raise KeyFilledTwice(path=join_path(path_of(self._levels, number, place), twice), column=twice, label=giver)

    async def _insert(
        self, tx: WritingTransaction, sql: str, addition: Addition, rows: list[str], number: int
    ) -> tuple[_Keys, int]:
        """Run the insert of all rows of a level. Raises what stands for Postgres' refusal, with the row's path."""
        await tx.execute(MARK_LEVEL)
        try:
            told = await tx.row(sql, self._principal.claims_json, _array_of(rows))
        except TO_BE_RETRIED:
            raise
        except asyncpg.PostgresError as failure:
            raise await self._refusal(tx, failure, sql, addition, rows, number) from failure
        keys, present, inserted = told or (None, 0, 0)
        if addition.returned and present != len(rows):
            raise RowLeftOut(relation=addition.place[1], path=self._levels[number].label or None)
        return _keys.decode(keys) if keys is not None else [], inserted

    async def _refusal(
        self,
        tx: WritingTransaction,
        failure: asyncpg.PostgresError,
        sql: str,
        addition: Addition,
        rows: list[str],
        number: int,
    ) -> BaseException:
        """What stands for the failure of an insert, with the path of the row, and the column, that it is about."""
        place: int | None = 0
        if len(rows) > 1:
            place, failure = await self._first_refused(tx, failure, sql, rows)
        refusal = refusal_of(failure, self._principal)
        if isinstance(refusal, RecordsRefusal):
            if place is None:
                refusal.path = self._levels[number].label or None
            else:
                path = path_of(self._levels, number, place)
                column = _column_of(failure) or await self._column_refused(tx, failure, addition, rows, place)
                given = column is not None and column in self._levels[number].rows[place]
                absent = isinstance(failure, asyncpg.NotNullViolationError)
                refusal.path = join_path(path, column) if column is not None and (given or absent) else path
        return refusal

    async def _first_refused(
        self, tx: WritingTransaction, failure: asyncpg.PostgresError, sql: str, rows: list[str]
    ) -> tuple[int | None, asyncpg.PostgresError]:
        """The first row that Postgres refuses, and how; None where it is not to be said.

        The shortest beginning of the rows that fails ends with it, and is found by halving.
        """
        if len(rows) > _MOST_SEARCHED or not str(failure.sqlstate).startswith(_OF_A_ROW):
            return None, failure
        good, bad = 0, len(rows)
        while bad - good > 1:
            middle = (good + bad) // 2
            again = await self._tried(tx, sql, self._principal.claims_json, _array_of(rows[:middle]))
            if again is None:
                good = middle
            else:
                bad, failure = middle, again
        return bad - 1, failure

    async def _column_refused(
        self, tx: WritingTransaction, failure: asyncpg.PostgresError, addition: Addition, rows: list[str], place: int
    ) -> str | None:
        """The column whose value cannot be read, if that is what the failure is about."""
        if not str(failure.sqlstate).startswith("22"):
            return None
        for number, column in enumerate(addition.writing.columns):
            if await self._tried(tx, write_probe(addition, number), _array_of([rows[place]])) is not None:
                return column.name
        return None

    async def _tried(self, tx: WritingTransaction, sql: str, *arguments: str) -> asyncpg.PostgresError | None:
        """How a statement fails that is undone in any case."""
        await tx.execute(FORGET_LEVEL)
        try:
            await tx.row(sql, *arguments)
        except asyncpg.PostgresError as failure:
            return failure
        return None


def _column_of(failure: asyncpg.PostgresError) -> str | None:
    """The one column that a failure names."""
    named = getattr(failure, "column_name", None)
    if isinstance(named, str):
        return named
    found = _KEY.match(str(getattr(failure, "detail", None) or ""))
    return None if found is None else found[1]


def _with_members(text: str, members: dict[str, str | None] | None) -> str:
    """A row as JSON, with further members."""
    if not members:
        return text
    return f"{text[:-1]}{',' if len(text) > 2 else ''}{_encoded(members)[1:]}"


def _array_of(rows: Sequence[str]) -> str:
    return f"[{','.join(rows)}]"


def _encoded(value: object) -> str:
    return _encoder.encode(value).decode()


def _filling(tie: Tie, key: Sequence[str | None]) -> dict[str, str | None]:
    return dict(zip(tie.columns, _taken(tie, key), strict=True))


def _taken(tie: Tie, key: Sequence[str | None]) -> Iterable[str | None]:
    return (key[place] for place in tie.taken)
