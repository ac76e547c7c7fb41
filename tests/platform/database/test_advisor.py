"""What the advisor finds, and that the SQL it offers mends it, on a real Postgres."""

from typing import Any

import asyncpg
import httpx
import pytest

from headwater.kernel.database import Database, Login
from headwater.platform.database.models import AskedAdvice
from headwater.platform.database.parse import calls_per_row, compared_columns, wrap_calls
from tests.kit.server import RunningServer
from tests.platform.database.desk import USER, Desk, refused


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


async def findings(desk: Desk, **asked: Any) -> list[dict[str, Any]]:
    return (await desk.read(desk.advisor.advise, AskedAdvice, **asked))["findings"]


async def codes(desk: Desk, **asked: Any) -> set[tuple[str, str]]:
    return {(finding["code"], finding["object"]["name"]) for finding in await findings(desk, **asked)}


async def test_a_fresh_database_is_in_order(desk: Desk) -> None:
    report = await desk.read(desk.advisor.advise, AskedAdvice)
    assert report == {"findings": [], "summary": {"error": 0, "warning": 0, "info": 0}}


async def test_a_table_made_by_the_api_lacks_only_its_policies(desk: Desk) -> None:
    await desk.sql("create table t (id int primary key); alter table t enable row level security")
    assert await codes(desk) == {("no_policy", "t")}


USERS_TABLE = "create table t (id int primary key, owner uuid references auth.users (id)); create index on t (owner); "
SECURE = "alter table t enable row level security; "
ODD = 'create schema "Odd ""one"; create table "Odd ""one"."T;" (id int primary key, "A b" uuid); '
AMISS: list[tuple[str, str, str, str]] = [
    ("row_security_off", "t", "error", "create table t (id int primary key)"),
    ("no_policy", "t", "info", "create table t (id int primary key);" + SECURE),
    ("no_policy", "t", "info", USERS_TABLE + SECURE),
    ("no_policy", "t", "info", USERS_TABLE + SECURE + "create policy p on t to project_admin using (true)"),
    ("no_primary_key", "t", "warning", "create table t (id int)"),
    ("no_primary_key", "t", "warning", "create table t (id int, row_id int, key int, primary_id int)"),
    ("no_primary_key", "t", "warning", "create table t (a int not null, b int not null, unique (a, b), unique (b, a))"),
    ("no_primary_key", "t", "warning", "create table t (a int, unique (a))"),
    ("unindexed_foreign_key", "t_owner_fkey", "warning", USERS_TABLE.replace("create index on t (owner);", "")),
    (
        "unindexed_foreign_key",
        "two",
        "warning",
        (
            "create table u (a int, b int, primary key (a, b)); "
            "create table t (id int primary key, x int, y int, constraint two foreign key (x, y) references u); "
            "create index on t (id, x, y); create index on t (x, id, y); create index on t (x, y) where x > 0"
        ),
    ),
    ("duplicate_index", "t_b", "warning", "create table t (id int primary key); create unique index t_b on t (id)"),
    (
        "duplicate_index",
        "t_c",
        "warning",
        (
            "create table t (id int primary key, b text); create index t_b on t (lower(b) desc) where id > 3; "
            "create index t_c on t (lower(b) desc) where id > 3"
        ),
    ),
    (
        "duplicate_index",
        "again",
        "warning",
        "create table t (id int primary key, b int unique); alter table t add constraint again unique (b)",
    ),
    (
        "policy_per_row",
        "p",
        "warning",
        USERS_TABLE + SECURE + "create policy p on t using (owner = auth.uid()) with check (auth.role() <> 'anon')",
    ),
    (
        "policy_per_row",
        "p",
        "warning",
        USERS_TABLE + SECURE + "create policy p on t using ("
        "(current_setting('request.jwt.claims', true)::json ->> 'org') = 'ä'"
        " or exists (select from t other where other.owner = auth.uid() and (auth.jwt() ->> 'a') = '('))",
    ),
    (
        "unindexed_policy_column",
        "p",
        "warning",
        "create table t (id int primary key, org text);"
        + SECURE
        + "create policy p on t using (org = (select auth.jwt() ->> 'org'))",
    ),
    (
        "open_search_path",
        "f",
        "warning",
        (
            "create table t (id int primary key); create function f(a int, b \"char\" default 'x') returns bigint"
            " language sql security definer as 'select count(*) from t'"
        ),
    ),
    (
        "view_bypasses_policies",
        "v",
        "error",
        "create table t (id int primary key);" + SECURE + "create view v as select * from t",
    ),
    (
        "row_security_off",
        "T;",
        "error",
        ODD + 'grant all on schema "Odd ""one" to anon; grant all on "Odd ""one"."T;" to anon',
    ),
    (
        "unindexed_policy_column",
        'p"',
        "warning",
        ODD + 'create policy "p""" on "Odd ""one"."T;" using ("A b" = (select auth.uid()))',
    ),
]


