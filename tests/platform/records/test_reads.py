"""Filters, orders, windows and counts, as a table of cases on a real Postgres."""

import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Login
from headwater.platform.records import Records, RecordsSettings
from tests.platform.records.conftest import ADMIN, Ask, header, rows

FILL = """
insert into todos (id, owner, title, done, priority, tags, extra, due)
select id, ('00000000-0000-4000-8000-00000000000' || (id + 1) / 2)::uuid, title, done, id, tags, extra, due from (values
  (1, 'buy milk', false, '{home,food}'::text[], '{"a": {"b": [1, 2]}, "n": 5}'::jsonb, null::timestamptz),
  (2, 'Call, (Ann)', true, '{work}', '{"a": {"b": [3]}, "s": "x"}', '2026-01-01Z'),
  (3, 'say "hi"', false, '{}', '{}', '2026-06-01Z'),
  (4, 'back\\slash', true, '{home}', '{"n": 7}', null)) v(id, title, done, tags, extra, due);
insert into kinds (code, feeling, amount, price, flags, fixed, during, raw, words) values
  ('one', 'calm', 1, 1.50, '101', 'ab', '[1,5)', '{"k": 1}', to_tsvector('english', 'the quick foxes')),
  ('two', 'wild', 2, 2.25, '011', 'cd', '[5,9)', '[10, 20]', to_tsvector('english', 'lazy dogs')),
  ('nil', null, null, null, null, null, null, null, null);
insert into "odd name" values (1, 'dotted', 'ünï');
"""


@pytest.fixture(autouse=True)
async def filled(connector: Connect, tables: None) -> None:
    admin = await connector(Login.ADMIN)
    await admin.execute(FILL)
    await admin.close()


TODOS: list[tuple[str, list[int]]] = [
    ("id=eq.2", [2]),
    ("id=neq.2", [1, 3, 4]),
    ("id=gt.2", [3, 4]),
    ("id=gte.2&id=lt.4", [2, 3]),
    ("id=lte.1", [1]),
    ("id=not.eq.2", [1, 3, 4]),
    ("done=is.true", [2, 4]),
    ("done=is.FALSE", [1, 3]),
    ("due=is.null", [1, 4]),
    ("due=not.is.null", [2, 3]),
    ("due=is.not_null", [2, 3]),
    ("title=like.*milk", [1]),
    ("title=like.%25i%25", [1, 3]),
    ("title=ilike.CALL*", [2]),
    ("title=match.^b", [1, 4]),
    ("title=imatch.^C", [2]),
    ("title=like(any).{buy*,say*}", [1, 3]),
    ("title=like(all).{*a*,*s*}", [3, 4]),
    ("id=eq(any).{1,4}", [1, 4]),
    ("id=gt(all).{1,2}", [3, 4]),
    ("id=in.(1,3)", [1, 3]),
    ("id=in.()", []),
    ("id=not.in.(1,3)", [2, 4]),
    ('title=in.("Call, (Ann)","say \\"hi\\"")', [2, 3]),
    ('title=in.("back\\\\slash")', [4]),
    ("title=eq.Call, (Ann)", [2]),
    ('title=eq.say "hi"', [3]),
    ("title=eq.back\\slash", [4]),
    ("title=eq.", []),
    ("priority=isdistinct.1", [2, 3, 4]),
    ("tags=cs.{home}", [1, 4]),
    ("tags=cd.{home,food,work}", [1, 2, 3, 4]),
    ("tags=ov.{food,work}", [1, 2]),
    ("tags=eq.{work}", [2]),
    ('extra=cs.{"n":7}', [4]),
    ("extra->n=eq.5", [1]),
    ("extra->>n=eq.7", [4]),
    ("extra->>s=eq.x", [2]),
    ("extra->a->b->0=gt.1", [2]),
    ("extra->a->b->>-1=eq.2", [1]),
    ("extra->a->>b=is.null", [3, 4]),
    ("title=fts.milk", [1]),
    ("title=fts(english).milks", [1]),
    ("title=plfts(english).buying milk", [1]),
    ("title=phfts.buy milk", [1]),
    ("title=wfts.milk or hi", [1, 3]),
    ("title=not.fts.milk", [2, 3, 4]),
    ("or=(id.eq.1,id.eq.4)", [1, 4]),
    ("or=(id.lt.2,and(id.gt.2,done.is.true))", [1, 4]),
    ("and=(id.gt.1,not.or(id.eq.2,id.eq.3))", [4]),
    ("not.or=(id.eq.1,id.eq.4)", [2, 3]),
    ("not.and=(id.gt.1,id.lt.4)", [1, 4]),
    ('or=(title.eq."Call, (Ann)",id.in.(3))', [2, 3]),
    ("or=( id.eq.1 , tags.cs.{work} )", [1, 2]),
    ('or=(title.in.("say \\"hi\\"",x),extra->>n.eq.7)', [3, 4]),
    ("or=(title.like(any).{b*,s*})", [1, 3, 4]),
    ("or=(id.not.gt.1,title.fts(english).hi)", [1, 3]),
    ("or=(due.is.null,id.not.is.null)", [1, 2, 3, 4]),
    ("due=gt.2026-02-01", [3]),
    ("owner=eq.00000000-0000-4000-8000-000000000001", [1, 2]),
]


