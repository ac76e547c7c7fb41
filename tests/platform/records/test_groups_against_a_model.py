"""Random distinct rows, groups, and counts of related rows: the answer is what a plain evaluation in Python gives."""

import json
import random
from collections.abc import Callable, Iterable
from functools import cmp_to_key
from typing import Any, NamedTuple

import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Login
from headwater.kernel.principal import Principal
from tests.platform.records.conftest import ADMIN, Ask, header, person, rows

Row = dict[str, Any]
Measure = tuple[str, Callable[[Row], int | None]]
SCHEMA = """
create table t (id integer primary key, a integer, b integer, v integer, owner uuid not null);
create table c (id integer primary key, w integer, t_id integer references t, owner uuid not null);
alter table t enable row level security;
create policy own_or_large on t to authenticated using (owner = uid() or v > 4);
alter table c enable row level security;
create policy own on c to authenticated using (owner = uid());
"""
QUESTIONS = 120
COMPARED: dict[str, Callable[[int, int], bool]] = {
    "eq": lambda one, other: one == other,
    "neq": lambda one, other: one != other,
    "gt": lambda one, other: one > other,
    "lte": lambda one, other: one <= other,
}


class Term(NamedTuple):
    """One key of an order: how it is written, and its value in a row."""

    written: str
    value: Callable[[Row], int | None]
    descending: bool
    nulls_first: bool | None

    def printed(self) -> str:
        """`a.desc.nullslast`."""
        nulls = "" if self.nulls_first is None else ".nullsfirst" if self.nulls_first else ".nullslast"
        return f"{self.written}{'.desc' if self.descending else ''}{nulls}"

    def compare(self, one: Row, other: Row) -> int:
        """Below zero where `one` comes first."""
        left, right = self.value(one), self.value(other)
        if left is None or right is None:
            first = self.descending if self.nulls_first is None else self.nulls_first
            return 0 if left is right else (-1 if (left is None) == first else 1)
        return (left > right) - (left < right) if not self.descending else (left < right) - (left > right)


def ordered(terms: Iterable[Term], found: Iterable[Row]) -> list[Row]:
    """The rows in the order of the terms."""
    listed = list(terms)
    return sorted(
        found, key=cmp_to_key(lambda one, other: next(filter(None, (t.compare(one, other) for t in listed)), 0))
    )


def random_tables(chance: random.Random) -> dict[str, list[Row]]:
    """A few rows with gaps, of two owners."""

    def number(most: int) -> int | None:
        return chance.choice((None, *range(most + 1)))

    t = [
        {"id": n, "a": number(2), "b": number(2), "v": number(9), "owner": str(person(chance.choice((1, 2))).id)}
        for n in range(1, 31)
    ]
    c = [
        {"id": n, "w": number(9), "t_id": chance.randint(1, 12), "owner": str(person(chance.choice((1, 2))).id)}
        for n in range(1, 41)
    ]
    return {"t": t, "c": c}


