"""Embedded tables are read after the claims are set, in every kind of statement, and planned fast."""

import re

import pytest

from headwater.kernel.database import Connect, Login
from headwater.platform.records import Records
from tests.platform.records.test_claims import prepared

pytestmark = pytest.mark.usefixtures("music")
KINDS = [
    ("GET", "people?select=id,diaries(line)&order=id&limit=10", None),
    ("GET", "people?select=id,diaries!inner(line)&diaries.line=eq.x", None),
    ("GET", "people?select=id,diaries()&or=(diaries.is.null,id.eq.1)", None),
    ("GET", "people?select=id,diaries()&diaries=is.null", None),
    ("GET", "diaries?select=line,people!inner(name,bands(name))&people.name=eq.x", None),
    ("GET", "diaries?select=line,...people(name)&order=people(name)", None),
    ("GET", "diaries?select=count(),...people(name)", None),
    ("GET", "bands?select=id,best_album(id,long_songs(id)),the_label(id)", None),
    ("POST", "diaries?select=line,people(name)", b'{"line": "x"}'),
    ("PATCH", "diaries?select=line,people!inner(name)&id=gt.0", b'{"line": "x"}'),
    ("PATCH", "people?select=id,diaries()&diaries=is.null", b'{"name": "x"}'),
    ("DELETE", "people?select=id,diaries()&diaries=not.is.null", b""),
]


def ungated_scans(plan: str) -> list[str]:
    """The scans of tables, and of the change, that do not hang below the filter on what the gate gives.

    Left out are subplans, which run for a row that has come out below it, and the change itself, which its scan pulls.
    """
    gated: list[int] = []
    ungated: list[str] = []
    skipped: int | None = None
    for line in plan.splitlines():
        depth = len(line) - len(line.lstrip())
        if skipped is not None and depth > skipped:
            continue
        skipped = depth if line.lstrip().startswith(("CTE written", "SubPlan")) else None
        if line.lstrip().startswith("One-Time Filter: (") and "IS NOT NULL" in line:
            gated.append(depth)
        else:
            gated = [above for above in gated if depth >= above]
        if re.search(r"Scan .*on \w+ [rj]\d*$", line) and not gated:
            ungated.append(line)
    return ungated


@pytest.mark.parametrize("prefer", ["return=representation", "count=exact"])
async def test_no_plan_touches_embedded_rows_before_the_gate(records: Records, connector: Connect, prefer: str) -> None:
    connection = await connector(Login.AUTHENTICATED)
    found: dict[str, list[str]] = {}
    for method, target, body in KINDS:
        sql, arguments = prepared(records, method, target, body, prefer)
        for mode in ("force_custom_plan", "force_generic_plan"):
            await connection.execute(f"set plan_cache_mode = {mode}")
            await connection.execute("begin")
            lines = await connection.fetch(f"explain (costs off) {sql}", "{}", *arguments)
            await connection.execute("rollback")
            plan = "\n".join(line for (line,) in lines)
            gate, _, rest = plan.partition("->  Aggregate")
            found[f"{method} {target} {mode}"] = ungated_scans(plan)
            assert plan.startswith("Nested Loop"), plan
            assert gate.rstrip().endswith("->  Result"), plan
            assert "Scan" in rest
    await connection.close()
    assert {name for name, scans in found.items() if scans} == set()
