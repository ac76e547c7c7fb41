"""What the database's own code can know of a request, and what it can say in the answer."""

import json
from typing import Any

import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import DatabaseSettings, Login
from headwater.platform.records import Records, RecordsSettings
from tests.kit.database import Cluster
from tests.platform.records.conftest import ADMIN, Ask, Define, header, person, raw_request, rows

TOLD = """
create function told() returns json language sql volatile as $$ select json_build_object(
  'method', current_setting('request.method', true), 'path', current_setting('request.path', true),
  'headers', current_setting('request.headers', true)::json, 'cookies', current_setting('request.cookies', true)::json)
$$;
"""
POLICY = """
create table secrets (id integer primary key, tenant text);
insert into secrets values (1, 'a'), (2, 'b');
alter table secrets enable row level security;
grant select, update, delete, insert on secrets to anon;
create policy by_header on secrets
  using (tenant = current_setting('request.headers', true)::json ->> 'x-tenant');
"""


async def test_functions_know_the_request(ask: Ask, define: Define) -> None:
    await define(TOLD)
    sent: dict[str, Any] = {
        "x_tenant": "a'b\"ü",
        "cookie": "theme=dark; session=s1; theme=light",
        "authorization": "Bearer x",
    }
    posted = await ask("POST", "rpc/told", {}, **sent)
    assert rows(posted) == {
        "method": "POST",
        "path": "/rpc/told",
        "headers": {"x-tenant": "a'b\"ü", "authorization": "Bearer x"},
        "cookies": {"theme": "dark", "session": "s1"},
    }
    got = await ask("GET", "/api/database/rpc/told", **sent)
    assert (rows(got)["method"], rows(got)["path"]) == ("GET", "/rpc/told")
    assert rows(await ask("GET", "rpc/told", x_tenant="c"))["headers"] == {"x-tenant": "c"}
    assert rows(await ask("GET", "rpc/told"))["cookies"] == {}


async def test_policies_read_headers(ask: Ask, define: Define) -> None:
    await define(POLICY)
    for tenant, seen in (("a", [1]), ("b", [2]), ("c", [])):
        read = await ask("GET", "secrets", x_tenant=tenant)
        assert (tenant, [row["id"] for row in rows(read)]) == (tenant, seen)
    assert rows(await ask("GET", "secrets")) == []
    changed = await ask("PATCH", "secrets?select=id", {"id": 3}, x_tenant="a", prefer="return=representation")
    assert rows(changed) == [{"id": 3}]
    planned = await ask("GET", "secrets?limit=1", x_tenant="b", prefer="count=exact")
    assert header(planned, "Content-Range") == "0-0/1"


SPEAKERS: list[tuple[str, set[str]]] = [
    ("create view spoken as select current_setting('request.method', true) as method", {"request"}),
    ("create table spoken (who text default current_setting('request.' || 'headers', true))", {"request"}),
    ("create table spoken (a text check (a <> current_setting('Request.Path', true)))", {"request"}),
    ("create function spoken() returns text language sql begin atomic select current_setting('request.path'); end",
     {"request"}),
    ("create function spoken() returns text language sql as $$ select set_config('response.status', '201', true) $$",
     {"response"}),
    ("create function spoken() returns text language sql as $$ select current_setting('request.jwt.claims') $$", set()),
    ("create view spoken as select 'request.headers' as text", set()),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "spoken"), SPEAKERS)
async def test_it_is_known_who_speaks_of_the_request(
    define: Define, catalog: Catalog, statement: str, spoken: set[str]
) -> None:
    assert catalog.current.spoken_settings == frozenset()
    await define(statement)
    assert catalog.current.spoken_settings == spoken
    kind = statement.split()[1]
    await define(f"drop {kind} spoken")
    assert catalog.current.spoken_settings == frozenset()


async def test_nobody_pays_for_what_nobody_reads(records: Records, define: Define) -> None:
    def sql() -> str:
        ready = records.prepare(raw_request("GET", "pairs", headers={"x-a": "b"}))
        assert len(ready.arguments) == ready.prepared.statement.sql.count("set_config('request.headers'") * 2
        return ready.prepared.statement.sql

    assert "request.headers" not in sql()
    await define(TOLD)
    assert "request.headers" in sql()
    await define("create or replace function told() returns json language sql as $$ select '{}'::json $$")
    assert "request.headers" not in sql()


