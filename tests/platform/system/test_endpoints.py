"""The same over HTTP: what loopback, strangers and load balancers get."""

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
    assert stranger.get("/api/metadata").status_code == 401
    with server.client(server.admin_key) as admin:
        told = admin.get("/api/metadata").json()
    assert {"database", "identity", "system"} <= set(told["components"])
    assert set(told["database"]) == {"tables", "totalSizeInGB", "hint"}
