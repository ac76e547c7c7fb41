"""Random changes and calls under a policy: the rows told, and what is refused, are what plain evaluation gives."""

import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Database, Login
from headwater.kernel.models import Reply
from headwater.platform.records import Records, RecordsSettings
from tests.platform.records.cases.case import PRINCIPALS, Who
from tests.platform.records.conftest import Ask, asking, header, person
from tests.platform.records.reference import Question, Row, answer, matching, query_of
from tests.platform.records.test_differential import Asker, rounded

SCHEMA = """
create table crates (id integer primary key, code integer unique, owner uuid default uid(), name text default 'n',
  price integer default 3, sold integer not null default 0);
alter table crates enable row level security;
create policy own_or_cheap on crates to authenticated using (owner = uid() or price < 4);
create function crates_from(floor_price integer) returns setof crates language sql stable as
  'select * from crates where price >= floor_price or price is null';
"""
COLUMNS = ("id", "code", "owner", "name", "price", "sold")
NUMBERS = {"crates": ("id", "price", "sold")}
PEOPLE: tuple[Who, ...] = ("one", "two")
CALLERS: tuple[Who, ...] = (*PEOPLE, "admin")
OWNERS: dict[Who, str | None] = {"one": person(1).id, "two": person(2).id, "admin": None}
BACK = "return=representation, count=exact"
ROUNDS = 1_500
FORBIDDEN, TAKEN, MISSING, TWICE, MISMATCH = 403, 409, 400, 500, 400


def random_crates(chance: random.Random) -> list[Row]:
    """A few rows, with gaps between their keys."""
    return [
        {"id": n, "code": n if n % 3 else None, "owner": OWNERS[chance.choice(PEOPLE)],
         "name": chance.choice((None, "a", "ab", "b")), "price": chance.choice((None, *range(8))), "sold": n % 4}
        for n in range(1, 14) if n % 4
    ]  # fmt: skip


class Allowed:
    """The policy: what a caller may see, and make."""

    def __init__(self, who: Who) -> None:
        self.who: Who = who

    def __call__(self, row: Row) -> bool:
        if self.who == "admin":
            return True
        return row["owner"] == OWNERS[self.who] or (row["price"] is not None and row["price"] < 4)


class Upsert(NamedTuple):
    """Rows that are sent, and how: `listed` are the columns named in the query, `target` the conflict's."""

    rows: list[Row]
    listed: tuple[str, ...] | None
    fills: bool = False
    target: str | None = None
    merges: bool = False


class Expected(NamedTuple):
    """The rows that come back, how many of them are new, and the statuses with which it may be refused instead."""

    rows: list[Row]
    inserted: int
    refusals: set[int]


def evaluate(everything: list[Row], who: Who, sent: Upsert) -> Expected:
    """What becomes of each row in its turn: inserted, merged into the one that has its key, or left out."""
    allowed, held = Allowed(who), [dict(row) for row in everything]
    touched: list[int] = []
    told: list[Row] = []
    refusals: set[int] = set()
    inserted = 0
    for row in sent.rows:
        new = completed(row, who, sent)
        if not allowed(new):
            refusals.add(FORBIDDEN)
        if new["sold"] is None or new["id"] is None:
            refusals.add(MISSING)
        rival = next((old for old in held if sent.target and new[sent.target] not in {None, *()} and
                      old[sent.target] == new[sent.target]), None)  # fmt: skip
        if rival is None:
            inserted += 1
            held.append(new)
            result = new
        elif not sent.merges:
            continue
        else:
            if id(rival) in touched:
                refusals.add(TWICE)
            if not allowed(rival):
                refusals.add(FORBIDDEN)
            rival |= {name: new[name] for name in columns_of(sent)}
            if not allowed(rival):
                refusals.add(FORBIDDEN)
            result = rival
        touched.append(id(result))
        told.append(result)
        if any(taken(held, name) for name in ("id", "code")):
            refusals.add(TAKEN)
    return Expected(told, inserted, refusals)


def completed(row: Row, who: Who, sent: Upsert) -> Row:
    """The row as it would be inserted: defaults for columns nobody speaks of, and for keys that are missing."""
    defaults: Row = {"id": None, "code": None, "owner": OWNERS[who], "name": "n", "price": 3, "sold": 0}
    spoken = columns_of(sent)
    absent = defaults if sent.fills else dict.fromkeys(COLUMNS)
    return {name: row.get(name, absent[name]) if name in spoken else defaults[name] for name in COLUMNS}


