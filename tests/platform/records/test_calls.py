"""Functions called over HTTP: which one is meant, with what, and what comes back."""

import asyncio
from typing import Any

import pytest

from headwater.kernel.database import Connect, Database, Login
from headwater.platform.records import Records
from tests.platform.records.conftest import ADMIN, Ask, Define, header, person, raw_request, rows

FUNCTIONS = """
create function add(a integer, b integer) returns integer language sql immutable as 'select a + b';
create function greet(name text, greeting text default 'Hello') returns text language sql stable as
  $$ select greeting || ', ' || name || '!' $$;
create function over(a integer) returns text language sql as $$ select 'one' $$;
create function over(a integer, b integer) returns text language sql as $$ select 'two' $$;
create function twin(a integer) returns text language sql as $$ select 'integer' $$;
create function twin(a text) returns text language sql as $$ select 'text' $$;
create function joined(variadic parts text[] default '{}') returns text language sql immutable as
  $$ select array_to_string(parts, '+') $$;
create function sorted(first text, variadic others integer[]) returns integer[] language sql immutable as
  $$ select others || length(first) $$;
create function whole_json(json) returns json language sql immutable as 'select $1';
create function whole_text(text) returns integer language sql immutable as 'select length($1)';
create function whole_bytes(bytea) returns integer language sql immutable as 'select length($1)';
create function whole_or_named(jsonb) returns text language sql as $$ select 'whole' $$;
create function whole_or_named(a integer) returns text language sql as $$ select 'named' $$;
create function odd(integer, integer) returns integer language sql as 'select 1';
create function nothing() returns void language sql as '';
create function numbers(most integer) returns setof integer language sql stable as 'select generate_series(1, most)';
create function pairs_of(most integer) returns table(n integer, twice integer) language sql stable as
  'select i, i * 2 from generate_series(1, most) i';
create function one_out(a integer, out doubled integer) language sql as 'select a * 2';
create function two_out(out x integer, out y text) language sql as $$ select 1, 'b' $$;
create function no_rows() returns setof pairs language sql stable as 'select * from pairs where false';
create function no_number() returns integer language sql as 'select null::integer';
create function mine() returns setof todos language sql stable as 'select * from todos';
create function first_of_mine() returns todos language sql stable as 'select * from todos order by id limit 1';
create function open_mine(lowest integer) returns setof todos language plpgsql volatile as
  $$ begin return query select * from todos where priority >= lowest; end $$;
create function hands(t todos) returns integer language sql stable as 'select t.priority * 10';
create function add_todo(title text, priority integer default 7) returns todos language sql volatile as
  'insert into todos (title, priority) values (add_todo.title, add_todo.priority) returning *';
create function liar() returns void language plpgsql stable as $$ begin perform add_todo('x'); end $$;
create function takes(j jsonb, tags text[], feeling mood, at timestamptz, place pairs) returns json language sql as
  $$ select json_build_object('j', j, 'tags', tags, 'feeling', feeling, 'at', at, 'place', place) $$;
create function tables_role() returns text language sql stable as
  $$ select current_user || ':' || coalesce(uid()::text, 'nobody') $$;
create function "Odd Näme"("the arg" integer) returns integer language sql as 'select "the arg"';
create procedure proc() language sql as '';
create function trig() returns trigger language plpgsql as $$ begin return new; end $$;
create function other.where_am_i() returns text language sql stable as $$ select current_setting('search_path') $$;
create function slow() returns text language plpgsql stable set statement_timeout = '5ms' as
  $$ begin perform pg_sleep(2); return 'done'; end $$;
create function level() returns text language sql volatile set default_transaction_isolation = 'serializable' as
  $$ select current_setting('transaction_isolation') $$;
create function smear() returns void language plpgsql volatile as $$ begin
  perform set_config('search_path', 'other', false); perform set_config('timezone', 'Asia/Tokyo', false);
  perform pg_advisory_lock(77); create temp table if not exists todos (x integer); end $$;
create function look() returns json language sql volatile as
  $$ select json_build_object('path', current_setting('search_path'), 'zone', current_setting('timezone'),
     'locks', (select count(*) from pg_locks where locktype = 'advisory' and objid = 77),
     'temp', (select count(*) from pg_class where relname = 'todos' and relpersistence = 't')) $$;
"""
BACK = "return=representation"


@pytest.fixture
async def functions(define: Define, ask: Ask) -> None:
    """The functions, and three rows for the first user."""
    await define(FUNCTIONS)
    todos = [{"title": title, "priority": n} for n, title in enumerate(("a", "b", "c"), 1)]
    await ask("POST", "todos", todos, as_=person(1))


