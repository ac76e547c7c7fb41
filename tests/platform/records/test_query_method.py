"""QUERY: what is asked stands in the body, as long as it likes, and means what it means to GET."""

from urllib.parse import quote

import pytest

from headwater.platform.records import Records
from tests.kit.server import RunningServer
from tests.platform.records.conftest import ADMIN, Ask, Define, header, person, rows

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def pairs(ask: Ask) -> None:
    """Some rows."""
    await ask("POST", "pairs", [{"a": a, "b": a % 2, "note": f"n{a}"} for a in range(1, 21)], as_=ADMIN)


@pytest.mark.parametrize(
    "query",
    [
        "select=a&a=gt.18&order=a.desc",
        "select=a,note&or=(a.eq.1,note.eq.n2)",
        "select=a&order=a&limit=2&offset=3",
        "select=count()",
        "select=note&note=in.(n1,%22n2%22)",
        "a=eq.x",
        "nowhere=eq.1",
        "a=1",
    ],
)
async def test_it_means_what_get_means(ask: Ask, pairs: None, query: str) -> None:
    by_get = await ask("GET", f"pairs?{query}", as_=ADMIN, prefer="count=exact")
    by_body = await ask("QUERY", "pairs", query.encode(), as_=ADMIN, prefer="count=exact", content_type=FORM)
    assert by_body == by_get
    first, _, rest = query.partition("&")
    shared = await ask("QUERY", f"pairs?{first}", rest.encode(), as_=ADMIN, prefer="count=exact")
    assert shared == by_get


async def test_long_filters(ask: Ask, records: Records, pairs: None) -> None:
    many = ",".join(str(number) for number in range(20, 60_000))
    assert len(many) > 300_000
    told = await ask("QUERY", "pairs", f"select=a&a=in.({many})".encode(), as_=ADMIN)
    assert rows(told) == [{"a": 20}]
    known = len(records.known)
    tree = ",".join(f"and(a.eq.{number},b.gte.0)" for number in range(20, 4_000))
    assert len(tree) > 80_000
    told = await ask("QUERY", "pairs", f"select=a&or=({tree})".encode(), as_=ADMIN)
    assert rows(told) == [{"a": 20}]
    assert len(records.known) == known, "a statement of this length is not kept"
    over = ",".join(f"a.eq.{number}" for number in range(10_001))
    refused = await ask("QUERY", "pairs", f"or=({over})".encode(), as_=ADMIN)
    assert (refused.status, rows(refused)["code"]) == (400, "PGRST100")


async def test_ranges_profiles_and_policies(ask: Ask, pairs: None) -> None:
    page = await ask("QUERY", "pairs", b"select=a&order=a", as_=ADMIN, range="2-3")
    assert (rows(page), header(page, "Content-Range")) == ([{"a": 3}, {"a": 4}], "2-3/*")
    other = await ask("QUERY", "things", b"select=id", as_=person(1), accept_profile="other")
    assert (rows(other), header(other, "Content-Profile")) == ([], "other")
    await ask("POST", "todos", [{"title": "mine"}], as_=person(1))
    assert rows(await ask("QUERY", "todos", b"select=title", as_=person(1))) == [{"title": "mine"}]
    assert rows(await ask("QUERY", "todos", b"select=title", as_=person(2))) == []
    assert (await ask("QUERY", "hidden", b"select=id", as_=person(1))).status == 403


@pytest.mark.parametrize(("body", "kind"), [(b'{"a":1}', "application/json"), ("a=eq.é".encode(), FORM)])
async def test_bodies_that_are_no_form(ask: Ask, tables: None, body: bytes, kind: str) -> None:
    refused = await ask("QUERY", "pairs", body, as_=ADMIN, content_type=kind)
    assert (refused.status, rows(refused)["code"]) == (400, "PGRST102")


async def test_functions(ask: Ask, define: Define) -> None:
    await define(
        """
        create function numbers(upto int) returns setof int stable language sql as 'select generate_series(1, upto)';
        create function method() returns text stable language sql as $$ select current_setting('request.method') $$;
        create function writes() returns int language sql as 'insert into loose values (null) returning 1';
        """
    )
    assert rows(await ask("QUERY", "rpc/numbers", b"upto=3", as_=ADMIN)) == [1, 2, 3]
    assert rows(await ask("QUERY", "rpc/numbers", b"upto=3&limit=1", as_=ADMIN)) == [1]
    assert rows(await ask("GET", "rpc/method", as_=ADMIN)) == "GET"
    assert rows(await ask("QUERY", "rpc/method", b"", as_=ADMIN)) == "QUERY"
    assert (await ask("QUERY", "rpc/writes", b"", as_=ADMIN)).status == 405


def test_over_http(server: RunningServer) -> None:
    server.sql("create table if not exists queried (id int primary key)")
    server.sql("insert into queried select generate_series(1, 3) on conflict do nothing")
    many = quote(",".join(str(number) for number in range(2, 30_000)))
    with server.client(server.admin_key) as client:
        answer = client.request(
            "QUERY", "/rest/v1/queried", content=f"id=in.({many})&order=id", headers={"content-type": FORM}
        )
        assert (answer.status_code, answer.json()) == (200, [{"id": 2}, {"id": 3}])
        too_long = client.request("QUERY", "/rest/v1/queried", content=b"a" * (5 * 1024 * 1024))
        assert too_long.status_code == 413
    with server.client() as client:
        assert client.request("QUERY", "/rest/v1/queried").status_code == 401
    server.sql("drop table queried")