async def test_filters(ask: Ask) -> None:
    found: dict[str, object] = {}
    ranges: dict[str, object] = {}
    for query, _ in TODOS:
        reply = await ask("GET", f"todos?select=id&order=id&{query}", as_=ADMIN, prefer="count=exact")
        found[query] = [row["id"] for row in rows(reply)] if reply.status == 200 else reply.body
        ranges[query] = header(reply, "Content-Range")
    assert found == dict(TODOS)
    assert ranges == {query: f"{f'0-{len(ids) - 1}' if ids else '*'}/{len(ids)}" for query, ids in TODOS}


KINDS: list[tuple[str, list[str] | int]] = [
    ("code=eq.one", ["one"]),
    ("feeling=eq.wild", ["two"]),
    ("feeling=in.(calm,wild)", ["one", "two"]),
    ("feeling=gt.calm", ["two"]),
    ("amount=eq.2", ["two"]),
    ("price=gt.1.5", ["two"]),
    ("price=in.(1.50,9)", ["one"]),
    ("flags=eq.101", ["one"]),
    ("fixed=eq.ab", ["one"]),
    ("fixed=like.c*", ["two"]),
    ("during=cs.4", 400),
    ("during=cs.[2,3]", ["one"]),
    ("during=ov.[4,6]", ["one", "two"]),
    ("during=sl.[5,9)", ["one"]),
    ("during=sr.[1,5)", ["two"]),
    ("during=nxr.[1,6)", ["one"]),
    ("during=nxl.[5,6)", ["two"]),
    ("during=adj.[5,9)", ["one"]),
    ("raw->>k=eq.1", ["one"]),
    ("raw->1=is.not_null", ["two"]),
    ("words=fts(english).fox", ["one"]),
    ("words=wfts(english).dog or fox", ["one", "two"]),
    ("twice=eq.4", ["two"]),
    ("made=eq.2026-01-02T03:04:05Z", ["nil", "one", "two"]),
]


async def test_types(ask: Ask) -> None:
    found: dict[str, object] = {}
    for query, _ in KINDS:
        reply = await ask("GET", f"kinds?select=code&order=code&{query}", as_=ADMIN)
        found[query] = [row["code"] for row in rows(reply)] if reply.status == 200 else reply.status
    assert found == dict(KINDS)