CALLED: list[tuple[str, str, object, int, object]] = [
    ("GET", "rpc/add?a=1&b=2", None, 200, 3),
    ("POST", "rpc/add", {"a": 1, "b": 2}, 200, 3),
    ("POST", "rpc/add", {"b": 2, "a": None}, 200, None),
    ("POST", "rpc/greet", {"name": "Ada"}, 200, "Hello, Ada!"),
    ("POST", "rpc/greet", {"name": "Ada", "greeting": "Hi"}, 200, "Hi, Ada!"),
    ("GET", "rpc/greet?name=Ada%20L&greeting=eq%20", None, 200, "eq , Ada L!"),
    ("GET", "rpc/greet?name=a&name=b", None, 200, "Hello, b!"),
    ("POST", "rpc/over", {"a": 1}, 200, "one"),
    ("POST", "rpc/over", {"a": 1, "b": 1}, 200, "two"),
    ("GET", "rpc/joined?parts=a&parts=b%22%2C", None, 200, 'a+b",'),
    ("GET", "rpc/joined", None, 200, ""),
    ("POST", "rpc/joined", {"parts": ["a", "b"]}, 200, "a+b"),
    ("GET", "rpc/sorted?first=abc&others=1&others=2", None, 200, [1, 2, 3]),
    ("POST", "rpc/sorted", {"first": "abc", "others": [5]}, 200, [5, 3]),
    ("POST", "rpc/whole_json", {"any": [1, "x"]}, 200, {"any": [1, "x"]}),
    ("POST", "rpc/whole_json", [1, 2], 200, [1, 2]),
    ("POST", "rpc/whole_or_named", {"a": 1}, 200, "named"),
    ("POST", "rpc/whole_or_named", {"b": 1}, 200, "whole"),
    ("GET", "rpc/numbers?most=3", None, 200, [1, 2, 3]),
    ("GET", "rpc/numbers?most=3&pgrst_scalar=gt.1&limit=1", None, 200, [2]),
    ("GET", "rpc/pairs_of?most=2", None, 200, [{"n": 1, "twice": 2}, {"n": 2, "twice": 4}]),
    ("GET", "rpc/pairs_of?most=5&n=gte.2&select=t:twice&order=n.desc&limit=2", None, 200, [{"t": 10}, {"t": 8}]),
    ("POST", "rpc/pairs_of?n=eq.2&select=twice", {"most": 5}, 200, [{"twice": 4}]),
    ("POST", "rpc/one_out", {"a": 4}, 200, {"doubled": 8}),
    ("POST", "rpc/two_out?select=y", {}, 200, {"y": "b"}),
    ("POST", "rpc/two_out", None, 200, {"x": 1, "y": "b"}),
    ("GET", "rpc/no_rows", None, 200, []),
    ("GET", "rpc/no_number", None, 200, None),
    ("GET", "rpc/mine?select=title,priority&priority=gt.1&order=priority.desc", None, 200,
     [{"title": "c", "priority": 3}, {"title": "b", "priority": 2}]),
    ("GET", "rpc/mine?select=title,hands&hands=eq.20", None, 200, [{"title": "b", "hands": 20}]),
    ("GET", "rpc/mine?select=count()", None, 200, [{"count": 3}]),
    ("GET", "rpc/first_of_mine?select=title", None, 200, {"title": "a"}),
    ("POST", "rpc/open_mine?select=title&order=title", {"lowest": 2}, 200, [{"title": "b"}, {"title": "c"}]),
    ("POST", "rpc/add_todo?select=title,priority", {"title": "new"}, 200, {"title": "new", "priority": 7}),
    ("GET", "rpc/tables_role", None, 200, f"authenticated:{person(1).id}"),
    ("POST", "rpc/tables_role", {}, 200, f"authenticated:{person(1).id}"),
    ("POST", "rpc/Odd%20N%C3%A4me", {"the arg": 5}, 200, 5),
    ("GET", "rpc/Odd%20N%C3%A4me?the%20arg=5", None, 200, 5),
    ("POST", "rpc/greet?columns=name", b'{"name": "Ada", "never": 1}', 200, "Hello, Ada!"),
    ("GET", "rpc/level", None, 200, "repeatable read"),
    ("POST", "rpc/level", {}, 200, "serializable"),
    # who is meant, and who is not
    ("GET", "rpc/adds?a=1&b=2", None, 404, "PGRST202"),
    ("GET", "rpc/add?a=1", None, 404, "PGRST202"),
    ("POST", "rpc/add", {"a": 1, "b": 2, "c": 3}, 404, "PGRST202"),
    ("POST", "rpc/add", [1, 2], 404, "PGRST202"),
    ("GET", "rpc/whole_json", None, 404, "PGRST202"),
    ("POST", "rpc/twin", {"a": 1}, 300, "PGRST203"),
    ("POST", "rpc/odd", {}, 404, "PGRST202"),
    ("POST", "rpc/proc", {}, 404, "PGRST202"),
    ("POST", "rpc/trig", {}, 404, "PGRST202"),
    ("GET", "rpc/add?a=x&b=2", None, 400, "22P02"),
    ("POST", "rpc/add", {"a": "x", "b": 2}, 400, "22P02"),
    ("POST", "rpc/add", b"{", 400, "PGRST102"),
    ("POST", "rpc/add?a=1&b=2", {}, 400, "PGRST100"),
    ("GET", "rpc/add_todo?title=x", None, 405, "25006"),
    ("POST", "rpc/liar", {}, 405, "25006"),
    ("GET", "rpc/slow", None, 500, "57014"),
    ("GET", "rpc/mine?select=nope", None, 400, "42703"),
]  # fmt: skip


