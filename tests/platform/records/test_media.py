"""In what form rows come and go: CSV, forms, GeoJSON, plans."""

import csv
import json
from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.platform.records import RecordsSettings
from tests.platform.records.conftest import ADMIN, Ask, Define, header, person, rows

BACK = "return=representation"
CSV = "text/csv"


def read(body: bytes) -> list[list[str]]:
    """The lines of a CSV body."""
    return list(csv.reader(StringIO(body.decode(), newline="")))


async def test_csv_comes_in(ask: Ask) -> None:
    body = (
        b'title,priority,tags,extra,due\r\n"a ""b"", c",1,"{x,""y,z""}","{""k"": [1]}",NULL\r\n"",2,{},[],2026-01-02\n'
    )
    made = await ask("POST", "todos", body, as_=person(1), prefer=BACK, content_type="text/csv; charset=utf-8")
    assert made.status == 201
    told = [{key: row[key] for key in ("title", "priority", "tags", "extra", "due")} for row in rows(made)]
    assert told == [
        {"title": 'a "b", c', "priority": 1, "tags": ["x", "y,z"], "extra": {"k": [1]}, "due": None},
        {"title": "", "priority": 2, "tags": [], "extra": [], "due": "2026-01-02T00:00:00+00:00"},
    ]


async def test_csv_fills_the_listed_columns_only(ask: Ask) -> None:
    made = await ask(
        "POST", "todos?columns=title&select=title,priority", b"title,priority\nx,5", as_=person(1), prefer=BACK,
        content_type=CSV,
    )  # fmt: skip
    assert rows(made) == [{"title": "x", "priority": 0}]


NOT_CSV = [
    (b"", "The first line of a CSV body names the columns"),
    (b"a,,b\n1,2,3", "The first line of a CSV body names the columns"),
    (b"title,title\n1,2", "The first line of a CSV body names a column twice"),
    (b"title,priority\nx", "All lines must have same number of fields"),
    (b"title\nx,1", "All lines must have same number of fields"),
    (b"title\n\xff", "The body is not UTF-8"),
    (b'title\n"x" y', "The CSV body cannot be read: ',' expected after '\"'"),
]


async def test_what_is_no_csv(ask: Ask) -> None:
    for body, reason in NOT_CSV:
        refused = await ask("POST", "todos", body, as_=person(1), content_type=CSV)
        assert (body, refused.status, rows(refused)["code"]) == (body, 400, "PGRST102")
        assert rows(refused)["message"] == reason
    assert rows(await ask("GET", "todos", as_=ADMIN)) == []
    header_only = await ask("POST", "todos", b"title\n", as_=person(1), content_type=CSV, prefer=BACK)
    assert (header_only.status, rows(header_only)) == (201, [])


async def test_a_form_is_one_row(ask: Ask) -> None:
    body = b"title=a+b%26c&priority=3&extra=%7B%22k%22%3A1%7D"
    made = await ask(
        "POST", "todos?select=title,priority,extra", body, as_=person(1), prefer=BACK,
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert rows(made) == [{"title": "a b&c", "priority": 3, "extra": {"k": 1}}]
    refused = await ask("POST", "todos", b"<a/>", as_=person(1), content_type="application/xml")
    assert (refused.status, rows(refused)["message"]) == (400, "Content-Type not acceptable: application/xml")


async def test_csv_goes_out(ask: Ask) -> None:
    titles = ["plain", 'a "quote", comma', "new\nline", "back\\slash", "", " space ", "(paren)", "ünï"]
    await ask("POST", "todos", [{"title": title} for title in titles], as_=person(1))
    told = await ask("GET", "todos?select=title,due,done&order=id", as_=person(1), accept=CSV)
    assert (told.status, told.media_type, header(told, "Content-Range")) == (200, "text/csv; charset=utf-8", "0-7/*")
    assert read(told.body) == [["title", "due", "done"], *([title, "", "f"] for title in titles)]


async def test_csv_has_its_header_without_rows(ask: Ask) -> None:
    none = await ask("GET", r'todos?select=id,"a \"b\", c":title,extra->k&id=eq.0', as_=ADMIN, accept=CSV)
    assert none.body == b'id,"a ""b"", c",k'
    everything = await ask("GET", "pairs", as_=ADMIN, accept=CSV)
    assert everything.body == b"a,b,note"


async def test_csv_of_writes_and_calls(ask: Ask, define: Define) -> None:
    made = await ask("POST", "pairs?select=a,note", [{"a": 1, "b": 2}], as_=ADMIN, accept=CSV, prefer=BACK)
    assert made.body == b"a,note\n1,none"
    await define("create function three() returns setof integer language sql as 'values (1), (2), (3)'")
    assert (await ask("POST", "rpc/three", {}, accept=CSV)).body == b"pgrst_scalar\n1\n2\n3"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    texts=st.lists(
        st.tuples(*[st.text(alphabet=st.characters(exclude_characters="\0\r", exclude_categories=("Cs",)))] * 2).filter(
            lambda pair: "NULL" not in pair
        ),
        min_size=1,
        max_size=4,
    )
)
async def test_what_went_out_comes_in_again(ask: Ask, texts: list[tuple[str, str]]) -> None:
    await ask("DELETE", "todos", as_=person(1))
    sent = [{"title": title, "extra": other} for title, other in texts]
    await ask("POST", "todos", sent, as_=person(1))
    told = await ask("GET", "todos?select=title,extra&order=id", as_=person(1), accept=CSV)
    assert [line[0] for line in read(told.body)[1:]] == [title for title, _ in texts]
    await ask("DELETE", "todos", as_=person(1))
    await ask("POST", "todos", told.body, as_=person(1), content_type=CSV)
    again = await ask("GET", "todos?select=title,extra&order=id", as_=person(1))
    assert rows(again) == sent