SELECTS = [
    ("todos?id=eq.1&select=id,title", '[{"id":1,"title":"buy milk"}]'),
    ("todos?id=eq.1&select=name:title", '[{"name":"buy milk"}]'),
    ("todos?id=eq.1&select=id::text", '[{"id":"1"}]'),
    ("todos?id=eq.1&select=n:id::text", '[{"n":"1"}]'),
    ("todos?id=eq.1&select=extra->a->b", '[{"b":[1, 2]}]'),
    ("todos?id=eq.1&select=extra->a->b->0", '[{"b":1}]'),
    ("todos?id=eq.1&select=extra->>n", '[{"n":"5"}]'),
    ("todos?id=eq.1&select=x:extra->>n::int", '[{"x":5}]'),
    ("todos?id=eq.1&select=tags->0", '[{"tags":"home"}]'),
    ("todos?id=eq.1&select=", "[{}]"),
    ("kinds?code=eq.two&select=raw->0", '[{"raw":10}]'),
    ("odd%20name?select=%22the%20%5C%22key%5C%22%22,%22a.b%22,Ünï", '[{"the \\"key\\"":1,"a.b":"dotted","Ünï":"ünï"}]'),
    ("odd%20name?select=%22a.b%22&%22a.b%22=eq.dotted", '[{"a.b":"dotted"}]'),
    ("odd%20name?select=%22a.b%22&or=(%22a.b%22.eq.dotted,Ünï.eq.x)", '[{"a.b":"dotted"}]'),
    ("todos?select=id&order=priority.desc&limit=2", '[{"id":4}, \n {"id":3}]'),
    ("todos?select=id&order=due.desc.nullslast,id.desc&limit=1", '[{"id":3}]'),
    ("todos?select=id&order=due.asc.nullsfirst,id.desc&limit=1", '[{"id":4}]'),
    ("todos?select=id&order=extra->n.desc.nullslast&limit=1", '[{"id":4}]'),
    ("todos?select=id&order=id&limit=1&offset=2", '[{"id":3}]'),
    ("todos?limit=0", "[]"),
    ("open_todos?select=title&id=eq.1", '[{"title":"buy milk"}]'),
]


async def test_selects(ask: Ask) -> None:
    assert {target: (await ask("GET", target, as_=ADMIN)).body.decode() for target, _ in SELECTS} == dict(SELECTS)


