"""Files of many rows: whole or not at all, quickly, and with the row and the column of what is wrong."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Database, Login, Transactions
from headwater.kernel.errors import Refusal
from headwater.kernel.models import RawRequest
from headwater.kernel.principal import principal_from_claims
from headwater.platform.database.operations import Loads

ADMIN = principal_from_claims({"sub": "local:admin", "role": "project_admin"})
TABLES = """
create table people (
  id int primary key, name text not null, email text unique, age int check (age >= 0), born date,
  tags text[], extra jsonb, team int, made timestamptz default now()
);
create table teams (id int primary key);
alter table people add constraint of_a_team foreign key (team) references teams (id);
alter table people enable row level security;
insert into teams values (1);
insert into people (id, name, age) values (1, 'Ann', 30), (2, 'Bob', 40);
"""


def request(content: bytes, filename: str = "people.csv", **fields: str) -> RawRequest:
    """A form as browsers send it."""
    fields = {"table": "people"} | fields
    parts = [f'--xyz\r\ncontent-disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields.items()]
    head = (
        f'--xyz\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: text/csv\r\n\r\n'
    )
    body = b"".join([*parts, head.encode(), content, b"\r\n--xyz--\r\n"])
    return raw(body, {"content-type": 'multipart/form-data; boundary="xyz"'})


def raw(body: bytes, headers: Mapping[str, str], query: str = "") -> RawRequest:
    return RawRequest(
        method="POST", path="/", parameters={}, query=query, headers=headers, body=body, address="", id="request-1"
    )


class Desk:
    """The admin with a file."""

    def __init__(self, database: Database, connection: Any) -> None:
        self.loads = Loads(database, Catalog(database))
        self.database = database
        self.connection = connection

    async def load(self, content: str | bytes, filename: str = "people.csv", **fields: str) -> Any:
        encoded = content.encode() if isinstance(content, str) else content
        return await self.send(request(encoded, filename, **fields))

    async def send(self, body: RawRequest) -> Any:
        answer = await self.loads.bulk_upsert(Transactions(self.database), ADMIN, body)
        return msgspec.json.decode(msgspec.json.encode(answer))

    async def rows(self, columns: str = "id, name, age") -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.connection.fetch(f"select {columns} from people order by id")]


@pytest.fixture
async def desk(database: Database, connector: Connect) -> AsyncIterator[Desk]:
    connection = await connector(Login.ADMIN)
    await connection.execute(TABLES)
    yield Desk(database, connection)
    await connection.close()


async def refused(status: int, code: str, work: Any) -> str:
    with pytest.raises(Refusal) as caught:
        await work
    assert (caught.value.status, caught.value.code) == (status, code), caught.value.message
    return caught.value.message


BEFORE = [(1, "Ann", 30), (2, "Bob", 40)]


async def test_a_csv_becomes_rows(desk: Desk) -> None:
    answer = await desk.load('﻿id,name,age,born\r\n3,"Eve, ""the"" first\n",,2000-02-29\r\n4,Zoë,"",\r\n')
    assert answer == {
        "success": True,
        "message": "2 of 2 rows written",
        "table": "people",
        "rowsAffected": 2,
        "totalRecords": 2,
        "filename": "people.csv",
    }
    assert await desk.rows() == [*BEFORE, (3, 'Eve, "the" first\n', None), (4, "Zoë", None)]
    assert await desk.connection.fetchval("select count(made) from people where id > 2") == 2


async def test_json_keeps_what_is_written(desk: Desk) -> None:
    rows: list[dict[str, Any]] = [
        {"id": 3, "name": "a\tb\\n\nc", "tags": ["x", "y,z", None], "extra": {"n": [1, "\n"]}, "age": None},
        {"id": 4, "name": "null", "tags": [], "extra": None, "age": 7},
    ]
    assert (await desk.load(msgspec.json.encode(rows), "p.json"))["rowsAffected"] == 2
    assert (await desk.rows("id, name, tags, extra #>> '{n,1}', age"))[2:] == [
        (3, "a\tb\\n\nc", ["x", "y,z", None], "\n", None),
        (4, "null", [], None, 7),
    ]
    assert (await desk.load(b'{"id": 5, "name": "x"}\n{"id": 6, "name": "y"}\n', "p.ndjson"))["totalRecords"] == 2
    assert (await desk.load(b"[]", "p.json"))["totalRecords"] == 0


async def test_json_numbers_are_not_rounded(desk: Desk) -> None:
    await desk.connection.execute("alter table people add column worth numeric")
    await desk.load(b'[{"id": 3, "name": "x", "worth": 12345678901234567890.12345678901234567890}]', "p.json")
    assert (
        await desk.connection.fetchval("select worth::text from people where id = 3")
        == "12345678901234567890.12345678901234567890"
    )


async def test_a_key_changes_rows_that_are_there(desk: Desk) -> None:
    answer = await desk.load("id,name\n2,Rob\n3,Eve\n", upsertKey="id")
    assert (answer["rowsAffected"], answer["totalRecords"]) == (2, 2)
    assert await desk.rows() == [(1, "Ann", 30), (2, "Rob", 40), (3, "Eve", None)]
    assert (await desk.load("id\n1\n2\n", table="teams", upsertKey="id"))["rowsAffected"] == 1
    assert (await desk.load('[{"email": "e@x", "id": 9, "name": "N"}]', "a.json", upsertKey="email"))[
        "rowsAffected"
    ] == 1


WRONG: list[tuple[str, dict[str, str], int, list[str]]] = [
    ("id,name,age\n3,Eve,1\n4,Zoe,old\n", {}, 400, ["line 3, column age", '"old"', "22P02"]),
    ("id,name\n3,Eve\n4,Zoe,5\n", {}, 400, ["line 3", "extra data"]),
    ("id,name\n3,Eve\n4,\n5,\n", {"upsertKey": "id"}, 400, ["row 2, column name", "23502"]),
    ("id,name\n3,Eve\n2,Bob\n", {}, 409, ["line 3", "(id)=(2)", "23505"]),
    ("id,name,email\n3,Eve,a@x\n4,Zoe,a@x\n", {"upsertKey": "id"}, 409, ["row 2, column email", "23505"]),
    ("id,name,age\n3,Eve,1\n4,Zoe,-1\n", {}, 400, ["line 3", "23514"]),
    ("id,name,age\n3,Eve,1\n4,Zoe,-1\n", {"upsertKey": "id"}, 400, ["row 2, column age", "23514"]),
    ("id,name,team\n3,Eve,1\n4,Zoe,9\n5,Amy,1\n", {}, 400, ["row 2, column team", "23503"]),
    ("id,name\n3,Eve\n3,Zoe\n", {"upsertKey": "id"}, 409, ["id = 3"]),
    ("id,nome\n3,Eve\n", {}, 400, ["'nome'", "no column of people"]),
    ("id,id\n3,4\n", {}, 400, ["twice"]),
    ("id,name\n3,Eve\n", {"upsertKey": "email"}, 400, ["upsertKey", "'email'"]),
    ("id,name\n3,Eve\n", {"upsertKey": "name"}, 400, ["no primary key or unique constraint"]),
    ("", {}, 400, ["header"]),
    ('id,name\n3,"Eve\n', {}, 400, ["unterminated"]),
    ("id,name\n3,Eve\n", {"delimiter": "x"}, 400, ["delimiter"]),
    ("id,name\n3,Eve\n", {"id": "a b"}, 400, ["id:"]),
]


@pytest.mark.parametrize(("content", "fields", "status", "words"), WRONG)
async def test_what_is_wrong_is_named_and_nothing_is_written(
    desk: Desk, content: str, fields: dict[str, str], status: int, words: list[str]
) -> None:
    with pytest.raises(Refusal) as caught:
        await desk.load(content, **fields)
    assert caught.value.status == status, caught.value.message
    assert [word for word in words if word not in caught.value.message] == [], caught.value.message
    assert await desk.rows() == BEFORE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{"id": 3, "name": "x"}, {"id": 4}]', ["row 2", "lacks 'name'"]),
        ('[{"id": 3}, {"id": 4, "name": "x"}]', ["row 2", "has 'name'"]),
        ('[{"id": 3, "name": "x"}, {"id": "four", "name": "y"}]', ["row 2, column id", '"four"']),
        ('[{"id": 3, "name": "x"}, {"id": 4, "name": null}]', ["row 2, column name"]),
        ('{"id": 3}', ["array of objects"]),
        ("[1]", ["array of objects"]),
        ("[", ["array of objects"]),
        ('[{"id": 3, "name": "\\u0000"}]', ["row 1"]),
    ],
)
async def test_what_is_wrong_in_json_is_named(desk: Desk, content: str, words: list[str]) -> None:
    with pytest.raises(Refusal) as caught:
        await desk.load(content, "people.json")
    assert caught.value.status == 400
    assert [word for word in words if word not in caught.value.message] == [], caught.value.message
    assert await desk.rows() == BEFORE


async def test_the_row_is_found_among_many(desk: Desk) -> None:
    lines = [f"{n},name {n},{-1 if n == 61_234 else 5}\n" for n in range(10, 80_010)]
    told = await refused(400, "DATABASE_VALIDATION_ERROR", desk.load("id,name,age\n" + "".join(lines), upsertKey="id"))
    assert "row 61225, column age" in told
    assert await desk.rows() == BEFORE


async def test_other_doors_are_shut(desk: Desk) -> None:
    await refused(403, "DATABASE_FORBIDDEN", desk.load("id\n1\n", schema="auth", table="users"))
    await refused(404, "DATABASE_NOT_FOUND", desk.load("id\n1\n", table="nobody"))
    await refused(400, "INVALID_INPUT", desk.load("id\n1\n", table=""))
    await refused(400, "INVALID_INPUT", desk.load("id\n1\n", filename="people.xls"))


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"x", {"content-type": "application/octet-stream"}),
        (b"--a\r\n", {"content-type": "multipart/form-data"}),
        (b"--a\r\n\r\n", {"content-type": "multipart/form-data; boundary=a"}),
        (
            b"--a\r\ncontent-disposition: form-data; name=table\r\n\r\nx\r\n--a--",
            {"content-type": "multipart/form-data; boundary=a"},
        ),
        (
            b"--a\r\ncontent-disposition: form-data; name=file\r\n\r\nid\r\n",
            {"content-type": "multipart/form-data; boundary=a"},
        ),
        (b"", {"content-type": "multipart/form-data; boundary="}),
    ],
)
async def test_a_form_that_is_none_is_refused(desk: Desk, body: bytes, headers: dict[str, str]) -> None:
    await refused(400, "INVALID_INPUT", desk.send(raw(body, headers)))


async def test_the_body_may_be_the_file(desk: Desk) -> None:
    answer = await desk.send(raw(b"id;name\n3;Eve\n", {"content-type": "text/csv"}, "table=people&delimiter=%3B"))
    assert answer["rowsAffected"] == 1
    answer = await desk.send(
        raw(
            b'[{"id": 3, "name": "E"}]',
            {"content-type": "application/json; charset=utf-8"},
            "table=people&upsertKey=id",
        )
    )
    assert await desk.rows("id, name") == [(1, "Ann"), (2, "Bob"), (3, "E")]


async def test_progress_is_seen_by_others(desk: Desk) -> None:
    await desk.connection.execute(
        "create function slow() returns trigger language plpgsql as "
        "$$ begin perform pg_sleep(0.05); return new; end $$; "
        "create trigger slow before insert on people for each row execute function slow()"
    )
    lines = "".join(f"{n},n\n" for n in range(10, 30))
    work = asyncio.ensure_future(desk.load("id,name\n" + lines, id="my-load"))
    seen: list[Any] = []
    while not work.done():
        told = await desk.loads.list_loads(Transactions(desk.database), ADMIN, None)
        seen += msgspec.to_builtins(told)["running"]
        await asyncio.sleep(0.02)
    assert (await work)["rowsAffected"] == 20
    mine = [entry for entry in seen if entry["id"] == "my-load"]
    assert mine
    counts = [entry["rowsDone"] for entry in mine if entry["phase"] == "reading"]
    assert counts == sorted(counts)
    assert len(set(counts)) > 1
    assert (await desk.loads.list_loads(Transactions(desk.database), ADMIN, None)).running == ()


async def test_two_at_once_do_not_mix(desk: Desk) -> None:
    one = "id,name\n" + "".join(f"{n},one\n" for n in range(10, 2000))
    two = "id,name\n" + "".join(f"{n},two\n" for n in range(1999, 9, -1))
    results = await asyncio.gather(
        desk.load(one, upsertKey="id"), desk.load(two, upsertKey="id"), return_exceptions=True
    )
    names = {row[1] for row in await desk.rows() if row[0] >= 10}
    assert len(names) == 1, results
    assert any(not isinstance(result, BaseException) for result in results)


def test_over_http_with_a_client_of_others(server: Any) -> None:
    server.sql("create table loaded (id int primary key, name text)")
    try:
        with server.client(server.admin_key) as client:
            files = {"file": ("rows.csv", b"id,name\n1,a\n2,b\n", "text/csv")}
            answer: httpx.Response = client.post(
                "/api/database/advance/bulk-upsert", data={"table": "loaded", "upsertKey": "id"}, files=files
            )
            assert (answer.status_code, answer.json()["rowsAffected"]) == (200, 2), answer.text
            assert client.get("/api/database/advance/bulk-upsert").json() == {"running": []}
        with server.client(server.anon_key) as client:
            assert client.post("/api/database/advance/bulk-upsert", files=files).status_code == 403
    finally:
        server.sql("drop table loaded")