CHOSEN = [
    ("text/csv;q=0.5, application/json", "application/json"),
    ("application/json;q=0.5, text/csv", "text/csv"),
    ("text/html, text/*;q=0.1", "text/csv"),
    ("text/html;level=1, */*;q=0.1", "application/json"),
    ("application/vnd.pgrst.array+json;nulls=stripped", "application/vnd.pgrst.array+json;nulls=stripped"),
    ('foo/bar;a="x,y;z", text/csv', "text/csv"),
    ("application/json;q=x, text/csv;q=0.1", "text/csv"),
]


async def test_the_best_of_what_is_accepted(ask: Ask) -> None:
    for accept, chosen in CHOSEN:
        reply = await ask("GET", "pairs", as_=ADMIN, accept=accept)
        assert (accept, reply.media_type) == (accept, f"{chosen}; charset=utf-8")
    refused = await ask("GET", "pairs", as_=ADMIN, accept="text/html, text/csv;q=0")
    assert (refused.status, rows(refused)["message"]) == (
        406,
        "None of these media types are available: text/html, text/csv;q=0",
    )


async def test_geojson_needs_postgis(ask: Ask, define: Define) -> None:
    without = await ask("GET", "pairs", as_=ADMIN, accept="application/geo+json")
    assert (without.status, rows(without)["code"]) == (406, "PGRST107")
    assert "PostGIS" in rows(without)["hint"]
    await define(
        "create function st_asgeojson(anyelement) returns text language sql as"
        """ $$ select json_build_object('type', 'Feature', 'properties', to_json($1))::text $$"""
    )
    await ask("POST", "pairs", {"a": 1, "b": 2}, as_=ADMIN)
    told = await ask("GET", "pairs?select=a", as_=ADMIN, accept="application/geo+json")
    assert told.media_type == "application/geo+json; charset=utf-8"
    feature = {"type": "Feature", "properties": {"a": 1}}
    assert rows(told) == {"type": "FeatureCollection", "features": [feature]}


PLAN = "application/vnd.pgrst.plan"


async def test_plans_are_off_unless_turned_on(ask: Ask) -> None:
    refused = await ask("GET", "todos", as_=ADMIN, accept=f"{PLAN}+json")
    assert (refused.status, rows(refused)["code"]) == (406, "PGRST107")
    assert "HEADWATER_RECORDS_PLAN" in rows(refused)["hint"]


class TestPlans:
    """Where the operator lets callers see them."""

    @pytest.fixture
    def settings(self) -> RecordsSettings:
        return RecordsSettings(plan=True)

    async def test_as_json(self, ask: Ask) -> None:
        told = await ask("GET", "todos?id=eq.1", as_=person(1), accept=f"{PLAN}+json; options=analyze|verbose|wat")
        assert told.status == 200
        assert told.media_type == f'{PLAN}+json; for="application/json"; options=analyze|verbose; charset=utf-8'
        plan: Any = json.loads(told.body)
        assert {"Plan", "Execution Time"} <= plan[0].keys()
        assert "Output" in plan[0]["Plan"]

    async def test_as_text_of_another_form(self, ask: Ask) -> None:
        accept = f'{PLAN}; for="application/vnd.pgrst.object+json"'
        told = await ask("GET", "todos?id=eq.1", as_=person(1), accept=accept)
        assert told.media_type == f'{PLAN}+text; for="application/vnd.pgrst.object+json"; charset=utf-8'
        assert told.body.startswith(b"Nested Loop")
        assert b"Index Scan" in told.body or b"Seq Scan" in told.body
        refused = await ask("GET", "todos", as_=ADMIN, accept=f'{PLAN}+json; for="image/png"')
        assert (refused.status, rows(refused)["code"]) == (406, "PGRST107")

    async def test_the_callers_policies_are_in_it(self, ask: Ask) -> None:
        mine = await ask("GET", "todos", as_=person(1), accept=PLAN)
        all_of_them = await ask("GET", "todos", as_=ADMIN, accept=PLAN)
        assert (b"owner" in mine.body, b"owner" in all_of_them.body) == (True, False)

    @pytest.mark.parametrize("options", ["", "; options=analyze"])
    async def test_an_explained_change_changes_nothing(self, ask: Ask, define: Define, options: str) -> None:
        await define(
            "create function add_pair() returns setof pairs language sql as"
            " 'insert into pairs (a, b) values (5, 5) returning *'"
        )
        made = await ask("POST", "pairs", {"a": 1, "b": 2}, as_=ADMIN, accept=PLAN + options)
        assert (made.status, b"Insert on" in made.body) == (200, True)
        called = await ask("POST", "rpc/add_pair", {}, as_=ADMIN, accept=PLAN + options)
        assert (called.status, b"add_pair" in called.body or b"CTE called" in called.body) == (200, True)
        assert rows(await ask("GET", "pairs", as_=ADMIN)) == []

    async def test_what_cannot_be_planned_is_refused(self, ask: Ask) -> None:
        refused = await ask("GET", "hidden", as_=person(1), accept=PLAN)
        assert (refused.status, rows(refused)["code"]) == (403, "42501")
