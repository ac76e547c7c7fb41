"""Tables changed: everything that is asked or nothing, on a real Postgres."""

import asyncio
from typing import Any

import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Database, Login
from headwater.platform.database.models import NamedTable
from tests.platform.database.desk import INJECTIONS, Desk, refused

NOTES = """
create table notes (id uuid primary key default gen_random_uuid(), title text not null, age text default '5',
                    created_at timestamptz default now(), updated_at timestamptz default now());
create table people (id uuid primary key default gen_random_uuid(), name text, constraint people_names unique (name));
"""
PEOPLE_KEY = {
    "referenceTable": "people",
    "referenceColumns": [{"sourceColumn": "person", "referenceColumn": "id"}],
    "onDelete": "CASCADE",
}


@pytest.fixture
async def desk(database: Database) -> Desk:
    made = Desk(database)
    await made.sql(NOTES)
    return made


async def test_all_of_the_contract_in_one_request(desk: Desk) -> None:
    await desk.alter("notes", addColumns=[{"columnName": "gone", "type": "string"}])
    answer = await desk.alter(
        "notes",
        dropColumns=["gone"],
        updateColumns=[{"columnName": "title", "newColumnName": "heading", "defaultValue": "none"}],
        addColumns=[{"columnName": "person", "type": "uuid", "isNullable": True, "isUnique": False}],
        addForeignKeys=[PEOPLE_KEY],
        renameTable={"newTableName": "remarks"},
    )
    assert answer == {
        "schemaName": "public",
        "message": "Table notes updated",
        "tableName": "notes",
        "operations": [
            "Dropped column: gone",
            "Updated column: title",
            "Added column: person",
            "Added foreign key constraint on column: person",
            "Renamed table from notes to remarks",
        ],
    }
    columns = await desk.columns("remarks")
    assert "gone" not in columns and "title" not in columns
    assert columns["heading"]["defaultValue"] == "none"
    assert columns["person"]["type"] == "uuid"
    dropped = await desk.alter("remarks", dropForeignKeys=["fk_person_people_id"])
    assert dropped["operations"] == ["Dropped foreign key constraint: fk_person_people_id"]


async def test_a_change_raises_the_catalogs_version(desk: Desk, database: Database) -> None:
    catalog = Catalog(database)
    await catalog.refresh()
    before = catalog.version
    await desk.alter("notes", addColumns=[{"columnName": "fresh", "type": "json"}])
    assert desk.forgets == ["catalog"]
    await catalog.refresh()
    assert catalog.version > before
    assert [c.name for c in catalog.current.relations["public", "notes"].columns][-1] == "fresh"


async def test_a_column_changes_its_type_with_its_values_and_its_default(desk: Desk) -> None:
    await desk.sql("insert into notes (title, age) values ('a', '41'), ('b', default)")
    await desk.alter("notes", updateColumns=[{"columnName": "age", "type": "integer"}])
    column = (await desk.columns("notes"))["age"]
    assert (column["type"], column["defaultValue"]) == ("integer", "5")
    assert [row["age"] for row in await desk.sql("insert into notes (title) values ('c') returning age")] == [5]
    assert [row["age"] for row in await desk.sql("select age from notes order by title")] == [41, 5, 5]


async def test_old_values_become_new_ones_as_they_are_told(desk: Desk) -> None:
    await desk.sql("insert into notes (title, age) values ('a', '41 years')")
    change = {"columnName": "age", "type": "numeric(6, 2)", "using": "split_part(age, ' ', 1)", "defaultValue": 7}
    await desk.alter("notes", updateColumns=[change])
    assert await desk.value("select age from notes") == "41.00"
    assert (await desk.columns("notes"))["age"]["defaultValue"] == "7"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"type": "integer"}, "Column age: invalid input syntax for type integer"),
        ({"type": "uuid"}, "Column age: invalid input syntax for type uuid"),
        ({"type": "date", "using": "upper(age)"}, "Column age: invalid input syntax for type date"),
        ({"type": "no_such_type"}, "Column age: type"),
        ({"isNullable": False}, "Column age: column"),
        ({"isUnique": True}, "Column age: could not create unique index"),
        ({"type": "integer", "defaultValue": "many", "using": "1"}, "Column age: invalid input syntax"),
        ({"newColumnName": "person"}, "Column age: column"),
    ],
)
async def test_what_does_not_fit_names_the_column_and_changes_nothing(
    desk: Desk, change: dict[str, Any], sentence: str
) -> None:
    await desk.sql("insert into notes (title, age) values ('a', 'old'), ('b', 'old'), ('c', null)")
    await desk.sql("create view titles as select title from notes")
    await desk.sql("alter table notes add person uuid")
    before = await desk.columns("notes")
    changes: dict[str, Any] = {"updateColumns": [{"columnName": "age", **change}]}
    if "newColumnName" not in change:
        changes |= {"addColumns": [{"columnName": "more", "type": "string"}], "dropColumns": ["person"]}
        told = await refused(400, "DATABASE_VALIDATION_ERROR", desk.alter("notes", **changes))
        assert told.startswith(sentence), told
    else:
        await refused(400, "DATABASE_VALIDATION_ERROR", desk.alter("notes", **changes))
    assert await desk.columns("notes") == before
    assert desk.forgets == []