@pytest.mark.parametrize(("code", "name", "severity", "made"), AMISS)
async def test_what_is_amiss_is_found_and_mended(desk: Desk, code: str, name: str, severity: str, made: str) -> None:
    await desk.sql(made)
    found = [f for f in await findings(desk) if (f["code"], f["object"]["name"]) == (code, name)]
    assert len(found) == 1, await findings(desk)
    (finding,) = found
    assert finding["severity"] == severity and finding["message"] and finding["category"]
    assert name.strip('"') in finding["message"] or finding["object"]["table"] in finding["message"]
    await desk.sql(finding["sql"])
    assert (code, name) not in await codes(desk), finding["sql"]


IN_ORDER = [
    (
        "create table t (id int primary key, owner uuid references auth.users (id)); "
        "create index on t (owner) where owner is not null; "
    )
    + SECURE
    + "create policy p on t using (true)",
    USERS_TABLE + SECURE + "create policy p on t using ((select auth.uid()) = owner)",
    USERS_TABLE + SECURE + "create policy p on t using (owner in (select (select auth.uid())))",
    "create table t (id int primary key, open bool);" + SECURE + "create policy p on t using (open = true or id = 3)",
    "create table t (id int primary key);" + SECURE + "create policy p on t using (true);"
    "create view v with (security_invoker) as select * from t",
    "create table t (id int primary key, a int, b int, c int);" + SECURE + "create policy p on t using (false);"
    "create index on t (a, b); create index on t (b, a); create index on t (a desc, b);"
    "create index on t (a, b) where c > 1;"
    "create index on t using hash (a); create unique index on t (a, b) include (c)",
    "create function f() returns int language sql security definer set search_path = '' as 'select 1'",
    "create schema hidden; create table hidden.t (id int primary key)",
    "create table t (id int primary key, a int, b int, foreign key (a, b) references t2);"
    "create index on t (b, a, id);" + SECURE + "create policy p on t using (true);",
]


@pytest.mark.parametrize("made", IN_ORDER)
async def test_what_is_in_order_is_left_alone(desk: Desk, made: str) -> None:
    if "t2" in made:
        await desk.sql(
            "create table t2 (a int, b int, primary key (a, b)); alter table t2 enable row level security; "
            "create policy p on t2 using (true)"
        )
    await desk.sql(made)
    assert await codes(desk) == set()


async def test_the_owner_policy_lets_owners_at_their_own_rows(desk: Desk) -> None:
    await desk.sql(USERS_TABLE + SECURE)
    (finding,) = await findings(desk)
    await desk.sql(finding["sql"])
    assert await findings(desk) == []
    assert await desk.as_role(USER, "select * from t") == []


async def test_a_mended_policy_means_what_it_meant(desk: Desk) -> None:
    await desk.sql(
        "create table t (id int primary key, owner uuid);"
        + SECURE
        + f"insert into t values (1, '{USER.id}'), (2, null);"
        "create policy p on t using (case when owner = auth.uid() then auth.role() = 'authenticated' end)"
    )
    before = await desk.as_role(USER, "select id from t")
    for finding in await findings(desk):
        await desk.sql(finding["sql"])
    assert before == await desk.as_role(USER, "select id from t") == [{"id": 1}]
    qual = await desk.value("select qual from pg_policies where policyname = 'p'")
    assert " ".join(qual.split()) == (
        "CASE WHEN (owner = ( SELECT auth.uid() AS uid)) THEN (( SELECT auth.role() AS role) = 'authenticated'::text)"
        " ELSE NULL::boolean END"
    )