def columns_of(sent: Upsert) -> tuple[str, ...]:
    return sent.listed if sent.listed is not None else tuple(sent.rows[0])


def taken(held: list[Row], name: str) -> bool:
    values = [row[name] for row in held if row[name] is not None]
    return len(values) != len(set(values))


class Maker:
    """Makes changes up."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.asker = Asker(chance, NUMBERS, {"crates": []})

    def question(self) -> Question:
        """Which columns come back, in which order; by the key in the end."""
        question = self.asker.question("crates")
        while question.aggregates:
            question = self.asker.question("crates")
        return question._replace(limit=None, offset=None)

    def row(self, who: Who, *, whole: bool = True) -> Row:
        """A row, some of whose keys may be taken; not `whole`, some of its members are missing."""
        chance = self.chance
        row: Row = {
            "id": chance.randint(1, 20), "code": chance.choice((None, None, *range(1, 30))),
            "owner": OWNERS[who if chance.random() < 0.8 else "two"], "name": chance.choice((None, "b", "cab")),
            "price": chance.choice((None, 1, 2, 3, 6)), "sold": chance.randint(0, 3),
        }  # fmt: skip
        if whole:
            return row
        return {name: value for name, value in row.items() if name in {"id", "owner"} or chance.random() < 0.7}

    def upsert(self, who: Who) -> Upsert:
        """Some rows, with the same members unless the columns are listed."""
        chance = self.chance
        listed = COLUMNS if chance.random() < 0.5 else None
        kept = ("id", "owner", *chance.sample(("code", "name", "price", "sold"), chance.randint(0, 4)))
        rows = [self.row(who, whole=listed is None) for _ in range(chance.choice((1, 1, 2, 3)))]
        rows = rows if listed else [{name: row[name] for name in kept} for row in rows]
        target = chance.choice((None, "id", "id", "code"))
        if target == "code" and listed is None:
            rows = [row | {"code": self.chance.randint(1, 30)} for row in rows]
        return Upsert(rows, listed, chance.random() < 0.5, target, target is not None and chance.random() < 0.6)


@pytest.fixture
async def everything(connector: Connect, catalog: Catalog, tables: None, seeded: random.Random) -> list[Row]:
    rows = random_crates(seeded)
    admin = await connector(Login.ADMIN)
    await admin.execute(SCHEMA)
    insert = "insert into crates select * from json_populate_recordset(null::crates, $1)"
    await admin.execute(insert, json.dumps(rows))
    await admin.close()
    await catalog.refresh()
    return rows


@pytest.fixture
def undoing(database: Database, catalog: Catalog, everything: list[Row]) -> Ask:
    """Asks for changes that are told and undone."""
    return asking(Records(catalog=catalog, settings=RecordsSettings(tx_end="rollback")), database)


async def found(ask: Ask) -> Any:
    return msgspec.json.decode((await ask("GET", "crates?order=id", as_=PRINCIPALS["admin"])).body)


def check(reply: Reply, expected: Any, count: int, told: object) -> None:
    assert rounded(msgspec.json.decode(reply.body)) == rounded(expected), told
    assert (header(reply, "Content-Range") or "").endswith(f"/{count}"), (told, header(reply, "Content-Range"))


async def test_inserts_and_upserts(
    undoing: Ask, everything: list[Row], seeded: random.Random, scaled: Callable[[int], int]
) -> None:
    maker, counts = Maker(seeded), {"made": 0, "merged": 0, "left": 0, "refused": 0}
    for _ in range(scaled(ROUNDS)):
        who = seeded.choice(CALLERS)
        sent, question = maker.upsert(who), maker.question()._replace(tests=())
        expected = evaluate(everything, who, sent)
        parameters = [query_of(question)]
        parameters += [] if sent.listed is None else [f"columns={','.join(sent.listed)}"]
        parameters += [] if sent.target is None else [f"on_conflict={sent.target}"]
        resolution = "" if sent.target is None else f", resolution={'merge' if sent.merges else 'ignore'}-duplicates"
        missing = ", missing=default" if sent.fills else ""
        target = f"crates?{'&'.join(parameters)}"
        told = (who, target, sent)
        prefer = f"{BACK}{resolution}{missing}"
        reply = await undoing("POST", target, sent.rows, as_=PRINCIPALS[who], prefer=prefer)
        if expected.refusals:
            assert reply.status in expected.refusals, (told, reply.body)
            counts["refused"] += 1
            continue
        assert reply.status == (200 if sent.merges and not expected.inserted else 201), (told, reply.body)
        rows, _ = answer({}, question, expected.rows)
        check(reply, rows, len(expected.rows), told)
        counts["made"] += bool(expected.inserted)
        counts["merged"] += len(expected.rows) > expected.inserted
        counts["left"] += len(expected.rows) < len(sent.rows)
    assert min(counts.values()) > scaled(ROUNDS) / 60, counts
    assert await found(undoing) == everything


async def test_replacements(
    undoing: Ask, everything: list[Row], seeded: random.Random, scaled: Callable[[int], int]
) -> None:
    maker, statuses = Maker(seeded), dict[int, int]()
    for _ in range(scaled(ROUNDS)):
        who: Who = seeded.choice(CALLERS)
        row = maker.row(who)
        named = row["id"] if seeded.random() < 0.9 else row["id"] + 1
        question = maker.question()._replace(tests=(), order=())
        expected = evaluate(everything, who, Upsert([row], None, target="id", merges=True))
        refusals = expected.refusals if named == row["id"] else {*expected.refusals, MISMATCH}
        target = f"crates?id=eq.{named}&{query_of(question)}"
        reply = await undoing("PUT", target, row, as_=PRINCIPALS[who], prefer=BACK)
        statuses[reply.status] = statuses.get(reply.status, 0) + 1
        if refusals:
            assert reply.status in refusals, (who, target, row, reply.body)
            continue
        assert reply.status == (201 if expected.inserted else 200), (who, target, row, reply.body)
        rows, _ = answer({}, question, expected.rows)
        check(reply, rows, 1, (who, target, row))
    assert {200, 201, 400, 403, 409} <= statuses.keys(), statuses
    assert await found(undoing) == everything


async def test_removals(
    undoing: Ask, everything: list[Row], seeded: random.Random, scaled: Callable[[int], int]
) -> None:
    maker, removed = Maker(seeded), 0
    for _ in range(scaled(ROUNDS)):
        who: Who = seeded.choice(CALLERS)
        question = maker.question()
        tables = {"crates": list(filter(Allowed(who), everything))}
        target = f"crates?{query_of(question)}"
        meant = matching(tables, question)
        rows, _ = answer(tables, question)
        reply = await undoing("DELETE", target, as_=PRINCIPALS[who], prefer=BACK)
        assert reply.status == 200, (who, target, reply.body)
        check(reply, rows, len(meant), (who, target))
        removed += bool(meant)
    assert removed > scaled(ROUNDS) / 4
    assert await found(undoing) == everything


async def test_calls(ask: Ask, everything: list[Row], seeded: random.Random, scaled: Callable[[int], int]) -> None:
    maker, some = Maker(seeded), 0
    for _ in range(scaled(ROUNDS)):
        who, least = seeded.choice(CALLERS), seeded.randint(0, 7)
        question = maker.asker.question("crates")
        visible = filter(Allowed(who), everything)
        given = [row for row in visible if row["price"] is None or row["price"] >= least]
        rows, total = answer({"crates": given}, question)
        query = query_of(question)
        if not question.having and seeded.random() < 0.5:  # with GET it would be an argument's name
            reply = await ask(
                "GET", f"rpc/crates_from?floor_price={least}&{query}", as_=PRINCIPALS[who], prefer="count=exact"
            )
        else:
            body = {"floor_price": least}
            reply = await ask("POST", f"rpc/crates_from?{query}", body, as_=PRINCIPALS[who], prefer="count=exact")
        if question.offset is not None and question.offset > total:
            assert reply.status == 416, (who, least, query, reply.body)
            continue
        assert reply.status in {200, 206}, (who, least, query, reply.body)
        check(reply, rows, total, (who, least, query))
        some += bool(rows)
    assert some > scaled(ROUNDS) / 4
