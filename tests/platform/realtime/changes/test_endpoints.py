"""Where tables are let tell their changes: who may, what is refused, what is answered."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.kit.server import RunningServer

TABLES = "/api/realtime/tables"
ORDERS = {"schema": "public", "table": "orders", "channel": "table:public.orders"}
CALLS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", TABLES, None),
    ("POST", TABLES, {"table": "orders"}),
    ("DELETE", f"{TABLES}/public/orders", None),
]


@pytest.fixture
def admin(server: RunningServer) -> Iterator[httpx.Client]:
    with server.client(server.admin_key) as client:
        for statement in ("create table orders (id int primary key)", "create table keyless (n int)"):
            client.post("/api/database/advance/rawsql", json={"query": statement}).raise_for_status()
        yield client
        client.post("/api/database/advance/rawsql", json={"query": "drop table orders, keyless"}).raise_for_status()


def test_a_table_is_turned_on_listed_and_turned_off(admin: httpx.Client) -> None:
    for _ in range(2):
        made = admin.post(TABLES, json={"table": "orders"})
        assert (made.status_code, made.json()) == (201, ORDERS)
    assert admin.get(TABLES).json() == [ORDERS]
    assert admin.delete(f"{TABLES}/public/orders").status_code == 204
    assert admin.get(TABLES).json() == []
    again = admin.delete(f"{TABLES}/public/orders")
    assert (again.status_code, again.json()["error"]) == (404, "REALTIME_TABLE_NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "status", "error", "said"),
    [
        ({}, 400, "INVALID_INPUT", "table"),
        ({"table": ""}, 400, "INVALID_INPUT", "table"),
        ({"table": 7}, 400, "INVALID_INPUT", "table"),
        ({"table": "x" * 64}, 400, "INVALID_INPUT", "table"),
        ({"table": "missing"}, 404, "REALTIME_TABLE_NOT_FOUND", "missing"),
        ({"table": "orders", "schema": "missing"}, 404, "REALTIME_TABLE_NOT_FOUND", "orders"),
        ({"table": "users", "schema": "auth"}, 404, "REALTIME_TABLE_NOT_FOUND", "users"),
        ({"table": "pg_class", "schema": "pg_catalog"}, 404, "REALTIME_TABLE_NOT_FOUND", "pg_class"),
        ({"table": "keyless"}, 400, "REALTIME_INVALID_TABLE", "primary key"),
        ({"table": "keyless_\0"}, 400, "INVALID_INPUT", "table: A NUL character"),
    ],
)
def test_what_is_refused(admin: httpx.Client, body: dict[str, Any], status: int, error: str, said: str) -> None:
    answer = admin.post(TABLES, json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert said in answer.json()["message"]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_only_the_admin_may(server: RunningServer, method: str, path: str, body: dict[str, Any] | None) -> None:
    with server.client() as stranger, server.client(server.anon_key) as visitor:
        assert stranger.request(method, path, json=body).status_code == 401
        assert visitor.request(method, path, json=body).status_code in {401, 403}