@pytest.mark.usefixtures("functions")
async def test_what_is_called(ask: Ask) -> None:
    found: list[tuple[str, str, object, int, object]] = []
    for method, target, body, _, _ in CALLED:
        reply = await ask(method, target, body, as_=person(1))
        told = rows(reply)
        found.append((method, target, body, reply.status, told["code"] if reply.status >= 300 else told))
        await ask("DELETE", "todos?title=eq.new", as_=person(1))
    assert found == CALLED


@pytest.mark.usefixtures("functions")
async def test_values_of_every_sort_arrive(ask: Ask) -> None:
    told = {
        "j": {"a": [1]},
        "tags": ["x", "y,z"],
        "feeling": "wild",
        "at": "2026-01-02T03:04:05+00:00",
        "place": {"a": 1, "b": 2, "note": "n"},
    }
    posted = await ask("POST", "rpc/takes", told, as_=person(1))
    assert rows(posted) == told
    query = 'j={"a":[1]}&tags={x,"y,z"}&feeling=wild&at=2026-01-02T03:04:05Z&place=(1,2,n)'
    assert rows(await ask("GET", f"rpc/takes?{query}", as_=person(1))) == told


@pytest.mark.usefixtures("functions")
async def test_one_argument_takes_the_whole_body(ask: Ask) -> None:
    text = await ask("POST", "rpc/whole_text", "ünï".encode(), content_type="text/plain; charset=utf-8")
    assert rows(text) == 3
    octets = await ask("POST", "rpc/whole_bytes", b"\x00\xff\x01", content_type="application/octet-stream")
    assert rows(octets) == 3
    form = await ask("POST", "rpc/add", b"a=1&b=2", content_type="application/x-www-form-urlencoded")
    assert rows(form) == 3
    for name, body, kind, status, code in [
        ("whole_text", b"\xff", "text/plain", 400, "PGRST102"),
        ("whole_text", b"a\x00", "text/plain", 400, "PGRST102"),
        ("whole_text", b"a", "text/xml", 404, "PGRST202"),
        ("whole_text", b"a", "image/png", 400, "PGRST102"),
        ("nothing", b"a", "text/plain", 404, "PGRST202"),
    ]:
        refused = await ask("POST", f"rpc/{name}", body, content_type=kind)
        assert (kind, refused.status, rows(refused)["code"]) == (kind, status, code)


@pytest.mark.usefixtures("functions")
async def test_who_gives_nothing_leaves_nothing(ask: Ask) -> None:
    for mount in ("", "/api/database/"):
        reply = await ask("POST", f"{mount}rpc/nothing", {})
        assert (reply.status, reply.body, reply.media_type) == (204, b"", None)


@pytest.mark.usefixtures("functions")
async def test_near_misses_are_hinted_at(ask: Ask) -> None:
    misspelled = rows(await ask("POST", "rpc/greeet", {"name": "x"}))
    assert misspelled == {
        "code": "PGRST202",
        "message": "Could not find the function public.greeet(name) in the schema cache",
        "details": "Searched for the function public.greeet with parameter name or with a single unnamed json/jsonb"
        " parameter, but no matches were found in the schema cache.",
        "hint": "Perhaps you meant to call the function public.greet",
    }
    other = rows(await ask("GET", "rpc/greet?nam=x"))
    assert other["hint"] == "Perhaps you meant to call the function public.greet(greeting, name)"
    assert other["details"] == (
        "Searched for the function public.greet with parameter nam, but no matches were found in the schema cache."
    )
    bare = rows(await ask("GET", "rpc/nobody_knows"))
    assert bare["message"] == "Could not find the function public.nobody_knows without parameters in the schema cache"
    twins = rows(await ask("POST", "rpc/twin", {"a": 1}))
    assert twins["message"] == (
        "Could not choose the best candidate function between: public.twin(a => integer), public.twin(a => text)"
    )
    assert twins["hint"].startswith("Try renaming the parameters")