class Asker:
    """Makes questions up, and knows their answers."""

    def __init__(self, chance: random.Random, tables: dict[str, list[Row]], who: Principal) -> None:
        self.chance = chance
        owner = str(who.id)
        self.t = [r for r in tables["t"] if who is ADMIN or r["owner"] == owner or (r["v"] is not None and r["v"] > 4)]
        self.c = [r for r in tables["c"] if who is ADMIN or r["owner"] == owner]

    def term(self, written: str, value: Callable[[Row], int | None]) -> Term:
        """A key in some direction."""
        return Term(written, value, self.chance.random() < 0.5, self.chance.choice((None, None, True, False)))

    def column(self, name: str) -> Term:
        """A key that is a column."""
        return self.term(name, lambda row: row[name])

    def page(self, found: list[Row]) -> tuple[list[str], list[Row]]:
        """A limit and an offset, and what they leave."""
        limit, offset = self.chance.choice((None, 0, 1, 3)), self.chance.choice((None, None, 1))
        parameters = [] if limit is None else [f"limit={limit}"]
        parameters += [] if offset is None else [f"offset={offset}"]
        rest = found[offset or 0 :]
        return parameters, rest if limit is None else rest[:limit]

    def filtered(self) -> tuple[list[str], list[Row]]:
        """Maybe a filter, and what it leaves."""
        least = self.chance.choice((None, 3))
        if least is None:
            return [], self.t
        return [f"v=gte.{least}"], [row for row in self.t if row["v"] is not None and row["v"] >= least]

    def distinct_rows(self) -> tuple[list[str], list[Row]]:
        """What is told alike, once."""
        columns = self.chance.sample(["a", "b", "v"], self.chance.choice((1, 2)))
        parameters, found = self.filtered()
        alike = {tuple(row[name] for name in columns): {name: row[name] for name in columns} for row in found}
        terms = [self.column(name) for name in self.chance.sample(columns, len(columns))]
        order = ",".join(term.printed() for term in terms)
        return [*parameters, f"select={','.join(columns)}", "distinct=(*)", f"order={order}"], ordered(
            terms, alike.values()
        )

    def first_rows(self) -> tuple[list[str], list[Row]]:
        """The first row with each value of some columns."""
        keys = self.chance.sample(["a", "b"], self.chance.choice((1, 2)))
        parameters, found = self.filtered()
        terms = [
            *map(self.column, self.chance.sample(["a", "b", "v"], self.chance.choice((0, 1, 2)))),
            self.column("id"),
        ]
        first: dict[tuple[Any, ...], Row] = {}
        for row in ordered(terms, found):
            first.setdefault(tuple(row[name] for name in keys), {"id": row["id"], "v": row["v"]})
        order = ",".join(term.printed() for term in terms)
        return [*parameters, "select=id,v", f"distinct=({','.join(keys)})", f"order={order}"], list(first.values())

    def groups(self) -> tuple[list[str], list[Row]]:
        """Groups that a tree of conditions on aggregates chooses, in the order of an aggregate."""
        keys = self.chance.sample(["a", "b"], self.chance.choice((1, 2)))
        parameters, found = self.filtered()
        members: dict[tuple[Any, ...], list[Row]] = {}
        for row in found:
            members.setdefault(tuple(row[name] for name in keys), []).append(row)
        groups: list[Row] = [
            {**dict(zip(keys, key, strict=True)), "n": len(group), "s": total(row["v"] for row in group)}
            for key, group in members.items()
        ]
        operator, number, least = (
            self.chance.choice(list(COMPARED)),
            self.chance.randint(0, 4),
            self.chance.randint(0, 20),
        )
        having = f"or(count().{operator}.{number},v.sum().gt.{least})"
        chosen = [
            group
            for group in groups
            if COMPARED[operator](group["n"], number) or (group["s"] is not None and group["s"] > least)
        ]
        measures: list[Measure] = [("count()", lambda row: row["n"]), ("v.sum()", lambda row: row["s"])]
        terms = [self.term(*self.chance.choice(measures)), *map(self.column, keys)]
        order = ",".join(term.printed() for term in terms)
        select = f"select={','.join(keys)},n:count(),s:v.sum()"
        return [*parameters, select, f"having=({having})", f"order={order}"], ordered(terms, chosen)

    def parents(self) -> tuple[list[str], list[Row]]:
        """Rows chosen and ordered by the number of those that belong to them."""
        parameters, found = self.filtered()
        least = self.chance.choice((None, 4))
        parameters += [] if least is None else [f"c.w=gte.{least}"]

        def inside(row: Row) -> list[Row]:
            belonging = [one for one in self.c if one["t_id"] == row["id"]]
            return [one for one in belonging if least is None or (one["w"] is not None and one["w"] >= least)]

        operator, number = self.chance.choice(list(COMPARED)), self.chance.randint(0, 3)
        negated = self.chance.random() < 0.3
        chosen = [row for row in found if COMPARED[operator](len(inside(row)), number) != negated]
        measures: list[Measure] = [
            ("c(count())", lambda row: len(inside(row))),
            ("c(w.max())", lambda row: max((one["w"] for one in inside(row) if one["w"] is not None), default=None)),
        ]
        terms = [self.term(*self.chance.choice(measures)), self.column("id")]
        order = ",".join(term.printed() for term in terms)
        condition = f"c={'not.' * negated}count.{operator}.{number}"
        told = [{"id": row["id"]} for row in ordered(terms, chosen)]
        return [*parameters, "select=id,c()", condition, f"order={order}"], told


def total(values: Iterable[int | None]) -> int | None:
    """The sum of what is known, or null where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


@pytest.mark.parametrize("seed", [1, 2])
async def test_answers_are_what_the_model_says(ask: Ask, connector: Connect, catalog: Catalog, seed: int) -> None:
    chance = random.Random(seed)
    tables = random_tables(chance)
    admin = await connector(Login.ADMIN)
    await admin.execute(SCHEMA)
    for name, listed in tables.items():
        await admin.execute(
            f"insert into {name} select * from json_populate_recordset(null::{name}, $1)", json.dumps(listed)
        )
    await admin.close()
    await catalog.refresh()
    told_some = 0
    for _ in range(QUESTIONS):
        who = chance.choice((ADMIN, person(1), person(2)))
        asker = Asker(chance, tables, who)
        kind = chance.choice((asker.distinct_rows, asker.first_rows, asker.groups, asker.parents))
        parameters, expected = kind()
        window, page = asker.page(expected)
        target = f"t?{'&'.join((*parameters, *window))}"
        reply = await ask("GET", target, as_=who, prefer="count=exact")
        if reply.status == 416:
            assert window[-1] == "offset=1"
            assert not expected
            continue
        assert reply.status in {200, 206}, (target, reply.body)
        assert rows(reply) == page, target
        assert (header(reply, "Content-Range") or "").endswith(f"/{len(expected)}"), target
        told_some += bool(page)
    assert told_some > QUESTIONS / 3
