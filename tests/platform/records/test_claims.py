"""The claims are there when the policies look, in every kind of statement, and gone when it ends."""

import asyncio
import re
from contextlib import suppress

import asyncpg
import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Database, Login, Transactions
from headwater.kernel.principal import Principal
from headwater.platform.records import Records
from tests.kit.database import Cluster
from tests.platform.records.conftest import ADMIN, Ask, person, raw_request, rows

BACK = "return=representation"
CLAIMS = "select current_setting('request.jwt.claims')"
KINDS = [
    ("GET", "todos?select=id,title&priority=gte.0&order=id&limit=10", None),
    ("GET", "todos?id=eq.1", None),
    ("GET", "todos?select=id&limit=1", None),
    ("GET", "open_todos?title=like.a*", None),
    ("POST", "todos", b'{"title": "x"}'),
    ("POST", "todos?columns=title", b'[{"title": "x"}, {"title": "y"}]'),
    ("PATCH", "todos?priority=gte.0", b'{"title": "x"}'),
    ("PATCH", "todos?id=eq.1", b'{"title": "x"}'),
    ("DELETE", "todos?id=eq.1", b""),
    ("DELETE", "todos", b""),
]


def prepared(records: Records, method: str, target: str, body: bytes | None, prefer: str) -> tuple[str, list[object]]:
    ready = records.prepare(raw_request(method, target, body or b"", {"prefer": prefer}))
    return ready.prepared.statement.sql, ready.arguments


@pytest.mark.parametrize("prefer", [BACK, "count=exact"])
async def test_no_plan_touches_rows_before_the_gate(records: Records, connector: Connect, prefer: str) -> None:
    connection = await connector(Login.AUTHENTICATED)
    for method, target, body in KINDS:
        sql, arguments = prepared(records, method, target, body, prefer)
        for mode in ("force_custom_plan", "force_generic_plan"):
            await connection.execute(f"set plan_cache_mode = {mode}")
            await connection.execute("begin")
            plan = await connection.fetch(f"explain (costs off) {sql}", "{}", *arguments)
            await connection.execute("rollback")
            text = "\n".join(line for (line,) in plan)
            # the outer side of the one nested loop is the gate; all else hangs below a filter on what it gives,
            # or in the change that only the scan below that filter pulls
            gate, _, rest = text.partition("->  Aggregate")
            assert text.startswith("Nested Loop"), text
            assert gate.rstrip().endswith("->  Result"), text
            assert "One-Time Filter" in rest, text
            if "CTE written" in gate:
                assert re.search(r"One-Time Filter.*\n\s+->  CTE Scan on written", rest), text
            else:
                assert "Scan" not in gate, text
    await connection.close()


async def test_five_hundred_of_five_hundred(ask: Ask) -> None:
    for number in range(5):
        await ask("POST", "todos", [{"title": f"{number}.{n}"} for n in range(3)], as_=person(number))

    async def one(number: int) -> bool:
        caller = person(number % 5)
        reply = await ask("GET", "todos?select=owner,title&order=id", as_=caller, prefer="count=exact")
        return rows(reply) == [{"owner": caller.id, "title": f"{number % 5}.{n}"} for n in range(3)]

    right = sum([sum(await asyncio.gather(*(one(n + k) for k in range(10)))) for n in range(50)])
    assert right == 500


async def test_writes_see_their_own_claims_only(ask: Ask) -> None:
    for number in range(3):
        await ask("POST", "todos", {"title": "old"}, as_=person(number))

    async def change(number: int) -> list[str]:
        caller = person(number % 3)
        changed = await ask("PATCH", "todos?title=neq.x&select=owner", {"title": f"{number}"}, as_=caller, prefer=BACK)
        return [row["owner"] for row in rows(changed)]

    found = [await asyncio.gather(*(change(n + k) for k in range(6))) for n in range(20)]
    assert found == [[[person((n + k) % 3).id] for k in range(6)] for n in range(20)]
    for number in range(3):
        gone = await ask("DELETE", "todos?select=owner", as_=person(number), prefer=BACK)
        assert rows(gone) == [{"owner": person(number).id}]


@pytest.mark.parametrize("login", [Login.ANON, Login.AUTHENTICATED, Login.ADMIN])
async def test_nothing_stays_behind(records: Records, connector: Connect, login: Login) -> None:
    connection = await connector(login)
    broken = [("GET", "todos?title=match.(", None), ("POST", "todos", b'{"title": null}')]
    for method, target, body in [*KINDS, *broken]:
        sql, arguments = prepared(records, method, target, body, BACK)
        with suppress(asyncpg.PostgresError):
            await connection.fetchrow(sql, person(1).claims_json, *arguments)
        left = await connection.fetchrow(
            "select current_setting('request.jwt.claims') as claims, current_setting('search_path') as path,"
            " current_setting('transaction_read_only') as reading, current_setting('role') as role, uid() as uid"
        )
        assert left is not None
        role = {"headwater_anon": "anon", "headwater_admin": "project_admin"}.get(login, "authenticated")
        assert dict(left) == {"claims": "{}", "path": "public", "reading": "off", "role": role, "uid": None}
    await connection.close()