@pytest.mark.usefixtures("functions")
async def test_results_are_counted_and_cut(ask: Ask) -> None:
    counted = await ask("GET", "rpc/pairs_of?most=10&limit=3&offset=2", prefer="count=exact")
    assert (counted.status, header(counted, "Content-Range"), len(rows(counted))) == (206, "2-4/10", 3)
    assert header(counted, "Preference-Applied") == "count=exact"
    filtered = await ask("POST", "rpc/pairs_of?n=gt.7&limit=1", {"most": 10}, prefer="count=exact")
    assert header(filtered, "Content-Range") == "0-0/3"
    ranged = await ask("GET", "rpc/pairs_of?most=10", range="0-1")
    assert (header(ranged, "Content-Range"), len(rows(ranged))) == ("0-1/*", 2)
    head = await ask("HEAD", "rpc/pairs_of?most=10", prefer="count=exact")
    assert (head.status, head.body, header(head, "Content-Range")) == (200, b"", "0-9/10")
    far = await ask("GET", "rpc/pairs_of?most=10&offset=11", prefer="count=exact")
    assert (far.status, rows(far)["code"]) == (416, "PGRST103")


@pytest.mark.usefixtures("functions")
async def test_a_counted_call_runs_once(ask: Ask) -> None:
    added = await ask("POST", "rpc/add_todo?select=title", {"title": "once"}, as_=person(1), prefer="count=exact")
    assert rows(added) == {"title": "once"}
    assert len(rows(await ask("GET", "todos?title=eq.once", as_=person(1)))) == 1


@pytest.mark.usefixtures("functions")
async def test_one_row_as_one_object(ask: Ask) -> None:
    one = "application/vnd.pgrst.object+json"
    assert rows(await ask("GET", "rpc/pairs_of?most=1", accept=one)) == {"n": 1, "twice": 2}
    for most, count in ((0, 0), (2, 2)):
        many = await ask("GET", f"rpc/pairs_of?most={most}", accept=one)
        assert (many.status, rows(many)["code"]) == (406, "PGRST116")
        assert rows(many)["details"] == f"The result contains {count} rows"
    assert rows(await ask("GET", "rpc/add?a=1&b=2", accept=one)) == 3
    assert rows(await ask("GET", "rpc/first_of_mine?select=title", accept=one, as_=person(1))) == {"title": "a"}


@pytest.mark.usefixtures("functions")
async def test_too_many_undo_the_call(ask: Ask, define: Define) -> None:
    await define(
        "create function finish() returns setof todos language sql as 'update todos set done = true returning *'"
    )
    strict = "handling=strict, max-affected=2"
    refused = await ask("POST", "rpc/finish", {}, as_=person(1), prefer=strict)
    assert (refused.status, rows(refused)["code"]) == (400, "PGRST124")
    single = await ask("POST", "rpc/finish", {}, as_=person(1), accept="application/vnd.pgrst.object+json")
    assert (single.status, rows(single)["code"]) == (406, "PGRST116")
    assert rows(await ask("GET", "todos?done=is.true", as_=person(1))) == []
    done = await ask("POST", "rpc/finish", {}, as_=person(1), prefer="handling=strict, max-affected=3")
    assert (done.status, header(done, "Preference-Applied")) == (200, "handling=strict, max-affected=3")
    no_set = await ask("POST", "rpc/add", {"a": 1, "b": 1}, prefer=strict)
    assert (no_set.status, rows(no_set)["code"]) == (400, "PGRST128")


@pytest.mark.usefixtures("functions")
async def test_methods_are_told(ask: Ask) -> None:
    allowed = {
        target: header(await ask("OPTIONS", target), "Allow")
        for target in ("rpc/add", "rpc/add_todo", "rpc/over", "/rest/v1/")
    }
    assert allowed == {
        "rpc/add": "OPTIONS,GET,HEAD,POST",
        "rpc/add_todo": "OPTIONS,POST",
        "rpc/over": "OPTIONS,POST",
        "/rest/v1/": "OPTIONS,GET,HEAD",
    }
    assert (await ask("OPTIONS", "rpc/nobody_knows")).status == 404


