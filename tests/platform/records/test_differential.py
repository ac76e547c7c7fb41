"""Random questions over random rows under policies: the answer is what plain evaluation of the caller's rows gives."""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Database, Login
from headwater.platform.records import Records, RecordsSettings
from tests.platform.records.cases.case import PRINCIPALS, Who
from tests.platform.records.conftest import Ask, asking, header, person
from tests.platform.records.reference import (
    Filter,
    Link,
    Measure,
    Question,
    Row,
    Tables,
    Term,
    Tree,
    Way,
    answer,
    matching,
    query_of,
)

SCHEMA = """
create table shops (id integer primary key, owner uuid, name text, size integer, open boolean, extra jsonb);
create table goods (id integer primary key, owner uuid, name text, price integer, sold integer,
  shop_id integer constraint sold_in references shops, rival_id integer constraint also_in references shops);
create table labels (id integer primary key, owner uuid, name text, weight integer);
create table goods_labels (good_id integer references goods, label_id integer references labels,
  primary key (good_id, label_id));
alter table shops enable row level security;
create policy own_or_large on shops to authenticated using (owner = uid() or size > 5);
create policy large on shops for select to anon using (size > 7);
alter table goods enable row level security;
create policy own_or_cheap on goods to authenticated using (owner = uid() or price < 4);
create policy of_what_is_seen on goods for select to anon using (exists (select from shops where shops.id = shop_id));
alter table labels enable row level security;
create policy own on labels to authenticated using (owner = (select uid()));
alter table goods_labels enable row level security;
create policy most on goods_labels to authenticated using ((good_id + label_id) % 4 > 0);
"""
TABLES = ("shops", "goods", "labels", "goods_labels")
LOGINS: dict[Who, Login] = {
    "anon": Login.ANON, "one": Login.AUTHENTICATED, "two": Login.AUTHENTICATED, "admin": Login.ADMIN,
}  # fmt: skip
NUMBERS = {"shops": ("id", "size"), "goods": ("id", "price", "sold"), "labels": ("id", "weight")}
WAYS = {
    "shops": [
        Way("goods!sold_in", "goods", many=True, far="shop_id"),
        Way("goods!also_in", "goods", many=True, far="rival_id"),
        Way("goods!rival_id", "goods", many=True, far="rival_id"),
    ],
    "goods": [
        Way("shops!sold_in", "shops", many=False, near="shop_id"),
        Way("shops!rival_id", "shops", many=False, near="rival_id"),
        Way("labels", "labels", many=True, through=("goods_labels", "good_id", "label_id")),
    ],
    "labels": [Way("goods!goods_labels", "goods", many=True, through=("goods_labels", "label_id", "good_id"))],
}
QUESTIONS = 2_000


def random_rows(chance: random.Random) -> dict[str, list[Row]]:
    """A few rows of each table, with gaps."""

    def owner() -> str:
        return f"00000000-0000-4000-8000-{chance.choice((1, 2)):012d}"

    def name() -> str | None:
        return chance.choice((None, "a", "ab", "b", "ba", "c", "cab"))

    def number(least: int, most: int) -> int | None:
        return chance.choice((None, *range(least, most + 1)))

    def extra() -> dict[str, str] | None:
        return chance.choice((None, {}, {"k": "v"}, {"k": "w", "l": "v"}))

    shops = [
        {"id": n, "owner": owner(), "name": name(), "size": number(0, 9), "open": chance.choice((None, True, False)),
         "extra": extra()}
        for n in range(1, 9)
    ]  # fmt: skip
    goods = [
        {"id": n, "owner": owner(), "name": name(), "price": number(0, 9), "sold": number(-3, 3),
         "shop_id": number(1, 8), "rival_id": number(1, 8)}
        for n in range(1, 25)
    ]  # fmt: skip
    labels = [{"id": n, "owner": owner(), "name": name(), "weight": number(0, 5)} for n in range(1, 7)]
    pairs = sorted({(chance.randint(1, 24), chance.randint(1, 6)) for _ in range(30)})
    return {
        "shops": shops, "goods": goods, "labels": labels,
        "goods_labels": [{"good_id": good, "label_id": label} for good, label in pairs],
    }  # fmt: skip


