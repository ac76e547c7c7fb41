"""Random embeds over random rows: the answer is what a plain evaluation of the same question in Python gives."""

import json
import random
from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Login
from tests.platform.records.conftest import ADMIN, Ask, header, rows

Row = dict[str, Any]
SCHEMA = """
create table p (id integer primary key, v integer);
create table q (id integer primary key, v integer, p_id integer references p);
create table s (id integer primary key, v integer, q_id integer references q, s_id integer references s);
create table pq (p_id integer references p, q_id integer references q, primary key (p_id, q_id));
"""
QUESTIONS = 150


class Way(NamedTuple):
    """How an embed is written, where it leads, and whether to many rows."""

    written: str
    to: str
    many: bool


WAYS = {
    "p": [Way("q!q_p_id_fkey", "q", many=True), Way("q!pq", "q", many=True)],
    "q": [Way("p!p_id", "p", many=False), Way("p!pq", "p", many=True), Way("s", "s", many=True)],
    "s": [Way("q", "q", many=False), Way("s_id", "s", many=False), Way("s!s_id", "s", many=True)],
}


def belonging(tables: dict[str, list[Row]], origin: str, way: Way, row: Row) -> list[Row]:
    """The rows that a way leads to from a row."""
    others = tables[way.to]
    if way.written.endswith("!pq"):
        own, theirs = ("p_id", "q_id") if origin == "p" else ("q_id", "p_id")
        linked = {pair[theirs] for pair in tables["pq"] if pair[own] == row["id"]}
        return [other for other in others if other["id"] in linked]
    if not way.many:
        column = way.written if way.written.endswith("_id") and "!" not in way.written else f"{way.to}_id"
        return [other for other in others if other["id"] == row[column]]
    column = f"{origin}_id"
    return [other for other in others if other[column] == row["id"]]


class Node(NamedTuple):
    """A level of a question: its filter on `v`, its window, its embeds under their aliases."""

    way: Way
    alias: str
    least: int | None
    most: int | None
    inner: bool
    limit: int | None
    offset: int | None
    absent: str | None
    embeds: tuple["Node", ...]


def random_node(chance: random.Random, way: Way, alias: str, depth: int) -> Node:
    """A level of a question, with fewer embeds the deeper it lies."""
    embeds = [
        random_node(chance, chance.choice(WAYS[way.to]), f"{alias}{'xy'[place]}", depth + 1)
        for place in range(chance.choice((0, 1, 2)) if depth < 3 else 0)
    ]
    return Node(
        way=way,
        alias=alias,
        least=chance.choice((None, None, 3)),
        most=chance.choice((None, None, 7)),
        inner=depth > 0 and chance.random() < 0.3,
        limit=chance.choice((None, None, 0, 1, 2)) if depth > 0 and way.many else None,
        offset=chance.choice((None, None, 1)) if depth > 0 and way.many else None,
        absent=chance.choice(embeds).alias if embeds and chance.random() < 0.3 else None,
        embeds=tuple(embeds),
    )


def query(node: Node, path: str = "") -> tuple[str, list[str]]:
    """The node's part of `select`, and its parameters."""
    parameters = [f"{path}order=id"]
    parameters += [] if node.least is None else [f"{path}v=gte.{node.least}"]
    parameters += [] if node.most is None else [f"{path}or=(v.lt.{node.most},v.is.null)"]
    parameters += [] if node.limit is None else [f"{path}limit={node.limit}"]
    parameters += [] if node.offset is None else [f"{path}offset={node.offset}"]
    parameters += [] if node.absent is None else [f"{path}{node.absent}=is.null"]
    items = ["id"]
    for embed in node.embeds:
        listed, further = query(embed, f"{path}{embed.alias}.")
        items.append(f"{embed.alias}:{embed.way.written}{'!inner' if embed.inner else ''}({listed})")
        parameters += further
    return ",".join(items), parameters


def evaluate(tables: dict[str, list[Row]], node: Node, candidates: Iterable[Row]) -> list[Row]:
    """What the node tells of the candidates."""
    told: list[Row] = []
    for row in sorted(candidates, key=lambda one: one["id"]):
        if node.least is not None and (row["v"] is None or row["v"] < node.least):
            continue
        if node.most is not None and row["v"] is not None and row["v"] >= node.most:
            continue
        inside = {
            embed.alias: evaluate(tables, embed, belonging(tables, node.way.to, embed.way, row))
            for embed in node.embeds
        }
        if any(embed.inner and not inside[embed.alias] for embed in node.embeds):
            continue
        if node.absent is not None and inside[node.absent]:
            continue
        shown = {e.alias: inside[e.alias] if e.way.many else next(iter(inside[e.alias]), None) for e in node.embeds}
        told.append({"id": row["id"], **shown})
    told = told[node.offset or 0 :]
    return told if node.limit is None else told[: node.limit]


def random_tables(chance: random.Random) -> dict[str, list[Row]]:
    """A few rows of each table."""

    def value() -> int | None:
        return chance.choice((None, *range(10)))

    p = [{"id": n, "v": value()} for n in range(1, 6)]
    q = [{"id": n, "v": value(), "p_id": chance.choice((None, *range(1, 6)))} for n in range(1, 9)]
    s = [
        {
            "id": n,
            "v": value(),
            "q_id": chance.choice((None, *range(1, 9))),
            "s_id": chance.choice((None, *range(1, n))),
        }
        for n in range(1, 13)
    ]
    pairs = {(chance.randint(1, 5), chance.randint(1, 8)) for _ in range(10)}
    return {"p": p, "q": q, "s": s, "pq": [{"p_id": a, "q_id": b} for a, b in sorted(pairs)]}


@pytest.mark.parametrize("seed", [1, 2])
async def test_embeds_are_what_the_model_says(ask: Ask, connector: Connect, catalog: Catalog, seed: int) -> None:
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
    for _ in range(QUESTIONS):
        root = random_node(chance, Way("", chance.choice("pqs"), many=True), "", 0)
        select, parameters = query(root)
        target = f"{root.way.to}?select={select}&{'&'.join(parameters)}"
        expected = evaluate(tables, root, tables[root.way.to])
        reply = await ask("GET", target, as_=ADMIN, prefer="count=exact")
        assert reply.status == 200, (target, reply.body)
        assert rows(reply) == expected, target
        assert (header(reply, "Content-Range") or "").endswith(f"/{len(expected)}"), target
        paged = await ask("GET", f"{target}&limit=1", as_=ADMIN, prefer="count=exact")
        assert (header(paged, "Content-Range") or "").endswith(f"/{len(expected)}"), target