async def test_claims_may_hold_anything(ask: Ask, records: Records, database: Database) -> None:
    nasty = '{"sub":"00000000-0000-4000-8000-000000000001","role":"authenticated","x":"\'); select 1 --\\u0027 $1 ü"}'
    caller = Principal(kind=person(1).kind, role="authenticated", key="x", id=person(1).id, claims_json=nasty)
    await ask("POST", "todos", {"title": "mine"}, as_=caller)
    request = raw_request("GET", "todos?select=title")
    reply = await records.read_rows(Transactions(database), caller, request)
    assert reply.body == b'[{"title":"mine"}]'


async def test_after_triggers_and_deferred_checks_see_the_claims(
    ask: Ask, connector: Connect, catalog: Catalog
) -> None:
    admin = await connector(Login.ADMIN)
    await admin.execute(
        "create table log (who uuid, why text);"
        "create function note() returns trigger language plpgsql security definer as"
        " $$ begin insert into log values (uid(), tg_name); return null; end $$;"
        "create trigger at_once after insert on loose for each row execute function note();"
        "create constraint trigger at_commit after insert on loose deferrable initially deferred"
        " for each row execute function note();"
    )
    await admin.close()
    await catalog.refresh()
    assert (await ask("POST", "loose", {"note": "x"}, as_=person(7))).status == 201
    admin = await connector(Login.ADMIN)
    seen = await admin.fetch("select who::text, why from log order by why")
    await admin.close()
    assert [tuple(row) for row in seen] == [(person(7).id, "at_commit"), (person(7).id, "at_once")]


async def test_the_planner_uses_the_key(records: Records, connector: Connect) -> None:
    admin = await connector(Login.ADMIN)
    await admin.execute("insert into todos (title, owner) select 'x', gen_random_uuid() from generate_series(1, 2000)")
    await admin.execute("analyze todos")
    await admin.close()
    connection = await connector(Login.AUTHENTICATED)
    for method, body in (("GET", None), ("PATCH", b'{"title": "x"}'), ("DELETE", b"")):
        sql, arguments = prepared(records, method, "todos?id=eq.5", body, BACK)
        for mode in ("force_custom_plan", "force_generic_plan"):
            await connection.execute(f"set plan_cache_mode = {mode}")
            plan = "\n".join(line for (line,) in await connection.fetch(f"explain {sql}", "{}", *arguments))
            assert "Index Scan using todos_pkey" in plan, plan
    await connection.close()


async def test_a_deadlock_is_tried_again(ask: Ask, cluster: Cluster, database_name: str) -> None:
    await ask("POST", "pairs", [{"a": 1, "b": 1}, {"a": 2, "b": 2}], as_=ADMIN)
    other = await cluster.superuser(database_name)
    await other.execute("set deadlock_timeout = '10s'")  # so that the one to give way is the request
    await other.execute("begin; update pairs set note = 'other' where a = 2")
    change = asyncio.create_task(ask("PATCH", "pairs?order=a", {"note": "mine"}, as_=ADMIN, prefer="count=exact"))
    while not await other.fetchval("select exists (select from pg_locks where not granted)"):  # noqa: ASYNC110 - PostgreSQL rings no bell
        await asyncio.sleep(0.02)
    await other.execute("update pairs set note = 'other' where a = 1; commit")
    reply = await change
    assert (reply.status, reply.headers[0]) == (204, ("Content-Range", "0-1/2"))
    assert [row["note"] for row in rows(await ask("GET", "pairs", as_=ADMIN))] == ["mine", "mine"]
    await other.close()


PARTITIONED = """
create table parts (owner uuid not null default uid(), note text) partition by list (owner);
create table parts_1 partition of parts for values in ('00000000-0000-4000-8000-000000000001');
create table parts_2 partition of parts for values in ('00000000-0000-4000-8000-000000000002');
alter table parts enable row level security;
create policy own on parts to authenticated using (owner = uid()) with check (owner = uid());
create view shown with (security_invoker = on) as select * from parts;
create view shown_again with (security_invoker = on) as select note from shown;
create table guarded (note text);
insert into guarded values ('for members');
alter table guarded enable row level security;
create policy members on guarded to authenticated using (exists (select from parts p where p.owner = uid()));
"""


async def test_partitions_are_chosen_by_the_callers_claims(ask: Ask, connector: Connect, catalog: Catalog) -> None:
    admin = await connector(Login.ADMIN)
    await admin.execute(PARTITIONED)
    await admin.close()
    await catalog.refresh()
    for number in (1, 2):
        made = await ask("POST", "parts?select=note", {"note": f"of {number}"}, as_=person(number), prefer=BACK)
        assert (made.status, rows(made)) == (201, [{"note": f"of {number}"}])
    for target in ("parts?select=note", "shown?select=note", "shown_again"):
        assert rows(await ask("GET", target, as_=person(2), prefer="count=exact")) == [{"note": "of 2"}], target
    assert rows(await ask("GET", "guarded", as_=person(2))) == [{"note": "for members"}]
    assert rows(await ask("GET", "guarded", as_=person(3))) == []
    changed = await ask("PATCH", "parts?select=note", {"note": "x"}, as_=person(1), prefer=BACK)
    assert rows(changed) == [{"note": "x"}]
    refused = await ask("DELETE", "parts?note=neq.x", as_=person(1), accept="application/vnd.pgrst.object+json")
    assert (refused.status, rows(refused)["details"]) == (406, "The result contains 0 rows")
    assert rows(await ask("DELETE", "shown?select=note", as_=person(2), prefer=BACK)) == [{"note": "of 2"}]
    assert rows(await ask("GET", "parts?select=note", as_=ADMIN)) == [{"note": "x"}]