class TestAlways:
    """Where the operator has it told always."""

    @pytest.fixture
    def settings(self) -> RecordsSettings:
        return RecordsSettings(request_settings="always")

    async def test_it_is_told(self, ask: Ask, define: Define) -> None:
        await define(
            "create function read(name text) returns text language sql as $$ select current_setting(name, true) $$"
        )
        for name, value in [
            ("request.method", "POST"),
            ("request.path", "/rpc/read"),
        ]:
            assert rows(await ask("POST", "rpc/read", {"name": name})) == value
        headers = rows(await ask("POST", "rpc/read", {"name": "request.headers"}, x_a="1"))
        assert json.loads(headers) == {"x-a": "1"}


ANSWERS = """
create function answer(status text, headers text) returns setof pairs language plpgsql security definer as $$ begin
  if headers not like '%text/fancy%' then insert into loose values ('x'); end if;
  perform set_config('response.status', status, true), set_config('response.headers', headers, true);
  return query select 1, 2, 'n'; end $$;
create function created() returns void language plpgsql volatile as $$ begin
  perform set_config('response.status', '201', true),
    set_config('response.headers', '[{"Location": "/there"}]', true); end $$;
create function noted() returns trigger language plpgsql as $$ begin
  perform set_config('response.headers', json_build_array(json_build_object('X-Made', new.a::text))::text, true);
  return new; end $$;
create trigger noted before insert on pairs for each row execute function noted();
"""


