"""The unmodified Python client `postgrest` against `headwater rest`: every builder method, and its error cases."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from postgrest import APIError, AsyncPostgrestClient, CountMethod, ReturnMethod, SyncPostgrestClient
from postgrest._sync import request_builder

from tests.kit.rest import RunningRest, bearer

Query = Any
"""A builder; its own types change from one link of a chain to the next."""


@pytest.fixture
def client(rest: RunningRest) -> Iterator[SyncPostgrestClient]:
    with SyncPostgrestClient(rest.url, schema="api", headers=bearer(role="editor")) as connected:
        yield connected


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
def test_filters(client: SyncPostgrestClient, narrow: Callable[[Query], Query], wanted: list[int]) -> None:
    query: Query = client.from_("films").select("id")
    assert [row["id"] for row in narrow(query).order("id").execute().data] == wanted


def test_text_search(client: SyncPostgrestClient) -> None:
    query: Query = client.from_("films").select("id")
    found = query.text_search("words", "generals", options={"type": "plain", "config": "english"}).execute()
    assert found.data == [{"id": 1}]


def test_columns_embeds_and_order(client: SyncPostgrestClient) -> None:
    query: Query = client.table("directors").select("name", "films(title)").eq("id", 1)
    found = query.order("title", desc=True, foreign_table="films").limit(1, foreign_table="films").execute()
    assert found.data == [{"name": "Keaton", "films": [{"title": "The General"}]}]


def test_pages_and_counts(client: SyncPostgrestClient) -> None:
    films: Query = client.from_("films")
    page = films.select("id", count=CountMethod.exact).order("id").range(1, 2).execute()
    assert (page.data, page.count) == ([{"id": 2}, {"id": 3}], 4)
    shifted = client.from_("films").select("id").order("year", nullsfirst=True).limit(1).offset(1).execute()
    assert shifted.data == [{"id": 1}]
    assert client.from_("films").select("*", count=CountMethod.exact, head=True).execute().count == 4
    for method in (CountMethod.planned, CountMethod.estimated):
        assert client.from_("films").select("id", count=method).execute().count is not None


def test_one_row_none_and_several(client: SyncPostgrestClient) -> None:
    films: Query = client.from_("films").select("id")
    assert films.eq("id", 1).single().execute().data == {"id": 1}
    for query in (client.from_("films").select("id"), client.from_("films").select("id").eq("id", 99)):
        with pytest.raises(APIError) as refused:
            query.single().execute()
        assert refused.value.code == "PGRST116"
    assert client.from_("films").select("id").eq("id", 99).maybe_single().execute() is None
    found: Query = client.from_("films").select("id").eq("id", 2).maybe_single().execute()
    assert found.data == {"id": 2}


def test_other_forms(client: SyncPostgrestClient) -> None:
    films: Query = client.from_("films")
    assert films.select("id,year").eq("id", 1).csv().execute().data == "id,year\n1,1926"
    stripped = client.from_("films").select("id,extra").eq("id", 3).strip_nulls().execute()
    assert stripped.data == [{"id": 3}]
    assert "Scan" in str(client.from_("films").select("id").explain(analyze=True).execute())
    plan: Query = client.from_("films").select("id").explain(format="json").execute()
    assert "Plan" in plan.data[0]


def test_writes(client: SyncPostgrestClient) -> None:
    directors: Query = client.from_("directors")
    try:
        made = directors.insert([{"id": 21, "name": "a"}, {"id": 22, "name": "b"}], count=CountMethod.exact).execute()
        assert ([row["id"] for row in made.data], made.count) == ([21, 22], 2)
        assert directors.insert({"id": 23, "name": "c"}, returning=ReturnMethod.minimal).execute().data == []
        upserted = directors.upsert({"id": 21, "name": "A"}).execute()
        assert upserted.data == [{"id": 21, "name": "A"}]
        left = directors.upsert({"id": 21, "name": "B"}, ignore_duplicates=True, on_conflict="id").execute()
        assert left.data == []
        told = directors.update({"name": "z"}).eq("id", 22).select("name").execute()
        assert told.data == [{"name": "z"}]
        assert len(directors.update({"name": "y"}).gt("id", 20).max_affected(3).execute().data) == 3
        with pytest.raises(APIError) as refused:
            directors.delete().gt("id", 20).max_affected(2).execute()
        assert refused.value.code == "PGRST124"
        with pytest.raises(APIError) as refused:
            directors.insert({"id": 21, "name": "again"}).execute()
        assert refused.value.code == "23505"
        with pytest.raises(APIError) as refused:
            directors.insert({"id": 24}).execute()
        assert refused.value.code == "23502"
    finally:
        gone = directors.delete().gt("id", 20).execute()
    assert len(gone.data) == 3


def test_calls(client: SyncPostgrestClient) -> None:
    call: Query = client.rpc
    assert call("add", {"a": 1, "b": 2}).execute().data == 3
    assert call("add", {"a": "1", "b": "2"}, get=True).execute().data == 3
    rows = call("films_of", {"year": 1985}, count=CountMethod.exact).select("id", "title").eq("id", 3).order("id")
    told = rows.limit(1).offset(0).execute()
    assert (told.data, told.count) == ([{"id": 3, "title": "Vagabond"}], 1)
    assert call("films_of", {"year": 1985}).select("id").single().execute().data == {"id": 3}
    assert call("films_of", {"year": 1985}).select("id").csv().execute().data == "id\n3"
    assert call("films_of", {"year": "1985"}, count=CountMethod.exact, head=True).execute().count == 1
    for name, arguments in (("nothing", {}), ("add", {"a": 1}), ("add", {"a": 1, "c": 2})):
        with pytest.raises(APIError) as refused:
            call(name, arguments).execute()
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


@pytest.mark.parametrize(("ask", "code"), REFUSALS)
def test_refusals(rest: RunningRest, ask: Callable[[Query], Query], code: str) -> None:
    with SyncPostgrestClient(rest.url, schema="api", headers=bearer(role="editor")) as own:
        with pytest.raises(APIError) as refused:
            ask(own).retry(enabled=False).execute()
        assert refused.value.code == code


async def test_the_client_that_does_not_block(rest: RunningRest) -> None:
    async with AsyncPostgrestClient(rest.url, schema="api", headers=bearer(role="editor")) as own:
        films: Query = own.from_("films").select("id")
        assert (await films.eq("id", 1).execute()).data == [{"id": 1}]
        with pytest.raises(APIError):
            await own.from_("nothing").select("*").execute()


def test_every_method_is_called() -> None:
    builders = (
        request_builder.SyncRequestBuilder,
        request_builder.SyncSelectRequestBuilder,
        request_builder.SyncFilterRequestBuilder,
        request_builder.SyncRPCFilterRequestBuilder,
        SyncPostgrestClient,
    )
    wanted = {name for builder in builders for name in dir(builder) if not name.startswith("_")} - {
        "aclose",
        "from_table",
    }
    called = set(re.findall(r"\.(\w+)\b", Path(__file__).read_text("utf-8")))
    assert wanted - called == set()
