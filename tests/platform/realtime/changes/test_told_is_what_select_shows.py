"""What somebody is told of changes is the difference of what SELECT shows him before and after."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from random import Random
from typing import Any

import asyncpg
import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Database, ReadingTransaction
from headwater.kernel.observe import Observer
from headwater.kernel.principal import Principal
from tests.platform.realtime.changes.conftest import ADMIN, Registry, member
from tests.platform.realtime.conftest import ANON, Ear

pytestmark = pytest.mark.torture
COLUMNS = ("id", "owner", "team", "level", "open", "room", "twice")
WRITTEN = COLUMNS[:-1]
PEOPLE = (
    member(1, team="red", level=1),
    member(2, team="red", level=3),
    member(3, team="blue", email="three@example.com"),
    member(3, team="blue", email="three@example.com", session="another"),
    member(4),
    ANON,
    ADMIN,
)
FILTERS = ("", "", "", ":level=gte.2", ":team=eq.red&open=eq.true", ":room=in.(1,2)", ":id=lt.8", ":twice=neq.4")
ATOMS = (
    "owner = auth.uid()",
    "owner = (select auth.uid())",
    "team = auth.jwt() ->> 'team'",
    "team = (current_setting('request.jwt.claims', true)::json ->> 'team')",
    "level <= coalesce((auth.jwt() ->> 'level')::int, 1)",
    "level > 1",
    "twice < 5",
    "open",
    "open is not true",
    "team is null",
    "auth.role() = 'authenticated'",
    "auth.email() like 'three@%'",
    "current_user = 'anon'",
    "exists (select from rooms_of m where m.room = things.room and m.who = auth.uid())",
    "room in (select m.room from rooms_of m)",
    "favours(things.team)",
    "id % 2 = 0",
    "(select count(*) from rooms_of) > 2",
    "true",
)
GRANTS = (
    "grant select on things to anon, authenticated",
    "grant select on things to anon, authenticated",
    "grant select on things to authenticated; grant select (id, team, open) on things to anon",
    "grant select (id, level, twice, open) on things to authenticated; grant select (id, owner) on things to anon",
    "grant select on things to authenticated; grant select (team) on things to anon",
)


class Hearer:
    """A client, its filter, and the rows it knows of."""

    def __init__(self, ear: Ear, principal: Principal, filtered: str) -> None:
        self.ear = ear
        self.principal = principal
        self.filtered = filtered
        self.read = 0

    def changed(self, rows: dict[int, Any]) -> dict[int, Any]:
        """The rows as they are after what was told since; whoever is told nonsense fails."""
        rows = dict(rows)
        told, self.read = self.ear.told[self.read :], len(self.ear.told)
        for event, change in told:
            if event == "TRUNCATE":
                rows.clear()
                continue
            if event != "INSERT":
                assert set(change["old"]) == {"id"}
                del rows[change["old"]["id"]]
            if event != "DELETE":
                assert change["new"]["id"] not in rows
                rows[change["new"]["id"]] = change["new"]
        return rows


def expression(random: Random, depth: int = 2) -> str:
    """A condition of a policy."""
    if depth == 0 or random.random() < 0.5:
        return random.choice(ATOMS)
    left, right = expression(random, depth - 1), expression(random, depth - 1)
    return random.choice((f"({left}) and ({right})", f"({left}) or ({right})", f"not ({left})"))


def policies(random: Random) -> list[str]:
    """What makes the rules of one world."""
    made = [f"drop policy if exists p{n} on things" for n in range(4)]
    for n in range(random.randint(0, 4)):
        kind = random.choice(("permissive", "permissive", "restrictive"))
        command = random.choice(("select", "all", "select", "select", "update"))
        roles = random.choice(("public", "anon", "authenticated", "anon, authenticated", "project_admin"))
        made.append(f"create policy p{n} on things as {kind} for {command} to {roles} using ({expression(random)})")
    switch = random.choice(("enable", "enable", "enable", "enable", "disable"))
    made.append(f"alter table things {switch} row level security")
    made.append(f"alter table rooms_of {random.choice(('enable', 'disable'))} row level security")
    made.append("revoke select on things from anon, authenticated")
    made += [f"revoke select ({column}) on things from anon, authenticated" for column in COLUMNS]
    return [*made, *random.choice(GRANTS).split(";")]


def row(random: Random, number: int) -> str:
    """The values of a row."""
    owner = random.choice(("null", *(f"'{each.id}'" for each in PEOPLE[:5])))
    team = random.choice(("null", "'red'", "'blue'"))
    return (
        f"({number}, {owner}, {team}, {random.choice(('null', '1', '2', '3'))}, "
        f"{random.choice(('true', 'false', 'null'))}, {random.choice(('1', '2', '3'))})"
    )


def statement(random: Random) -> str:
    """Something that changes rows."""
    some = f"id % {random.randint(1, 4)} = {random.randint(0, 1)}"
    rows = ", ".join(row(random, number) for number in random.sample(range(1, 13), random.randint(1, 5)))
    listed = ", ".join(WRITTEN)
    taken = ", ".join(f"{column} = excluded.{column}" for column in WRITTEN[1:])
    changed = random.choice(("level = 3 - level", "open = not open", "team = 'red'", "owner = null", "room = 1"))
    return random.choice(
        (
            f"insert into things ({listed}) values {rows} on conflict do nothing",
            f"insert into things ({listed}) values {rows} on conflict (id) do update set {taken}",
            f"update things set {changed} where {some}",
            f"update things set {changed}, id = id + 20 where {some} and id < 20",
            f"delete from things where {some}",
            random.choice(("truncate things", "delete from things where id > 12")),
        )
    )


class World:
    """One table under ever other policies, and people who hear of it."""

    def __init__(self, registry: Registry, random: Random) -> None:
        self.registry = registry
        self.random = random
        self.hearers: list[Hearer] = []

    async def begin(self) -> None:
        """Make the tables, and let everybody listen."""
        await self.registry.make(
            "create table rooms_of (room int, who uuid)",
            "create policy mine on rooms_of for select to authenticated using (who = auth.uid() or room = 1)",
            "grant select on rooms_of to anon, authenticated",
            "create table things (id int primary key, owner uuid, team text, level int, open boolean, room int,"
            " twice int generated always as (level * 2))",
            "create function favours(text) returns boolean language sql stable"
            " as $$ select $1 = auth.jwt() ->> 'team' or auth.uid() is null $$",
            "insert into rooms_of select n % 3 + 1, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid"
            " from generate_series(1, 4) n",
            "grant select on things to anon, authenticated",
        )
        await self.registry.tell("things")
        for principal in PEOPLE:
            for filtered in self.random.sample(FILTERS, 3):
                ear = await self.registry.listen(f"table:public.things{filtered}", principal)
                self.hearers.append(Hearer(ear, principal, filtered))
                ear.told.clear()

    async def shown(self) -> list[dict[int, Any] | None]:
        """The rows that SELECT shows to each, with the columns that he may read; None if it shows him nothing."""
        shown: dict[tuple[str, str], dict[int, Any] | None] = {}
        for hearer in self.hearers:
            key = (hearer.principal.claims_json, hearer.filtered)
            if key not in shown:
                shown[key] = await self.registry.transactions.reading(
                    lambda tx, filtered=hearer.filtered: rows_of(tx, filtered), hearer.principal
                )
        return [shown[hearer.principal.claims_json, hearer.filtered] for hearer in self.hearers]

    async def turn(self) -> int:
        """Change something, and compare what everybody was told; how many people it was."""
        before = await self.shown()
        changed = statement(self.random)
        with suppress(asyncpg.UniqueViolationError):  # then it has changed nothing, and nothing is to be told
            await self.registry.write(changed)
        after = await self.shown()
        await self.registry.told()
        for hearer, was, is_now in zip(self.hearers, before, after, strict=True):
            if was is None or is_now is None:
                assert hearer.read == len(hearer.ear.told), (changed, hearer.principal.claims)
            else:
                told = hearer.ear.told[hearer.read :]
                assert hearer.changed(was) == is_now, (changed, hearer.principal.claims, hearer.filtered, told)
        return len(PEOPLE)


async def rows_of(tx: ReadingTransaction, filtered: str) -> dict[int, Any] | None:
    """The rows of `things` that one may see and a filter keeps, by id."""
    readable = [
        column for column in COLUMNS if await tx.value("select has_column_privilege('things', $1, 'select')", column)
    ]
    condition = {
        "": "true",
        ":level=gte.2": "level >= 2",
        ":team=eq.red&open=eq.true": "team = 'red' and open",
        ":room=in.(1,2)": "room in (1, 2)",
        ":id=lt.8": "id < 8",
        ":twice=neq.4": "twice <> 4",
    }[filtered]
    asked = {column for column in COLUMNS if column in condition}
    if "id" not in readable or not asked.issubset(readable):
        return None
    fields = ", ".join(f"'{column}', {column}" for column in readable)
    texts = await tx.rows(f"select jsonb_build_object({fields})::text from things where {condition}")
    return {each["id"]: each for each in (json.loads(text[0]) for text in texts)}


@pytest.fixture
async def world(
    connector: Connect, database: Database, clock: DrivenClock, observer: Observer, seeded: Random
) -> AsyncIterator[World]:
    """The table and its listeners."""
    registry = Registry(connector, database, clock, observer)
    await registry.start()
    made = World(registry, seeded)
    await made.begin()
    yield made
    await registry.stop()


async def test_what_is_told_is_the_difference(world: World, scaled: Callable[[int], int]) -> None:
    compared = 0
    while compared < scaled(10_000):
        rules = policies(world.random)
        await world.registry.make(*rules)
        for _ in range(3):
            try:
                compared += await world.turn()
            except AssertionError as failure:
                raise AssertionError(f"under {rules}: {failure}") from failure
    told = sum(hearer.read for hearer in world.hearers)
    print(f"row changes: {compared} comparisons of what was told with SELECT, {told} messages")