COUNTS = [
    ("todos?select=id&limit=2", "", 200, "0-1/*"),
    ("todos?select=id&limit=2", "count=exact", 206, "0-1/4"),
    ("todos?select=id&limit=2&offset=2", "count=exact", 206, "2-3/4"),
    ("todos?select=id&id=gt.2", "count=exact", 200, "0-1/2"),
    ("todos?select=id&id=gt.9", "count=exact", 200, "*/0"),
    ("todos?select=id&limit=0", "count=exact", 206, "*/4"),
    ("todos?select=id&offset=4", "count=exact", 206, "*/4"),
    ("todos?select=id&offset=9", "", 200, "*/*"),
    ("todos?select=id&offset=5", "count=exact", 416, "*/4"),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_counts(ask: Ask, method: str) -> None:
    for target, prefer, status, content_range in COUNTS:
        reply = await ask(method, target, as_=ADMIN, prefer=prefer)
        assert (target, reply.status, header(reply, "Content-Range")) == (target, status, content_range)
        assert status == 416 or header(reply, "Preference-Applied") == (prefer or None)
        assert method == "GET" or status == 416 or reply.body == b""


async def test_an_offset_beyond_the_rows_is_told(ask: Ask) -> None:
    reply = await ask("GET", "todos?offset=5", as_=ADMIN, prefer="count=exact")
    assert rows(reply) == {
        "code": "PGRST103",
        "details": "An offset of 5 was requested, but there are only 4 rows.",
        "hint": None,
        "message": "Requested range not satisfiable",
    }


RANGES = [
    ("0-1", "", "0-1/*"),
    ("1-", "", "1-3/*"),
    ("items=2-9", "", "2-3/*"),
    ("0-2", "&limit=1", "0-0/*"),
    ("1-2", "&offset=2", "2-2/*"),
    ("x", "", "0-3/*"),
]


async def test_range_header(ask: Ask) -> None:
    for asked, query, expected in RANGES:
        reply = await ask("GET", f"todos?select=id{query}", as_=ADMIN, range=asked)
        assert (asked, query, reply.status, header(reply, "Content-Range")) == (asked, query, 200, expected)


async def test_range_header_the_wrong_way_round(ask: Ask) -> None:
    reply = await ask("GET", "todos?select=id", as_=ADMIN, range="3-1")
    assert (reply.status, rows(reply)["code"]) == (416, "PGRST103")


async def test_no_more_rows_than_allowed(catalog: Catalog, ask: Ask, records: Records) -> None:
    object.__setattr__(records, "settings", RecordsSettings(max_rows=3))
    assert header(await ask("GET", "todos?select=id", as_=ADMIN, prefer="count=exact"), "Content-Range") == "0-2/4"
    assert header(await ask("GET", "todos?select=id&limit=9", as_=ADMIN), "Content-Range") == "0-2/*"
    assert header(await ask("GET", "todos?select=id&limit=1", as_=ADMIN), "Content-Range") == "0-0/*"


OBJECT = "application/vnd.pgrst.object+json"


async def test_one_row_as_an_object(ask: Ask) -> None:
    one = await ask("GET", "todos?select=id,title&id=eq.1", as_=ADMIN, accept=OBJECT)
    assert (one.status, one.body, one.media_type) == (200, b'{"id":1,"title":"buy milk"}', f"{OBJECT}; charset=utf-8")
    for query, count in (("id=eq.9", 0), ("id=gt.1", 3)):
        other = await ask("GET", f"todos?{query}", as_=ADMIN, accept=OBJECT)
        assert (other.status, rows(other)["code"]) == (406, "PGRST116")
        assert rows(other)["details"] == f"The result contains {count} rows"


async def test_nulls_can_be_left_out(ask: Ask) -> None:
    array = await ask(
        "GET", "todos?select=id,due&id=eq.1", as_=ADMIN, accept="application/vnd.pgrst.array+json;nulls=stripped"
    )
    assert (array.status, rows(array)) == (200, [{"id": 1}])
    one = await ask("GET", "todos?select=id,due&id=eq.1", as_=ADMIN, accept=f"{OBJECT};nulls=stripped")
    assert (one.status, one.body) == (200, b'{"id":1}')


ACCEPTED = [
    ("*/*", 200, None),
    ("application/json", 200, None),
    ("text/html, application/json;q=0.5", 200, None),
    ("text/html", 406, "PGRST107"),
    ("application/json;q=0", 406, "PGRST107"),
    ("application/openapi+json", 406, "PGRST107"),
]


async def test_accept(ask: Ask) -> None:
    for accept, status, code in ACCEPTED:
        reply = await ask("GET", "todos?select=id&limit=1", as_=ADMIN, accept=accept)
        assert (accept, reply.status, status == 200 or rows(reply)["code"]) == (accept, status, code or True)


async def test_another_schema(ask: Ask) -> None:
    await ask("POST", "things", {"id": 1, "name": "a"}, as_=ADMIN, content_profile="other")
    for target, headers in (("things", {"accept_profile": "other"}), ("/api/database/records/things?schema=other", {})):
        reply = await ask("GET", target, as_=ADMIN, **headers)
        assert rows(reply) == [{"id": 1, "name": "a"}]
        assert header(reply, "Content-Profile") == "other"
    unknown = await ask("GET", "things", as_=ADMIN, accept_profile="auth")
    assert (unknown.status, rows(unknown)["code"]) == (406, "PGRST106")
    assert rows(unknown)["hint"] == "Only the following schemas are exposed: public, other"
    assert (await ask("GET", "/api/database/records/things?schema=", as_=ADMIN)).status == 400
    assert (await ask("GET", "/api/database/records/things?schema=a&schema=b", as_=ADMIN)).status == 400


async def test_times_in_the_clients_zone(ask: Ask) -> None:
    reply = await ask("GET", "kinds?select=made&code=eq.one", as_=ADMIN, prefer="timezone=America/New_York")
    assert rows(reply) == [{"made": "2026-01-01T22:04:05-05:00"}]
    assert header(reply, "Preference-Applied") == "timezone=America/New_York"
    assert rows(await ask("GET", "kinds?select=made&code=eq.one", as_=ADMIN)) == [{"made": "2026-01-02T03:04:05+00:00"}]
    assert (await ask("GET", "kinds", as_=ADMIN, prefer="timezone=Nowhere/Land")).status == 400
