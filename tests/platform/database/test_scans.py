"""The advisor's scans are kept and paged through, and what is suppressed is not told again, on a real Postgres."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from headwater.kernel.database import Database
from headwater.platform.database.models import (
    Advice,
    AdviceCode,
    AdvisedObject,
    ExplainedSuppression,
    NamedSuppression,
    Suppression,
    WantedIssues,
    WantedSuppression,
)
from headwater.platform.database.rules import silenced_by
from tests.kit.server import RunningServer
from tests.platform.database.desk import Desk, refused

MISSING = "00000000-0000-4000-8000-000000000009"
SOME_ID = UUID(MISSING)
AMISS = """
create table open_one (id int primary key);
create table open_two (id int primary key);
create table keyless (id int); alter table keyless enable row level security;
"""
FOUND = [
    ("row_security_off", "open_one"),
    ("row_security_off", "open_two"),
    ("no_primary_key", "keyless"),
    ("no_policy", "keyless"),
]


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


async def scan(desk: Desk) -> dict[str, Any]:
    return await desk.write(desk.scans.scan, dict)


async def issues(desk: Desk, **asked: Any) -> list[tuple[str, str]]:
    told = await desk.read(desk.scans.list_issues, WantedIssues, **asked)
    return [(issue["code"], issue["object"]["name"]) for issue in told["issues"]]


async def latest(desk: Desk) -> Any:
    return await desk.read(desk.scans.show_latest_scan, dict)


async def suppress(desk: Desk, **asked: Any) -> dict[str, Any]:
    return await desk.write(desk.scans.add_suppression, WantedSuppression, **asked)


async def test_before_the_first_scan_there_is_none(desk: Desk) -> None:
    assert await latest(desk) is None
    assert await desk.read(desk.scans.list_issues, WantedIssues) == {
        "scanId": None,
        "issues": [],
        "pagination": {"offset": 0, "limit": 50, "total": 0},
    }


async def test_a_scan_is_what_was_there_when_it_was_made(desk: Desk) -> None:
    await desk.sql(AMISS)
    made = await scan(desk)
    assert made["message"] == "Scan completed: 4 found"
    await desk.sql("drop table open_one")
    assert await issues(desk) == FOUND
    told = await latest(desk)
    assert (told["scanId"], told["total"], told["suppressed"]) == (made["scanId"], 4, 0)
    assert told["summary"] == {"error": 2, "warning": 1, "info": 1}
    await scan(desk)
    assert await issues(desk) == FOUND[1:]


async def test_issues_are_narrowed_and_paged(desk: Desk) -> None:
    await desk.sql(AMISS)
    await scan(desk)
    assert await issues(desk, severity="error") == FOUND[:2]
    assert await issues(desk, category="performance") == FOUND[2:3]
    assert await issues(desk, severity="info", category="performance") == []
    assert await issues(desk, limit=2, offset=1) == FOUND[1:3]
    page = await desk.read(desk.scans.list_issues, WantedIssues, limit=2, offset=3)
    assert page["pagination"] == {"offset": 3, "limit": 2, "total": 4}
    assert await issues(desk, offset=4) == []


async def test_what_is_suppressed_is_told_apart_until_it_is_not(desk: Desk) -> None:
    await desk.sql(AMISS)
    await scan(desk)
    one = await suppress(desk, code="row_security_off", schema="public", table="open_one", reason="a public list")
    assert await issues(desk) == FOUND[1:]
    assert await issues(desk, suppressed=True) == FOUND[:1]
    told = await latest(desk)
    assert (told["total"], told["suppressed"], told["summary"]["error"]) == (3, 1, 1)
    await suppress(desk, code="row_security_off")
    assert await issues(desk) == FOUND[2:]
    await scan(desk)
    assert await issues(desk, suppressed=True) == FOUND[:2]
    changed = await desk.write(desk.scans.explain_suppression, ExplainedSuppression, id=one["id"], reason=None)
    assert changed == {**one, "reason": None}
    listed = (await desk.read(desk.scans.list_suppressions, dict))["suppressions"]
    assert [(each["code"], each["table"]) for each in listed] == [
        ("row_security_off", "open_one"),
        ("row_security_off", None),
    ]
    for each in listed:
        await desk.write(desk.scans.remove_suppression, NamedSuppression, id=each["id"])
    assert await issues(desk) == FOUND


async def test_the_same_suppression_is_made_once_by_two_at_once(desk: Desk) -> None:
    asked = {"code": "no_policy", "schema": "public"}
    told = await asyncio.gather(*(suppress(desk, **asked) for _ in range(4)), return_exceptions=True)
    assert len([each for each in told if isinstance(each, dict)]) == 1
    assert "no_policy" in await refused(409, "DATABASE_DUPLICATE", suppress(desk, **asked))
    for work in (
        desk.write(desk.scans.explain_suppression, ExplainedSuppression, id=MISSING, reason="x"),
        desk.write(desk.scans.remove_suppression, NamedSuppression, id=MISSING),
    ):
        await refused(404, "DATABASE_NOT_FOUND", work)


async def test_only_the_newest_scans_are_kept(desk: Desk) -> None:
    await asyncio.gather(*(scan(desk) for _ in range(4)))
    last = [await scan(desk) for _ in range(20)][-1]
    assert await desk.value("select count(*)::int as count from system.advisor_scans") == 20
    assert (await latest(desk))["scanId"] == last["scanId"]


@pytest.mark.parametrize(
    ("code", "asked", "silenced"),
    [
        (AdviceCode.POLICY_PER_ROW, {}, True),
        (AdviceCode.NO_POLICY, {}, False),
        (AdviceCode.POLICY_PER_ROW, {"schema": "public", "table": "t", "name": "p"}, True),
        (AdviceCode.POLICY_PER_ROW, {"table": "t"}, True),
        (AdviceCode.POLICY_PER_ROW, {"table": "p"}, False),
        (AdviceCode.POLICY_PER_ROW, {"schema": "other"}, False),
        (AdviceCode.POLICY_PER_ROW, {"name": "q"}, False),
    ],
)
def test_a_suppression_speaks_of_what_it_names(code: AdviceCode, asked: dict[str, str], silenced: bool) -> None:
    finding = Advice(
        code=AdviceCode.POLICY_PER_ROW,
        severity="warning",
        category="performance",
        object=AdvisedObject(kind="policy", schema="public", name="p", table="t"),
        message="",
        sql="",
    )
    names = {"schema": None, "table": None, "name": None, **asked}
    wanted = WantedSuppression(code=code, **asked)
    suppression = Suppression(id=SOME_ID, code=wanted.code, reason=None, created_by=None, created_at="", **names)
    assert silenced_by(finding, (suppression,)) == (SOME_ID if silenced else None)


SCHEDULE = {"enabled": False, "cronSchedule": "0 5 * * *", "retentionDays": None}
ROWS: list[tuple[str, str, Any, int, str | None]] = [
    ("POST", "/api/advisor/suppressions", {"code": "dire"}, 400, "INVALID_INPUT"),
    ("POST", "/api/advisor/suppressions", {}, 400, "INVALID_INPUT"),
    ("POST", "/api/advisor/suppressions", {"code": "no_policy", "tabel": "t"}, 400, "INVALID_INPUT"),
    ("POST", "/api/advisor/suppressions", {"code": "no_policy", "table": ""}, 400, "INVALID_INPUT"),
    ("PATCH", f"/api/advisor/suppressions/{MISSING}", {"reason": "x"}, 404, "DATABASE_NOT_FOUND"),
    ("PATCH", "/api/advisor/suppressions/x", {"reason": "x"}, 400, "INVALID_INPUT"),
    ("DELETE", f"/api/advisor/suppressions/{MISSING}", None, 404, "DATABASE_NOT_FOUND"),
    ("GET", "/api/advisor/issues?limit=501", None, 400, "INVALID_INPUT"),
    ("GET", "/api/advisor/issues?severity=dire", None, 400, "INVALID_INPUT"),
    ("POST", f"/api/database/backups/{MISSING}/restore", None, 404, "DATABASE_NOT_FOUND"),
    ("POST", "/api/database/backups/x/restore", None, 400, "INVALID_INPUT"),
    ("PATCH", "/api/database/config", {"backup": {"enabled": True}}, 400, "INVALID_INPUT"),
    ("PATCH", "/api/database/config", {"backup": SCHEDULE | {"retentionDays": 0}}, 400, "INVALID_INPUT"),
    ("PATCH", "/api/database/config", {"backup": SCHEDULE | {"cronSchedule": "x"}}, 400, "DATABASE_VALIDATION_ERROR"),
]
DOORS = [
    ("POST", "/api/advisor/scan"),
    ("GET", "/api/advisor/latest"),
    ("GET", "/api/advisor/issues"),
    ("GET", "/api/advisor/suppressions"),
    ("POST", "/api/advisor/suppressions"),
    ("PATCH", f"/api/advisor/suppressions/{MISSING}"),
    ("DELETE", f"/api/advisor/suppressions/{MISSING}"),
    ("POST", f"/api/database/backups/{MISSING}/restore"),
    ("GET", "/api/database/config"),
    ("PATCH", "/api/database/config"),
]


def test_it_is_asked_over_http(server: RunningServer) -> None:
    server.sql("create table seen_by_all (id int primary key)")
    with server.client(server.admin_key) as admin:
        made = admin.post("/api/advisor/scan")
        assert made.status_code == 201
        told = admin.get("/api/advisor/issues", params={"severity": "error", "limit": 1}).json()
        assert told["scanId"] == made.json()["scanId"] == admin.get("/api/advisor/latest").json()["scanId"]
        assert len(told["issues"]) == 1
        new = admin.post("/api/advisor/suppressions", json={"code": "row_security_off", "table": "seen_by_all"})
        assert new.status_code == 201
        assert admin.get("/api/advisor/issues", params={"suppressed": "true"}).json()["pagination"]["total"] == 1
        again = admin.post("/api/advisor/suppressions", json={"code": "row_security_off", "table": "seen_by_all"})
        assert (again.status_code, again.json()["error"]) == (409, "DATABASE_DUPLICATE")
        assert admin.delete(f"/api/advisor/suppressions/{new.json()['id']}").status_code == 200
        backup = admin.post("/api/database/backups", json={}).json()
        restored = admin.post(f"/api/database/backups/{backup['id']}/restore")
        assert (restored.status_code, restored.json()["error"]) == (409, "SERVER_IS_RUNNING")
        assert f"{backup['id']}.backup --replace" in restored.json()["message"]
        assert admin.delete(f"/api/database/backups/{backup['id']}").status_code == 200
        assert admin.get("/api/database/config").json()["backup"]["enabled"] is False
        changed = admin.patch("/api/database/config", json={"backup": SCHEDULE})
        assert (changed.status_code, changed.json()) == (200, {"backup": SCHEDULE, "nextBackupAt": None})
        for method, path, body, status, code in ROWS:
            answer = admin.request(method, path, json=body)
            assert (answer.status_code, answer.json()["error"]) == (status, code), (method, path, answer.text)
    server.sql("drop table seen_by_all")
    token = server.sign_up("ann@scans.example")
    for key, status in ((None, 401), (token, 403)):
        with server.client(key) as stranger:
            for method, path in DOORS:
                assert stranger.request(method, path, json={}).status_code == status, (method, path)
