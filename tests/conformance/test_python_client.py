"""The unmodified Python client `postgrest` in both its kinds: every builder method, and its error cases."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from inspect import isawaitable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from postgrest import APIError, AsyncPostgrestClient, CountMethod, ReturnMethod, SyncPostgrestClient
from postgrest import _async as without_blocking
from postgrest import _sync as blocking

from tests.kit.rest import RunningRest, bearer

Query = Any
"""A builder; its own types change from one link of a chain to the next."""


Client = SyncPostgrestClient | AsyncPostgrestClient
KINDS = {"sync": SyncPostgrestClient, "async": AsyncPostgrestClient}


async def told(query: Query) -> Any:
    """What a query is answered, whether the client blocks for it or not."""
    answer = query.execute()
    return await answer if isawaitable(answer) else answer


@asynccontextmanager
async def connected(kind: str, rest: RunningRest) -> AsyncGenerator[Client]:
    """A client of this kind, as an editor."""
    client = KINDS[kind](rest.url, schema="api", headers=bearer(role="editor"))
    if isinstance(client, AsyncPostgrestClient):
        async with client:
            yield client
    else:
        with client:
            yield client


@pytest.fixture(params=KINDS)
async def client(request: pytest.FixtureRequest, rest: RunningRest) -> AsyncGenerator[Client]:
    async with connected(request.param, rest) as client:
        yield client


FILTERS: list[tuple[Callable[[Query], Query], list[int]]] = [
    (lambda q: q.eq("title", "Vagabond"), [3]),
    (lambda q: q.neq("title", "Vagabond"), [1, 2, 4]),
    (lambda q: q.gt("year", 1985), [4]),
    (lambda q: q.gte("year", 1985), [3, 4]),
    (lambda q: q.lt("year", 1926), [2]),
    (lambda q: q.lte("year", 1926), [1, 2]),
    (lambda q: q.like("title", "%a%"), [1, 3, 4]),
    (lambda q: q.ilike("title", "the*"), [1]),
    (lambda q: q.like_all_of("title", "%a%,%b%"), [3]),
    (lambda q: q.like_any_of("title", "V%,F%"), [3, 4]),
    (lambda q: q.ilike_all_of("title", "%A%,%B%"), [3]),
    (lambda q: q.ilike_any_of("title", "v%,f%"), [3, 4]),
    (lambda q: q.is_("extra", "null"), [3]),
    (lambda q: q.is_("extra", None), [3]),
    (lambda q: q.not_.is_("extra", "null"), [1, 2, 4]),
    (lambda q: q.not_.eq("id", 1), [2, 3, 4]),
    (lambda q: q.in_("title", ["Vagabond", 'a,"b', "Sherlock Jr."]), [2, 3]),
    (lambda q: q.in_("id", []), []),
    (lambda q: q.or_("id.eq.1,and(year.gt.1980,title.like.F*)"), [1, 4]),
    (lambda q: q.contains("tags", ["silent"]), [1, 2]),
    (lambda q: q.cs("tags", ["train"]), [1]),
    (lambda q: q.contains("extra", {"b": {"c": "x"}}), [4]),
    (lambda q: q.contained_by("tags", ["silent", "road"]), [2, 3, 4]),
    (lambda q: q.cd("tags", ["silent"]), [2, 3]),
    (lambda q: q.overlaps("tags", ["train", "road"]), [1, 4]),
    (lambda q: q.ov("tags", ["train", "road"]), [1, 4]),
    (lambda q: q.match({"year": 1985, "director_id": 2}), [3]),
    (lambda q: q.filter("extra->a", "gt", "1"), [2]),
    (lambda q: q.filter("title", "match", "^[SV]"), [2, 3]),
    (lambda q: q.fts("words", "general"), [1]),
    (lambda q: q.plfts("words", "general"), [1]),
    (lambda q: q.phfts("words", "faces places"), [4]),
    (lambda q: q.wfts("words", "general or vagabond"), [1, 3]),
    (lambda q: q.sl("shown", (10, 20)), [1, 2]),
    (lambda q: q.range_lt("shown", (10, 20)), [1, 2]),
    (lambda q: q.sr("shown", (3, 9)), [3, 4]),
    (lambda q: q.range_gt("shown", (3, 9)), [3, 4]),
    (lambda q: q.nxl("shown", (3, 9)), [3, 4]),
    (lambda q: q.range_gte("shown", (3, 9)), [3, 4]),
    (lambda q: q.nxr("shown", (3, 9)), [1, 2]),
    (lambda q: q.range_lte("shown", (3, 9)), [1, 2]),
    (lambda q: q.adj("shown", (20, 30)), [4]),
    (lambda q: q.range_adjacent("shown", (20, 30)), [4]),
]


@pytest.mark.parametrize(("narrow", "wanted"), FILTERS)
async def test_filters(client: Client, narrow: Callable[[Query], Query], wanted: list[int]) -> None:
    query: Query = client.from_("films").select("id")
    assert [row["id"] for row in (await told(narrow(query).order("id"))).data] == wanted


async def test_text_search(client: Client) -> None:
    query: Query = client.from_("films").select("id")
    found = await told(query.text_search("words", "generals", options={"type": "plain", "config": "english"}))
    assert found.data == [{"id": 1}]


async def test_columns_embeds_and_order(client: Client) -> None:
    query: Query = client.table("directors").select("name", "films(title)").eq("id", 1)
    found = await told(query.order("title", desc=True, foreign_table="films").limit(1, foreign_table="films"))
    assert found.data == [{"name": "Keaton", "films": [{"title": "The General"}]}]


async def test_pages_and_counts(client: Client) -> None:
    films: Query = client.from_("films")
    page = await told(films.select("id", count=CountMethod.exact).order("id").range(1, 2))
    assert (page.data, page.count) == ([{"id": 2}, {"id": 3}], 4)
    shifted = await told(client.from_("films").select("id").order("year", nullsfirst=True).limit(1).offset(1))
    assert shifted.data == [{"id": 1}]
    assert (await told(client.from_("films").select("*", count=CountMethod.exact, head=True))).count == 4
    for method in (CountMethod.planned, CountMethod.estimated):
        assert (await told(client.from_("films").select("id", count=method))).count is not None


async def test_one_row_none_and_several(client: Client) -> None:
    films: Query = client.from_("films").select("id")
    assert (await told(films.eq("id", 1).single())).data == {"id": 1}
    for query in (client.from_("films").select("id"), client.from_("films").select("id").eq("id", 99)):
        with pytest.raises(APIError) as refused:
            await told(query.single())
        assert refused.value.code == "PGRST116"
    assert await told(client.from_("films").select("id").eq("id", 99).maybe_single()) is None
    found: Query = await told(client.from_("films").select("id").eq("id", 2).maybe_single())
    assert found.data == {"id": 2}


async def test_other_forms(client: Client) -> None:
    films: Query = client.from_("films")
    assert (await told(films.select("id,year").eq("id", 1).csv())).data == "id,year\n1,1926"
    stripped = await told(client.from_("films").select("id,extra").eq("id", 3).strip_nulls())
    assert stripped.data == [{"id": 3}]
    assert "Scan" in str(await told(client.from_("films").select("id").explain(analyze=True)))
    plan: Query = await told(client.from_("films").select("id").explain(format="json"))
    assert "Plan" in plan.data[0]


async def test_writes(client: Client) -> None:
    directors: Query = client.from_("directors")
    try:
        made = await told(directors.insert([{"id": 21, "name": "a"}, {"id": 22, "name": "b"}], count=CountMethod.exact))
        assert ([row["id"] for row in made.data], made.count) == ([21, 22], 2)
        assert (await told(directors.insert({"id": 23, "name": "c"}, returning=ReturnMethod.minimal))).data == []
        upserted = await told(directors.upsert({"id": 21, "name": "A"}))
        assert upserted.data == [{"id": 21, "name": "A"}]
        left = await told(directors.upsert({"id": 21, "name": "B"}, ignore_duplicates=True, on_conflict="id"))
        assert left.data == []
        renamed = await told(directors.update({"name": "z"}).eq("id", 22).select("name"))
        assert renamed.data == [{"name": "z"}]
        assert len((await told(directors.update({"name": "y"}).gt("id", 20).max_affected(3))).data) == 3
        with pytest.raises(APIError) as refused:
            await told(directors.delete().gt("id", 20).max_affected(2))
        assert refused.value.code == "PGRST124"
        with pytest.raises(APIError) as refused:
            await told(directors.insert({"id": 21, "name": "again"}))
        assert refused.value.code == "23505"
        with pytest.raises(APIError) as refused:
            await told(directors.insert({"id": 24}))
        assert refused.value.code == "23502"
    finally:
        gone = await told(directors.delete().gt("id", 20))
    assert len(gone.data) == 3


async def test_calls(client: Client) -> None:
    call: Query = client.rpc
    assert (await told(call("add", {"a": 1, "b": 2}))).data == 3
    assert (await told(call("add", {"a": "1", "b": "2"}, get=True))).data == 3
    rows = call("films_of", {"year": 1985}, count=CountMethod.exact).select("id", "title").eq("id", 3).order("id")
    cut = await told(rows.limit(1).offset(0))
    assert (cut.data, cut.count) == ([{"id": 3, "title": "Vagabond"}], 1)
    assert (await told(call("films_of", {"year": 1985}).select("id").single())).data == {"id": 3}
    assert (await told(call("films_of", {"year": 1985}).select("id").csv())).data == "id\n3"
    assert (await told(call("films_of", {"year": "1985"}, count=CountMethod.exact, head=True))).count == 1
    for name, arguments in (("nothing", {}), ("add", {"a": 1}), ("add", {"a": 1, "c": 2})):
        with pytest.raises(APIError) as refused:
            await told(call(name, arguments))
        assert refused.value.code == "PGRST202"


REFUSALS: list[tuple[Callable[[Query], Query], str]] = [
    (lambda c: c.from_("nothing").select("*"), "PGRST205"),
    (lambda c: c.from_("films").select("nothing"), "42703"),
    (lambda c: c.from_("films").select("*,nothing(*)"), "PGRST200"),
    (lambda c: c.from_("films").select("*").filter("id", "near", "1"), "PGRST100"),
    (lambda c: c.from_("films").select("*").or_("id.eq.1,and("), "PGRST100"),
    (lambda c: c.from_("films").select("*").eq("id", "one"), "22P02"),
    (lambda c: c.from_("films").select("*", count=CountMethod.exact).range(90, 91), "PGRST103"),
    (lambda c: c.schema("hidden").from_("notes").select("*"), "PGRST106"),
    (lambda c: c.auth("not.a.token").from_("films").select("*"), "PGRST301"),
    (lambda c: c.auth(None, username="x", password="y").from_("directors").delete().eq("id", 0), "42501"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("ask", "code"), REFUSALS)
async def test_refusals(rest: RunningRest, kind: str, ask: Callable[[Query], Query], code: str) -> None:
    async with connected(kind, rest) as own:
        with pytest.raises(APIError) as refused:
            await told(ask(own).retry(enabled=False))
        assert refused.value.code == code


@pytest.mark.parametrize(("kind", "builders"), [("Sync", blocking), ("Async", without_blocking)])
def test_every_method_is_called(kind: str, builders: ModuleType) -> None:
    classes = [
        getattr(builders.request_builder, f"{kind}{name}")
        for name in ("RequestBuilder", "SelectRequestBuilder", "FilterRequestBuilder", "RPCFilterRequestBuilder")
    ]
    classes.append(KINDS[kind.lower()])
    wanted = {name for each in classes for name in dir(each) if not name.startswith("_")} - {"aclose", "from_table"}
    called = set(re.findall(r"\.(\w+)\b", Path(__file__).read_text("utf-8")))
    assert wanted - called == set()
