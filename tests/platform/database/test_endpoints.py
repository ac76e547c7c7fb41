"""The same over HTTP: paths, statuses, envelopes, and who may call."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.kit.server import RunningServer

TABLE = "pläne & / ziele"
CALLS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/api/database/tables", None),
    ("GET", "/api/database/tables/x/schema", None),
    ("POST", "/api/database/tables", {"name": "x", "columns": [{"name": "a", "type": "string"}]}),
    ("DELETE", "/api/database/tables/x", None),
    ("POST", "/api/database/advance/rawsql", {"query": "select 1"}),
    ("POST", "/api/database/advance/rawsql/unrestricted", {"query": "select 1"}),
]


@pytest.fixture
def admin(server: RunningServer) -> Iterator[httpx.Client]:
    with server.client(server.admin_key) as client:
        yield client
        client.delete(f"/api/database/tables/{quote(TABLE, safe='')}")


def test_a_table_is_made_described_listed_and_ended(admin: httpx.Client) -> None:
    path = f"/api/database/tables/{quote(TABLE, safe='')}"
    made = admin.post("/api/database/tables", json={"name": TABLE, "columns": [{"name": "n", "type": "integer"}]})
    assert (made.status_code, made.json()["tableName"]) == (201, TABLE)
    assert TABLE in admin.get("/api/database/tables").json()
    told = admin.get(path + "/schema?schema=public")
    assert (told.status_code, told.json()["recordCount"]) == (200, 0)
    again = admin.post("/api/database/tables", json={"tableName": TABLE, "columns": [{"name": "n", "type": "integer"}]})
    assert (again.status_code, again.json()["error"], again.json()["statusCode"]) == (400, "DATABASE_DUPLICATE", 400)
    assert admin.delete(path).status_code == 200
    assert admin.delete(path).json()["error"] == "DATABASE_NOT_FOUND"


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("tables", {"name": "t"}, 400, "INVALID_INPUT"),
        ("tables", {"name": "t", "columns": {}}, 400, "INVALID_INPUT"),
        ("tables?schema=auth", {"name": "t", "columns": [{"name": "a", "type": "uuid"}]}, 403, "DATABASE_FORBIDDEN"),
        (
            "tables",
            {
                "name": "t",
                "columns": [{"name": "a", "type": "uuid"}],
                "foreignKeys": [
                    {"referenceTable": "nope", "referenceColumns": [{"sourceColumn": "a", "referenceColumn": "id"}]}
                ],
            },
            400,
            "DATABASE_VALIDATION_ERROR",
        ),
        ("advance/rawsql", {"query": "selekt"}, 400, "DATABASE_VALIDATION_ERROR"),
        ("advance/rawsql", {"query": "set role anon"}, 403, "FORBIDDEN"),
        ("advance/rawsql", {"query": "select 1/0"}, 400, "DATABASE_VALIDATION_ERROR"),
        ("advance/rawsql", {"query": 1}, 400, "INVALID_INPUT"),
        ("advance/rawsql/unrestricted", {"query": "create role x"}, 403, "FORBIDDEN"),
    ],
)
def test_refusals_are_told_in_the_contracts_words(
    admin: httpx.Client, path: str, body: dict[str, Any], status: int, error: str
) -> None:
    answer = admin.post(f"/api/database/{path}", json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.json()["message"]


def test_sql_answers_and_is_seen_by_the_next_request(admin: httpx.Client) -> None:
    result = admin.post("/api/database/advance/rawsql", json={"query": "select $1::int8 as n", "params": [5]})
    assert result.json() == {"rows": [{"n": "5"}], "rowCount": 1, "fields": [{"name": "n", "dataTypeID": 20}]}
    several = admin.post(
        "/api/database/advance/rawsql/unrestricted", json={"query": "create table fleeting (); drop table fleeting"}
    )
    assert len(several.json()["results"]) == 2


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_it_is_for_the_admin_only(server: RunningServer, method: str, path: str, body: dict[str, Any] | None) -> None:
    for key, status in [(None, 401), (server.anon_key, 403), ("ik_" + "0" * 64, 401)]:
        with server.client(key) as client:
            assert client.request(method, path, json=body).status_code == status, (key, path)
