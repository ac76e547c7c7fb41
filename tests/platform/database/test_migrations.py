"""Developers' migrations: applied once, wholly, in order; tried and undone, with their risks in words."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Connect, Database, Login, Transactions
from headwater.kernel.errors import Refusal
from headwater.kernel.principal import principal_from_claims
from headwater.platform.database.models import RiskCode, TriedSql, WantedMigration
from headwater.platform.database.operations import Migrations
from headwater.platform.database.parse import find_risks

ADMIN = principal_from_claims({"sub": "local:admin", "role": "project_admin"})
NOTES = "create table notes (id int primary key, body text);\nalter table notes enable row level security;"


def _wire(answer: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(answer))


class Desk:
    """A developer at work."""

    def __init__(self, database: Database, clock: DrivenClock) -> None:
        self.database = database
        self.migrations = Migrations(database=database, clock=clock)
        self.forgets: list[str] = []

    async def apply(self, version: str, sql: str, name: str = "a-step") -> Any:
        transactions = Transactions(self.database)
        body = msgspec.convert({"version": version, "name": name, "sql": sql}, WantedMigration)
        answer = await self.migrations.apply_migration(transactions, ADMIN, body)
        self.forgets = list(transactions.effects.forgets)
        return _wire(answer)

    async def history(self) -> list[Any]:
        told = await self.database.reading(lambda tx: self.migrations.list_migrations(tx, ADMIN, None))
        return _wire(told)["migrations"]

    async def dry_run(self, sql: str) -> Any:
        body = TriedSql(sql=sql)
        return _wire(await self.migrations.try_migration(Transactions(self.database), ADMIN, body))

    async def codes(self, sql: str) -> list[tuple[str, str]]:
        told = await self.dry_run(sql)
        return [(factor["code"], factor["level"]) for factor in told["riskFactors"]]


@pytest.fixture
def desk(database: Database, clock: DrivenClock) -> Desk:
    return Desk(database, clock)


@pytest.fixture
async def admin(connector: Connect) -> AsyncIterator[Any]:
    connection = await connector(Login.ADMIN)
    yield connection
    await connection.close()


async def refused(status: int, code: str, work: Any) -> str:
    with pytest.raises(Refusal) as caught:
        await work
    assert (caught.value.status, caught.value.code) == (status, code), caught.value.message
    return caught.value.message


async def test_a_migration_is_applied_and_remembered(desk: Desk, admin: Any) -> None:
    answer = await desk.apply("20260101", NOTES + "\n-- the end\n", "make-notes")
    assert answer == {
        "version": "20260101",
        "name": "make-notes",
        "statements": [
            "create table notes (id int primary key, body text)",
            "alter table notes enable row level security",
        ],
        "createdAt": "2030-01-01T00:00:00.000Z",
        "message": "Migration 20260101 applied",
    }
    assert desk.forgets == ["catalog"]
    await desk.apply("20260102", "insert into notes values (1, 'a;b')")
    assert await admin.fetchval("select body from notes") == "a;b"
    assert [step["version"] for step in await desk.history()] == ["20260102", "20260101"]
    owner = await admin.fetchval("select tableowner from pg_tables where tablename = 'notes'")
    assert owner == "project_admin"


@pytest.mark.parametrize("wrong", [{"version": "1\n"}, {"version": "1a"}, {"name": "a-step\n"}, {"name": "A step"}])
def test_versions_are_digits_and_names_are_slugs_and_nothing_follows_them(wrong: dict[str, str]) -> None:
    with pytest.raises(msgspec.ValidationError, match="regex"):
        msgspec.convert({"version": "1", "name": "a-step", "sql": "select 1"} | wrong, WantedMigration)


async def test_versions_only_rise(desk: Desk) -> None:
    await desk.apply("9", "select 1")
    await desk.apply("10", "select 1")
    for version in ("10", "9", "0010"):
        await refused(409, "DATABASE_MIGRATION_ALREADY_EXISTS", desk.apply(version, NOTES))
    assert len(await desk.history()) == 2


async def test_a_migration_that_fails_leaves_nothing_and_says_where(desk: Desk, admin: Any) -> None:
    sql = NOTES + "\n\ninsert into notes\n  values (1, nope);"
    told = await refused(400, "DATABASE_VALIDATION_ERROR", desk.apply("1", sql))
    assert told.startswith("Statement 3 failed at line 5, column 14:")
    assert "nope" in told
    assert "42703" in told
    assert await admin.fetchval("select to_regclass('notes')") is None
    assert await desk.history() == []
    await desk.apply("1", NOTES)


@pytest.mark.parametrize(
    "sql",
    ["begin", "commit; select 1", "set role postgres", "set search_path to auth", "create role x", "reset all"],
)
async def test_what_would_leave_the_transaction_is_forbidden(desk: Desk, sql: str) -> None:
    await refused(403, "FORBIDDEN", desk.apply("1", sql))
    told = await desk.dry_run(sql)
    assert told["valid"] is False
    assert "not allowed" in told["error"]


async def test_a_migration_is_no_way_into_the_servers_own_tables(desk: Desk) -> None:
    told = await refused(400, "DATABASE_VALIDATION_ERROR", desk.apply("1", "delete from system.custom_migrations"))
    assert "42501" in told
    assert "42501" in await refused(400, "DATABASE_VALIDATION_ERROR", desk.apply("1", "select * from system.secrets"))


async def test_of_two_at_once_one_is_told_that_the_other_was_first(desk: Desk) -> None:
    answers = await asyncio.gather(
        desk.apply("1", "select pg_sleep(0.2); create table a ()"),
        desk.apply("1", "select pg_sleep(0.2); create table b ()"),
        return_exceptions=True,
    )
    (refusal,) = [answer for answer in answers if isinstance(answer, BaseException)]
    assert isinstance(refusal, Refusal)
    assert refusal.code == "DATABASE_MIGRATION_ALREADY_EXISTS"
    assert len(await desk.history()) == 1


async def test_a_dry_run_really_runs_and_leaves_nothing(desk: Desk, admin: Any) -> None:
    told = await desk.dry_run(NOTES + "insert into notes values (1)")
    assert told == {
        "valid": True,
        "statementCount": 3,
        "statements": [*[part.strip() for part in NOTES.split(";")[:2]], "insert into notes values (1)"],
        "riskLevel": "SAFE",
        "riskFactors": [],
    }
    assert await admin.fetchval("select to_regclass('notes')") is None
    assert await desk.history() == []


async def test_a_dry_run_tells_postgres_own_error_and_its_place(desk: Desk, admin: Any) -> None:
    await admin.execute("create table people (id int); insert into people values (1), (1)")
    told = await desk.dry_run("select 1;\n-- é\nalter table people add primary key (id)")
    assert (told["valid"], told["sqlstate"], told["errorStatement"], told["errorLine"]) == (False, "23505", 2, 3)
    assert "Key (id)=(1) is duplicated" in told["error"]
    told = await desk.dry_run("select 1;\n  selekt 2")
    assert (told["valid"], told["errorLine"], told["errorColumn"]) == (False, 2, 3)
    told = await desk.dry_run("select 1;\n  select é from people")
    assert (told["errorLine"], told["errorColumn"], told["sqlstate"]) == (2, 10, "42703")


async def test_a_dry_run_does_not_wait_for_ever(desk: Desk, admin: Any) -> None:
    await admin.execute("create table people (id int)")
    async with admin.transaction():
        await admin.execute("select * from people")
        told = await desk.dry_run("alter table people add column name text")
    assert told["sqlstate"] == "55P03"


ROWS = "insert into big select n, 'x' from generate_series(1, 200000) n"
RISKS: list[tuple[str, list[tuple[str, str]]]] = [
    ("drop table few", [("DROPS_TABLE", "DANGER")]),
    ("drop table void", [("DROPS_TABLE", "WARNING")]),
    ("alter table few drop column name", [("DROPS_COLUMN", "DANGER")]),
    ("alter table few alter name type varchar(9)", [("CHANGES_TYPE", "WARNING"), ("REWRITES_TABLE", "WARNING")]),
    ("alter table big alter id type bigint", [("CHANGES_TYPE", "WARNING"), ("REWRITES_TABLE", "DANGER")]),
    ("alter table void alter name type varchar(9)", []),
    ("alter table few add column age int not null", [("NOT_NULL_WITHOUT_DEFAULT", "DANGER")]),
    ("alter table void add column age int not null", []),
    ("alter table few add column age int not null default 0", []),
    ("alter table few add column at timestamptz not null default now()", []),
    ("alter table few add column key uuid default gen_random_uuid()", [("REWRITES_TABLE", "WARNING")]),
    ("alter table big add column n bigserial", [("REWRITES_TABLE", "DANGER")]),
    ("alter table big alter name set not null", [("SCANS_TABLE", "DANGER")]),
    ("alter table few add check (id > 0)", [("SCANS_TABLE", "WARNING")]),
    ("alter table few add check (id > 0) not valid", []),
    ("alter table big add primary key (id)", [("BUILDS_INDEX", "DANGER")]),
    ("create index on few (name)", [("BUILDS_INDEX", "WARNING")]),
    ("create index on void (name)", []),
    ("delete from few", [("EMPTIES_TABLE", "DANGER")]),
    ("delete from few where id = 1", []),
    ("truncate big", [("EMPTIES_TABLE", "DANGER")]),
    ("update few set name = 'y'", [("CHANGES_EVERY_ROW", "DANGER")]),
    ("create table fresh (id int)", [("NO_ROW_SECURITY", "DANGER")]),
    ("create table fresh (id int); alter table public.fresh enable row level security", []),
    ("create table fresh as select * from few", [("NO_ROW_SECURITY", "DANGER")]),
    ("create temp table fresh (id int)", []),
    ("alter table few rename name to title", [("RENAMES", "WARNING")]),
    ("drop schema empty_one cascade", [("DROPS_DEPENDENTS", "DANGER")]),
    ("do $$ begin end $$", [("UNSEEN", "WARNING")]),
]


@pytest.fixture
async def tables(admin: Any) -> None:
    for name in ("few", "void", "big"):
        await admin.execute(f"create table {name} (id int, name text); alter table {name} enable row level security")
    await admin.execute("create schema empty_one")
    await admin.execute("insert into few values (1, 'x'), (2, 'y')")
    await admin.execute(ROWS)
    await admin.execute("analyze few, void, big")


async def test_risks_are_told_with_their_severity(desk: Desk, tables: None) -> None:
    assert {sql: await desk.codes(sql) for sql, _ in RISKS} == dict(RISKS)


async def test_a_risk_says_what_and_where_and_what_to_do_instead(desk: Desk, tables: None) -> None:
    told = await desk.dry_run("select 1; alter table big alter id type bigint")
    assert told["riskLevel"] == "DANGER"
    rewrite = told["riskFactors"][1]
    assert rewrite["statementNumber"] == 2
    assert rewrite["statement"] == "alter table big alter id type bigint"
    assert "about 200,000 rows" in rewrite["description"]
    assert "ACCESS EXCLUSIVE" in rewrite["description"]
    assert rewrite["advice"]


async def test_what_needs_no_transaction_is_told_before_it_fails(desk: Desk, tables: None) -> None:
    told = await desk.dry_run("create index concurrently on few (name)")
    assert told["valid"] is False
    assert told["riskFactors"][0]["code"] == "NO_TRANSACTION"
    assert told["sqlstate"] == "25001"


def test_every_code_has_a_sentence() -> None:
    from headwater.platform.database.rules.risks import _SENTENCES

    assert set(_SENTENCES) == set(RiskCode)


def test_a_table_made_in_the_same_text_is_no_risk() -> None:
    assert find_risks(NOTES + "create index on notes (body); delete from notes; alter table notes drop body") == ()