async def test_a_used_column_is_told_by_its_user(desk: Desk) -> None:
    await desk.sql("create view titles as select title from notes")
    for changes in ({"dropColumns": ["title"]}, {"updateColumns": [{"columnName": "title", "type": "json"}]}):
        told = await refused(400, "DATABASE_VALIDATION_ERROR", desk.alter("notes", **changes))
        assert told.startswith("Column title: ") and "view titles" in told


async def test_nulls_and_uniqueness_come_and_go(desk: Desk) -> None:
    strict = [{"columnName": "age", "isNullable": False, "isUnique": True}]
    for _ in range(2):  # asking for what is so already is no fault
        await desk.alter("notes", updateColumns=strict)
        column = (await desk.columns("notes"))["age"]
        assert (column["isNullable"], column["isUnique"]) == (False, True)
    for _ in range(2):
        await desk.alter("notes", updateColumns=[{"columnName": "age", "nullable": True, "unique": False}])
        column = (await desk.columns("notes"))["age"]
        assert (column["isNullable"], column["isUnique"]) == (True, False)


@pytest.mark.parametrize("none", ["", None])
async def test_a_default_ends(desk: Desk, none: object) -> None:
    await desk.alter("notes", updateColumns=[{"columnName": "age", "defaultValue": none}])
    assert "defaultValue" not in (await desk.columns("notes"))["age"]


async def test_keys_come_and_go(desk: Desk) -> None:
    answer = await desk.alter(
        "people",
        dropKeys=["people_pkey", "people_names"],
        addColumns=[{"columnName": "town", "type": "string"}],
        addKeys=[
            {"columns": ["name", "town"], "constraintName": "where_who"},
            {"columns": ["id", "name"], "kind": "primary"},
        ],
    )
    assert answer["operations"] == [
        "Dropped key: people_pkey",
        "Dropped key: people_names",
        "Added column: town",
        "Added unique key: name, town",
        "Added primary key: id, name",
    ]
    keys = await desk.sql(
        "select conname, pg_get_constraintdef(oid) d from pg_constraint where contype in ('p', 'u') "
        "and conrelid = 'people'::regclass order by 1"
    )
    assert [key["d"] for key in keys] == ["PRIMARY KEY (id, name)", "UNIQUE (name, town)"]


async def test_comments_stand_in_the_database(desk: Desk) -> None:
    told = "it's; drop table notes --"
    await desk.alter(
        "notes",
        comment=told,
        updateColumns=[{"columnName": "age", "comment": told}],
        addColumns=[{"columnName": "more", "type": "string", "comment": told}],
    )
    read = (
        "select obj_description('notes'::regclass), col_description('notes'::regclass, 3) c3, "
        "col_description('notes'::regclass, 6) c6"
    )
    assert set((await desk.sql(read))[0].values()) == {told}
    described = await desk.ask(desk.admin.describe_table, NamedTable, table="notes")
    assert described["comment"] == told and described["rlsEnabled"] is False
    assert [c["columnName"] for c in described["columns"] if c.get("comment") == told] == ["age", "more"]
    await desk.alter("notes", comment=None)
    assert await desk.value("select obj_description('notes'::regclass)") is None