class Asker:
    """Makes questions up."""

    def __init__(
        self,
        chance: random.Random,
        columns: Mapping[str, tuple[str, ...]] = NUMBERS,
        ways: Mapping[str, list[Way]] = WAYS,
    ) -> None:
        self.chance = chance
        self.columns = columns
        self.ways = ways
        self.numbers = 0

    def question(self, table: str, depth: int = 0, *, many: bool = True) -> Question:
        """A level, with fewer embeds the deeper it lies."""
        chance = self.chance
        tests = tuple(self.test_or_tree(table, 0) for _ in range(chance.choice((0, 0, 1, 2))))
        limit, offset = (
            (chance.choice((None, None, 0, 1, 3)), chance.choice((None, None, 0, 1, 2))) if many else (None, None)
        )
        if many and chance.random() < 0.2:
            having = tuple(self.measure(table) for _ in range(chance.choice((0, 0, 1, 2)) if depth == 0 else 0))
            return self.aggregated(table, tests)._replace(limit=limit, having=having)
        links = tuple(self.links(table, chance.choice((0, 1, 1, 2)) if depth < 3 and self.ways[table] else 0, depth))
        columns = tuple(dict.fromkeys(("id", *chance.sample(["name", *self.columns[table]], chance.randint(0, 2)))))
        return Question(table, columns, tests, self.order(table, links) if many else (), limit, offset, links)

    def aggregated(self, table: str, tests: tuple[Filter | Tree, ...]) -> Question:
        """Groups by some columns, in the order of all of them."""
        chance = self.chance
        columns = tuple(chance.sample(["name", self.columns[table][1]], chance.randint(0, 2)))
        functions = chance.sample(["sum", "avg", "min", "max", "count"], chance.randint(0, 3))
        applied = tuple((function, chance.choice(self.columns[table]), f"{function}_of") for function in functions)
        aggregates = (("count", None, "rows"), *applied)
        order = tuple(Term(name, self.maybe(), self.maybe()) for name in columns)
        return Question(table, columns, tests, order, aggregates=aggregates)

    def measure(self, table: str) -> Measure:
        """What a group must come to."""
        chance = self.chance
        function = chance.choice(("count", "sum", "avg", "min", "max"))
        column = None if function == "count" and chance.random() < 0.5 else chance.choice(self.columns[table])
        return Measure(function, column, chance.choice(("gt", "gte", "lt", "lte", "eq", "neq")), chance.randint(0, 6))

    def order(self, table: str, links: tuple[Link, ...]) -> tuple[Term, ...]:
        """Some terms, and the key, so that the order is one only."""
        terms = [
            Term(self.chance.choice(("name", self.columns[table][1])), self.maybe(), self.maybe())
            for _ in range(self.chance.choice((0, 1, 1)))
        ]
        single = [link for link in links if not link.way.many]
        if single and self.chance.random() < 0.5:
            link = self.chance.choice(single)
            column = self.chance.choice(("name", self.columns[link.way.to][1]))
            terms.insert(0, Term(column, self.maybe(), self.maybe(), link.name))
        return (*terms, Term("id", self.maybe()))

    def links(self, table: str, count: int, depth: int) -> list[Link]:
        """Embeds; what is spread is the only one that leads there."""
        links: list[Link] = []
        for way in [self.chance.choice(self.ways[table]) for _ in range(count)]:
            self.numbers += 1
            label = f"e{self.numbers}"
            spread = self.chance.random() < 0.2 and not any(link.way.to == way.to for link in links)
            taken = any(link.spread and link.way.to == way.to for link in links)
            if taken:
                continue
            question = self.question(way.to, depth + 1, many=way.many)
            if spread:
                columns = tuple(name for name in question.columns if not question.aggregates) or ("id",)
                question = question._replace(
                    columns=columns,
                    links=(),
                    aggregates=(),
                    prefix=f"{label}_",
                    order=self.order(way.to, ()) if way.many else (),
                )
            whole = bool(question.aggregates)  # a group without columns is there also where no row is
            links.append(
                Link(
                    way.to if spread else label,
                    way,
                    question,
                    inner=not whole and self.chance.random() < 0.25,
                    spread=spread,
                    wanted=self.maybe() if not whole and self.chance.random() < 0.3 else None,
                )
            )
        return links

    def test_or_tree(self, table: str, depth: int) -> Filter | Tree:
        """A filter."""
        if depth < 2 and self.chance.random() < 0.3:
            parts = tuple(self.test_or_tree(table, depth + 1) for _ in range(self.chance.randint(1, 3)))
            return Tree(self.chance.choice(("and", "or")), parts, self.chance.random() < 0.3)
        return self.test(table)._replace(negated=self.chance.random() < 0.25)

    def test(self, table: str) -> Filter:
        """A condition that fits its column's type."""
        chance = self.chance
        kind = chance.choice(("number", "number", "text", "null", *(("boolean", "json") if table == "shops" else ())))
        if kind == "number":
            column, value = chance.choice(self.columns[table]), chance.randint(-1, 9)
            operator = chance.choice(
                ("eq", "neq", "gt", "gte", "lt", "lte", "isdistinct", "in", "eq(any)", "gt(all)", "lt(any)")
            )
            several = operator == "in" or "(" in operator
            return Filter(column, operator, tuple(chance.sample(range(10), chance.randint(0, 4))) if several else value)
        if kind == "text":
            operator = chance.choice(("eq", "neq", "gt", "in", "like", "ilike", "match", "isdistinct"))
            values = {"in": ("a", "b"), "like": "*b", "ilike": "A*", "match": "^(a|c)"}
            return Filter("name", operator, values.get(operator) or chance.choice(("a", "b", "ab")))
        if kind == "null":
            return Filter(chance.choice(("name", self.columns[table][1])), "is", None)
        if kind == "json":
            return Filter(
                "extra", chance.choice(("eq", "neq", "isdistinct")), chance.choice("vw"), key=chance.choice("kl")
            )
        return Filter("open", "is", chance.choice((True, False, None)))

    def maybe(self) -> bool | None:
        """Yes, no, or nothing said."""
        return self.chance.choice((None, True, False))