async def test_functions_set_status_and_headers(ask: Ask, define: Define) -> None:
    await define(ANSWERS)
    headers = [{"X-A": "1"}, {"Set-Cookie": "a=1"}, {"Set-Cookie": "b=2"}, {"content-range": "mine"}]
    headers.append({"Content-Type": "text/fancy"})
    told = await ask("POST", "rpc/answer", {"status": "418", "headers": json.dumps(headers)})
    assert (told.status, told.media_type, rows(told)) == (418, "text/fancy", [{"a": 1, "b": 2, "note": "n"}])
    set_headers = [pair for pair in told.headers if pair[0] in {"X-A", "Set-Cookie", "content-range"}]
    assert set_headers == [("X-A", "1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("content-range", "mine")]
    assert header(told, "Content-Range") is None
    created = await ask("POST", "rpc/created", {})
    assert (created.status, header(created, "Location"), created.body) == (201, "/there", b"")
    inserted = await ask("POST", "pairs", {"a": 7, "b": 1}, as_=ADMIN)
    assert (inserted.status, header(inserted, "X-Made")) == (201, "7")


async def test_what_is_no_answer_is_refused(ask: Ask, define: Define) -> None:
    await define(ANSWERS)
    for status, headers, code in [
        ("9", "[]", "PGRST112"),
        ("wat", "[]", "PGRST112"),
        ("99999", "[]", "PGRST112"),
        ("200", "{}", "PGRST111"),
        ("200", "[", "PGRST111"),
        ("200", '["x"]', "PGRST111"),
        ("200", '[{"a": "1", "b": "2"}]', "PGRST111"),
        ("200", '[{"a": 1}]', "PGRST111"),
        ("200", '[{"a": "x\\r\\nSet-Cookie: evil=1"}]', "PGRST111"),
        ("200", '[{"a\\r\\nb": "x"}]', "PGRST111"),
        ("200", '[{"Content-Length": "1"}]', "PGRST111"),
        ("200", '[{"a": "1"},]', "PGRST111"),
        ("200", '[{"": "1"}]', "PGRST111"),
    ]:
        refused = await ask("POST", "rpc/answer", {"status": status, "headers": headers})
        assert (status, headers, refused.status, rows(refused)["code"]) == (status, headers, 500, code)
    assert rows(await ask("GET", "loose", as_=ADMIN)) == []  # what came before was undone


BEFORE = """
create table seen (path text, uid uuid);
grant select, insert on seen to anon, authenticated;
create function check_first() returns void language plpgsql volatile as $$ begin
  if current_setting('request.headers')::json ->> 'x-banned' is not null then
    raise sqlstate 'PT403' using message = 'Banned'; end if;
  if current_setting('transaction_read_only') = 'off' then
    insert into seen values (current_setting('request.path'), uid()); end if;
  perform set_config('response.headers', '[{"X-Checked": "yes"}]', true);
  if current_setting('request.headers')::json ->> 'x-as' is not null then
    perform set_config('request.jwt.claims', json_build_object('sub',
      current_setting('request.headers')::json ->> 'x-as')::text, true); end if;
end $$;
create function seen_before() returns setof seen language sql volatile as 'select * from seen';
"""


class TestPreRequest:
    """A function that is called before every statement."""

    @pytest.fixture
    def settings(self) -> RecordsSettings:
        return RecordsSettings(pre_request="public.check_first")

    async def test_it_runs_first(self, ask: Ask, define: Define) -> None:
        await define(BEFORE)
        read = await ask("GET", "pairs", as_=ADMIN)
        assert (read.status, header(read, "X-Checked")) == (200, "yes")
        made = await ask("POST", "todos", {"title": "x"}, as_=person(1))
        assert (made.status, header(made, "X-Checked")) == (201, "yes")
        called = await ask("POST", "rpc/seen_before?select=path,uid", {}, as_=person(2))
        assert rows(called) == [{"path": "/todos", "uid": person(1).id}, {"path": "/rpc/seen_before",
                                                                          "uid": person(2).id}]  # fmt: skip

    async def test_it_can_refuse(self, ask: Ask, define: Define) -> None:
        await define(BEFORE)
        for method, target, body in [
            ("GET", "pairs", None),
            ("POST", "todos", {"title": "x"}),
            ("DELETE", "todos", None),
            ("POST", "rpc/uid", {}),
        ]:
            refused = await ask(method, target, body, as_=person(1), x_banned="1")
            assert (method, target, refused.status, rows(refused)["message"]) == (method, target, 403, "Banned")
        assert rows(await ask("GET", "todos", as_=person(1))) == []

    async def test_what_it_sets_holds(self, ask: Ask, define: Define) -> None:
        await define(BEFORE)
        await ask("POST", "todos", {"title": "theirs"}, as_=person(2))
        read = await ask("GET", "todos?select=title", as_=person(1), x_as=person(2).id or "")
        assert rows(read) == [{"title": "theirs"}]
        assert rows(await ask("GET", "todos?select=title", as_=person(1))) == []

    async def test_a_missing_one_refuses_everything(self, ask: Ask) -> None:
        refused = await ask("GET", "pairs", as_=ADMIN)
        assert (refused.status, rows(refused)["code"]) == (404, "42883")


class TestContentLocation:
    """Where answers name themselves."""

    @pytest.fixture
    def settings(self) -> RecordsSettings:
        return RecordsSettings(content_location=True)

    async def test_the_query_is_told_in_order(self, ask: Ask) -> None:
        reply = await ask("GET", "pairs?note=in.(1,%22x%20y%22)&select=a,b&a=eq.1", as_=ADMIN)
        assert header(reply, "Content-Location") == "/pairs?a=eq.1&note=in.(1,%22x%20y%22)&select=a,b"
        assert header(await ask("GET", "odd%20name", as_=ADMIN), "Content-Location") == "/odd%20name"
        assert header(await ask("HEAD", "pairs", as_=ADMIN), "Content-Location") is None


async def test_the_operators_settings_are_there_from_the_start(cluster: Cluster, database_name: str) -> None:
    settings = DatabaseSettings(app_settings=("greeting=it's, so", "app.settings.n=1"))
    connection = await cluster.connector(database_name, settings)(Login.ANON)
    for name, value in (("greeting", "it's, so"), ("n", "1")):
        assert await connection.fetchval("select current_setting($1)", f"app.settings.{name}") == value
    await connection.close()