@pytest.mark.usefixtures("functions")
async def test_another_schema_is_searched_first(ask: Ask) -> None:
    reply = await ask("POST", "rpc/where_am_i", {}, as_=ADMIN, content_profile="other")
    assert (rows(reply), header(reply, "Content-Profile")) == ('"other", "public"', "other")
    asked = await ask("GET", "/api/database/rpc/where_am_i?schema=other", as_=ADMIN)
    assert rows(asked) == '"other", "public"'


@pytest.mark.usefixtures("functions")
async def test_who_may_not_call_is_told_so(ask: Ask, define: Define) -> None:
    await define("revoke execute on function add(integer, integer) from public")
    stranger = await ask("GET", "rpc/add?a=1&b=2")
    assert (stranger.status, header(stranger, "WWW-Authenticate")) == (401, "Bearer")
    user = await ask("GET", "rpc/add?a=1&b=2", as_=person(1))
    assert (user.status, rows(user)["code"]) == (403, "42501")


@pytest.mark.usefixtures("functions")
async def test_a_call_leaves_its_session_as_it_was(ask: Ask, database: Database) -> None:
    async def cleaned(function: str) -> Any:
        reply = await ask("POST", f"rpc/{function}", {}, as_=ADMIN)
        while database.lease.lent_count:  # noqa: ASYNC110 - the lease rings no bell
            await asyncio.sleep(0.001)  # the session is reset after the answer has left
        return rows(reply) if reply.body else None

    before = await cleaned("look")
    await cleaned("smear")
    assert await cleaned("look") == before == {"path": "public", "zone": "UTC", "locks": 0, "temp": 0}
    assert database.lease.open_count <= 3


@pytest.mark.usefixtures("functions")
async def test_no_argument_is_in_the_text(records: Records, ask: Ask) -> None:
    for value in ("a", "b'); drop table todos; --"):
        await ask("POST", "rpc/greet", {"name": value})
        await ask("GET", f"rpc/greet?name={value}")
    texts: list[Any] = [prepared.statement.sql for prepared in records.known._known.values()]
    assert len([text for text in texts if "greet" in text]) == 2
    assert not any("drop" in text for text in texts)


@pytest.mark.usefixtures("functions")
async def test_no_plan_calls_before_the_gate(records: Records, connector: Connect) -> None:
    connection = await connector(Login.AUTHENTICATED)
    for method, target, body in [
        ("GET", "rpc/mine?priority=gt.1", b""),  # in SQL and stable, so that Postgres may take it apart
        ("GET", "rpc/add?a=1&b=2", b""),
        ("POST", "rpc/open_mine", b'{"lowest": 1}'),
        ("POST", "rpc/add_todo", b'{"title": "x"}'),
    ]:
        ready = records.prepare_call(raw_request(method, target, body, {"prefer": "count=exact"}))
        for mode in ("force_custom_plan", "force_generic_plan"):
            await connection.execute(f"set plan_cache_mode = {mode}")
            statement = f"explain (costs off) {ready.prepared.statement.sql}"
            plan = "\n".join(line for (line,) in await connection.fetch(statement, "{}", *ready.arguments))
            common, _, rest = plan.partition("->  Aggregate")
            assert plan.startswith("Nested Loop"), plan
            assert "One-Time Filter" in rest, plan
            assert "CTE called" in common or "Scan" not in common, plan
    await connection.close()


@pytest.mark.usefixtures("functions")
async def test_partitions_are_chosen_with_the_callers_claims(ask: Ask, define: Define) -> None:
    await define("""
        create table parts (owner uuid not null default uid(), n integer) partition by list (owner);
        create table parts_1 partition of parts for values in ('00000000-0000-4000-8000-000000000001');
        create table parts_rest partition of parts default;
        create function own_parts() returns setof parts language sql stable as
          'select * from parts where owner = uid()';
        grant select on parts to authenticated;
        insert into parts values ('00000000-0000-4000-8000-000000000001', 1)
    """)
    for method in ("GET", "POST"):
        assert rows(await ask(method, "rpc/own_parts?select=n", as_=person(1))) == [{"n": 1}]
        assert rows(await ask(method, "rpc/own_parts?select=n", as_=person(2))) == []


@pytest.mark.usefixtures("functions")
async def test_calls_at_once_keep_their_callers(ask: Ask) -> None:
    async def one(number: int) -> bool:
        caller = person(number % 5)
        reply = await ask("POST" if number % 2 else "GET", "rpc/tables_role", as_=caller)
        return rows(reply) == f"authenticated:{caller.id}"

    assert all(await asyncio.gather(*(one(number) for number in range(100))))