async def rows_seen(connector: Connect, who: Who) -> Tables:
    """Every row of every table that a caller may see, as Postgres tells it to his role and claims."""
    connection = await connector(LOGINS[who])
    try:
        if who in {"one", "two"}:
            claims = json.dumps({"sub": person(1 if who == "one" else 2).id, "role": "authenticated"})
        else:
            claims = "{}"
        await connection.execute("select set_config('request.jwt.claims', $1, false)", claims)
        seen: dict[str, list[Row]] = {}
        for table in TABLES:
            told: Any = await connection.fetchval(f"select coalesce(json_agg(t order by t), '[]')::text from {table} t")
            seen[table] = json.loads(told)
        return seen
    finally:
        await connection.close()


def rounded(value: Any) -> Any:
    """The value, with every number to nine places."""
    return json.loads(json.dumps(value), parse_float=lambda text: round(float(text), 9))


async def fill(connector: Connect, catalog: Catalog, chance: random.Random) -> dict[Who, Tables]:
    """Make the tables and their rows; what each caller sees of them."""
    admin = await connector(Login.ADMIN)
    await admin.execute(SCHEMA)
    for table, listed in random_rows(chance).items():
        insert = f"insert into {table} select * from json_populate_recordset(null::{table}, $1)"
        await admin.execute(insert, json.dumps(listed))
    await admin.close()
    await catalog.refresh()
    return {who: await rows_seen(connector, who) for who in PRINCIPALS}


@pytest.mark.usefixtures("tables")
async def test_answers_are_what_plain_evaluation_gives(
    ask: Ask, connector: Connect, catalog: Catalog, seeded: random.Random, scaled: Callable[[int], int]
) -> None:
    seen = await fill(connector, catalog, seeded)
    assert len({len(tables["goods"]) for tables in seen.values()}) > 2, "policies must tell callers apart"
    asker, told_of = Asker(seeded), 0
    for _ in range(scaled(QUESTIONS)):
        who = seeded.choice(list(PRINCIPALS))
        question = asker.question(seeded.choice(list(WAYS)))
        target = f"{question.table}?{query_of(question)}"
        expected, total = answer(seen[who], question)
        reply = await ask("GET", target, as_=PRINCIPALS[who], prefer="count=exact")
        if question.offset is not None and question.offset > total:
            assert reply.status == 416, (who, target, reply.body)
            continue
        assert reply.status in {200, 206}, (who, target, reply.body)
        assert rounded(msgspec.json.decode(reply.body)) == rounded(expected), (who, target)
        assert (header(reply, "Content-Range") or "").endswith(f"/{total}"), (
            who,
            target,
            header(reply, "Content-Range"),
        )
        told_of += bool(expected)
    assert told_of > scaled(QUESTIONS) / 4


@pytest.mark.usefixtures("tables")
async def test_changes_are_what_plain_evaluation_gives(
    database: Database, connector: Connect, catalog: Catalog, seeded: random.Random, scaled: Callable[[int], int]
) -> None:
    seen = await fill(connector, catalog, seeded)
    ask = asking(Records(catalog=catalog, settings=RecordsSettings(tx_end="rollback")), database)
    asker, changed = Asker(seeded), 0
    for _ in range(scaled(QUESTIONS)):
        who: Who = seeded.choice(("one", "two", "admin"))
        table = seeded.choice(("goods", "labels"))
        question = asker.question(table)
        while question.aggregates:
            question = asker.question(table)
        links = tuple(link._replace(wanted=None) for link in question.links)  # they filter what is changed too
        question = question._replace(limit=None, offset=None, links=links)
        target = f"{table}?{query_of(question)}"
        meant = matching(seen[who], question)
        column = NUMBERS[table][-1]
        expected, _ = answer(seen[who], question._replace(tests=()), [{**row, column: 4} for row in meant])
        prefer = "return=representation, count=exact"
        reply = await ask("PATCH", target, {column: 4}, as_=PRINCIPALS[who], prefer=prefer)
        assert reply.status == 200, (who, target, reply.body)
        assert rounded(msgspec.json.decode(reply.body)) == rounded(expected), (who, target)
        told = header(reply, "Content-Range") or ""
        assert told.endswith(f"/{len(expected)}"), (who, target, told)
        changed += bool(meant)
    assert changed > scaled(QUESTIONS) / 4
    assert {who: await rows_seen(connector, who) for who in PRINCIPALS} == seen