async def test_a_remainder_of_a_failed_build_is_found(desk: Desk, database: Database) -> None:
    await desk.sql("create table t (id int primary key, a int); insert into t values (1, 1), (2, 1)")
    async with database.lease.held(Login.ADMIN) as connection:
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("create unique index concurrently rest on t (a)")
    (finding,) = [finding for finding in await findings(desk) if finding["code"] == "invalid_index"]
    await desk.sql(finding["sql"])
    assert ("invalid_index", "rest") not in await codes(desk)


async def test_findings_can_be_narrowed(desk: Desk) -> None:
    await desk.sql("create schema shop; create table shop.a (n int); create table b (n int)")
    assert await codes(desk, schema="shop") == {("no_primary_key", "a")}
    assert await codes(desk, category="security") == {("row_security_off", "b")}
    assert await codes(desk, severity="warning") == {("no_primary_key", "a"), ("no_primary_key", "b")}
    assert [finding["severity"] for finding in await findings(desk)] == ["error", "warning", "warning"]
    await refused(404, "DATABASE_NOT_FOUND", findings(desk, schema="nowhere"))


def test_it_is_asked_over_http(server: RunningServer) -> None:
    server.sql("create table amiss (n int)")
    with server.client(server.admin_key) as client:
        report = client.get("/api/database/advisor", params={"severity": "error"}).json()
        assert [finding["object"]["name"] for finding in report["findings"]] == ["amiss"]
        assert report["summary"] == {"error": 1, "warning": 0, "info": 0}
        wrong: httpx.Response = client.get("/api/database/advisor", params={"severity": "dire"})
        assert (wrong.status_code, wrong.json()["error"]) == (400, "INVALID_INPUT")
    server.sql("drop table amiss")


@pytest.mark.parametrize(
    ("expression", "calls", "wrapped"),
    [
        ("(a = auth.uid())", ["auth.uid()"], "(a = (select auth.uid()))"),
        ("(a = ( SELECT auth.uid() AS uid))", [], None),
        ("(a = f(auth.uid(), '('))", ["auth.uid()"], "(a = f((select auth.uid()), '('))"),
        ("(\"ä)\" = (auth.jwt() ->> 'ö('))", ["auth.jwt()"], "(\"ä)\" = ((select auth.jwt()) ->> 'ö('))"),
        ("(current_setting('a'::text, (1 > 2)) = b)", ["current_setting('a'::text, (1 > 2))"], None),
        ("(current_setting(name) = b)", [], None),
        ("(other.uid() = uid())", [], None),
        ("(EXISTS ( SELECT 1 FROM m WHERE (m.u = auth.uid())))", ["auth.uid()"], None),
    ],
)  # fmt: skip
def test_calls_are_seen_and_wrapped(expression: str, calls: list[str], wrapped: str | None) -> None:
    assert list(calls_per_row(expression)) == calls
    mended = wrap_calls(expression)
    assert calls_per_row(mended) == ()
    if wrapped is not None or not calls:
        assert mended == (wrapped or expression)


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("(owner = auth.uid())", ["owner"]),
        ("(( SELECT auth.uid() AS uid) = owner)", ["owner"]),
        ("(t.owner = auth.uid())", ["owner"]),
        ("(owner IN ( SELECT m.u FROM m WHERE (m.org = auth.uid())))", ["owner"]),
        ("(owner = ANY (ARRAY[auth.uid()]))", ["owner"]),
        ("(owner = ANY (ARRAY['a'::text, 'b'::text]))", []),
        ("((owner = auth.uid()) OR (org = (auth.jwt() ->> 'org'::text)))", ["owner", "org"]),
        ("(owner = org)", []),
        ("(owner = 'x'::text)", []),
        ("(owner <> auth.uid())", []),
        ("((owner)::text = (auth.uid())::text)", []),
        ("(EXISTS ( SELECT 1 FROM m WHERE ((m.org = t.org) AND (m.u = auth.uid()))))", []),
        ("true", []),
    ],
)
def test_columns_that_pick_rows_are_seen(expression: str, columns: list[str]) -> None:
    assert sorted(compared_columns(expression, "t", {"owner", "org"})) == sorted(columns)