async def test_row_level_security_is_turned_on_and_off(desk: Desk) -> None:
    for wanted, word in ((True, "Enabled"), (False, "Disabled")):
        answer = await desk.alter("notes", rlsEnabled=wanted)
        assert answer["operations"] == [f"{word} row-level security"]
        assert await desk.value("select relrowsecurity from pg_class where oid = 'notes'::regclass") is wanted


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"dropColumns": ["id"]}, 403, "DATABASE_FORBIDDEN"),
        ({"updateColumns": [{"columnName": "created_at", "defaultValue": ""}]}, 403, "DATABASE_FORBIDDEN"),
        ({"updateColumns": [{"columnName": "title", "newColumnName": "id"}]}, 403, "DATABASE_FORBIDDEN"),
        ({"addColumns": [{"columnName": "id", "type": "string"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"dropColumns": ["title", "age"]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"dropColumns": ["nope"]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"dropColumns": ["age", "age"]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"dropColumns": ["age"], "updateColumns": [{"columnName": "age"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"updateColumns": [{"columnName": "nope"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"updateColumns": [{"columnName": "age", "using": "1"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"updateColumns": [{"columnName": "age", "newColumnName": "title"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"addColumns": [{"columnName": "age", "type": "string"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"addColumns": [{"columnName": "x" * 64, "type": "string"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"addColumns": [{"columnName": "x", "type": "string", "default": "\0"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"comment": "a\0b"}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"addForeignKeys": [PEOPLE_KEY]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"dropForeignKeys": ["notes_pkey"]}, 404, "DATABASE_NOT_FOUND"),
        ({"dropKeys": ["nope"]}, 404, "DATABASE_NOT_FOUND"),
        ({"addKeys": [{"columns": list[str]()}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"addKeys": [{"columns": ["nope"]}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"addKeys": [{"columns": ["title"], "kind": "primary"}]}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"renameTable": {"newTableName": ""}}, 400, "DATABASE_VALIDATION_ERROR"),
        ({"renameTable": {"newTableName": "people"}}, 409, "DATABASE_DUPLICATE"),
        ({"schema": "auth"}, 403, "DATABASE_FORBIDDEN"),
        ({"schema": "nowhere"}, 404, "DATABASE_NOT_FOUND"),
    ],
)
async def test_what_cannot_be_is_refused(desk: Desk, changes: dict[str, Any], status: int, code: str) -> None:
    before = await desk.columns("notes")
    assert await refused(status, code, desk.alter("notes", **changes))
    assert await desk.columns("notes") == before


@pytest.mark.parametrize("attack", INJECTIONS)
async def test_no_field_breaks_out_of_its_statement(desk: Desk, attack: str) -> None:
    await desk.sql("insert into notes (title) values ('a')")
    foreign = {"referenceTable": "people", "referenceColumns": [{"sourceColumn": attack, "referenceColumn": attack}]}
    attempts: list[dict[str, Any]] = [
        {"addColumns": [{"columnName": "a1", "type": attack}]},
        {"addColumns": [{"columnName": "a2", "type": "string", "defaultValue": attack}]},
        {"addColumns": [{"columnName": "a3", "type": "string", "comment": attack}]},
        {"updateColumns": [{"columnName": "age", "defaultValue": attack}]},
        {"updateColumns": [{"columnName": "age", "type": attack}]},
        {"updateColumns": [{"columnName": "age", "type": "string", "using": attack}]},
        {"updateColumns": [{"columnName": "age", "comment": attack}]},
        {"updateColumns": [{"columnName": attack, "newColumnName": "b"}]},
        {"dropColumns": [attack]},
        {"dropForeignKeys": [attack]},
        {"dropKeys": [attack]},
        {"addKeys": [{"columns": ["title"], "constraintName": attack}]},
        {"addKeys": [{"columns": [attack]}]},
        {"addForeignKeys": [PEOPLE_KEY | {"constraintName": attack}]},
        {"addForeignKeys": [PEOPLE_KEY | {"referenceTable": attack}]},
        {"addForeignKeys": [foreign]},
        {"comment": attack},
        {"schema": attack},
        {"updateColumns": [{"columnName": "age", "newColumnName": attack}]},
        {"addColumns": [{"columnName": attack + "2", "type": "string"}]},
        {"renameTable": {"newTableName": attack}},
    ]
    for changes in attempts:
        assert await desk.status(desk.alter("notes", **changes)) in {200, 400, 403, 404, 409}, changes
        assert await desk.value("select to_regclass('people') is not null") is True
    assert await desk.value("select count(*)::int from pg_tables where schemaname = 'public'") == 2


async def test_a_change_does_not_wait_forever_for_others(desk: Desk, database: Database) -> None:
    async with database.lease.held(Login.ADMIN) as other, other.transaction():
        await other.execute("select * from notes")
        told = await refused(
            409, "DATABASE_LOCKED", desk.alter("notes", addColumns=[{"columnName": "late", "type": "string"}])
        )
        assert "nothing was changed" in told
    await desk.alter("notes", addColumns=[{"columnName": "late", "type": "string"}])


async def test_of_two_at_once_both_are_seen_or_one_is_told(desk: Desk) -> None:
    wanted = [{"columnName": "same", "type": "string"}]
    answers = await asyncio.gather(
        desk.alter("notes", addColumns=wanted), desk.alter("notes", addColumns=wanted), return_exceptions=True
    )
    assert sorted(getattr(answer, "status", 200) for answer in answers) == [200, 400]
    last = await asyncio.gather(
        *(desk.alter("notes", dropColumns=[column]) for column in ("title", "age", "same")), return_exceptions=True
    )
    assert sorted(getattr(answer, "status", 200) for answer in last) == [200, 200, 400]
    assert len(await desk.columns("notes")) == 4


async def test_a_change_is_audited(desk: Desk, database: Database) -> None:
    await desk.alter("notes", rlsEnabled=True)
    row = await database.reading(lambda tx: tx.row("select * from system.audit_logs where action = 'UPDATE_TABLE'"))
    assert row is not None and "notes" in row["details"]
