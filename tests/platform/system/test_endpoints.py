"""The same over HTTP: what loopback, strangers and load balancers get."""

import re
from collections.abc import Iterator

import httpx
import pytest
from schemathesis.specs.openapi import definitions

from tests.kit.server import RunningServer


@pytest.fixture
def stranger(server: RunningServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def test_the_process_is_alive_and_ready(stranger: httpx.Client) -> None:
    alive = stranger.get("/api/health")
    assert alive.status_code == 200 and alive.json()["status"] == "ok"
    assert set(alive.json()) == {"status", "version", "service", "timestamp"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", alive.json()["timestamp"])
    assert stranger.get("/ready").json() == {"ready": True}


def test_loopback_sees_every_part(stranger: httpx.Client) -> None:
    health = stranger.get("/health")
    assert (health.status_code, health.json()["status"]) == (200, "ok")
    assert health.headers["cache-control"] == "no-store"
    assert {"database", "bus"} <= {part["name"] for part in health.json()["parts"]}


def test_the_address_cannot_be_claimed(stranger: httpx.Client) -> None:
    assert "parts" in stranger.get("/health?address=203.0.113.9").json()


def test_metrics_count_what_was_asked(stranger: httpx.Client) -> None:
    stranger.get("/ready")
    metrics = stranger.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'headwater_request_seconds_count{method="GET",route="/ready",status="200"}' in metrics.text


def test_the_description_is_valid_and_names_its_own_path(stranger: httpx.Client) -> None:
    description = stranger.get("/openapi.json").json()
    definitions.OPENAPI_31_VALIDATOR.validate(description)
    assert "/openapi.json" in description["paths"]


def test_the_root_leads_to_a_page_that_may_run_its_own_script_only(stranger: httpx.Client) -> None:
    assert stranger.get("/").headers["location"] == "/docs"
    page = stranger.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'sha256-")


def test_metadata_is_for_the_admin(server: RunningServer, stranger: httpx.Client) -> None:
    for path in ("", "/auth", "/database", "/realtime", "/project-id", "/notes_of_mine"):
        assert stranger.get(f"/api/metadata{path}").status_code == 401
    with server.client(server.admin_key) as admin:
        told = admin.get("/api/metadata?mcp=true").json()
        parts = {name: admin.get(f"/api/metadata/{name}").json() for name in ("auth", "database", "realtime")}
        assert admin.get("/api/metadata/project-id").json() == {"projectId": None}
    assert {"database", "identity", "realtime", "system"} <= set(told["components"])
    assert set(told["database"]) == set(parts["database"]) == {"tables", "totalSizeInGB", "hint"}
    assert told["auth"] == parts["auth"]
    assert "requireEmailVerification" in told["auth"] and "oAuthProviders" in told["auth"]
    assert told["realtime"] == parts["realtime"]
    assert set(told["realtime"]) == {"channels", "permissions"}


def test_metadata_of_a_table_tells_what_makes_it(server: RunningServer) -> None:
    server.sql("create table notes_of_mine (id int primary key, text varchar(20) not null default 'x')")
    try:
        with server.client(server.admin_key) as admin:
            told = admin.get("/api/metadata/notes_of_mine").json()
            assert admin.get("/api/metadata/nothing_of_mine").status_code == 404
            names = {table["tableName"] for table in admin.get("/api/metadata").json()["database"]["tables"]}
    finally:
        server.sql("drop table notes_of_mine")
    assert "notes_of_mine" in names
    facts = told["notes_of_mine"]
    assert {"schema", "indexes", "foreignKeys", "rlsEnabled", "policies", "triggers", "rows"} <= set(facts)
    assert facts["rows"] == []
    column = facts["schema"][1]
    assert (column["columnName"], column["dataType"], column["characterMaximumLength"], column["isNullable"]) == (
        "text",
        "character varying(20)",
        20,
        "NO",
    )
    assert column["columnDefault"] == "'x'::character varying"
