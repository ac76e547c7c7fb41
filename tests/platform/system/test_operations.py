"""What the system tells of itself, to whom, and by which status."""

import asyncio
import re
from typing import Any

import msgspec
import pytest

from headwater import __version__
from headwater.kernel.clock import DrivenClock
from headwater.kernel.component import BoundCheck, BoundDescription, Components, Descriptions, HealthChecks
from headwater.kernel.database import Database, ReadingTransaction, Transactions
from headwater.kernel.errors import DatabaseUnavailable
from headwater.kernel.models import Reply
from headwater.kernel.observe import MetricsListener
from headwater.kernel.principal import NOBODY, Principal, principal_from_claims
from headwater.platform import system
from headwater.platform.system import System
from headwater.platform.system.endpoints import tell_health, tell_readiness
from headwater.platform.system.models import AskingAddress

ADMIN = principal_from_claims({"sub": "local:admin", "role": "project_admin"})


class Part:
    """A part whose health the test decides."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.delay = 0.0
        self.asked = 0

    async def check(self) -> None:
        self.asked += 1
        await asyncio.sleep(self.delay)
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def part() -> Part:
    return Part()


@pytest.fixture
def house(database: Database, clock: DrivenClock) -> System:
    return System(
        clock=clock,
        database=database,
        components=Components((system.COMPONENT,)),
        metrics=MetricsListener(),
        health=HealthChecks(),
        descriptions=Descriptions(),
    )


async def health_of(house: System, principal: Any = ADMIN, address: str = "203.0.113.9") -> tuple[int, dict[str, Any]]:
    report = await house.report_health(Transactions(house.database), principal, AskingAddress(address=address))
    reply = tell_health(report)
    return reply.status, msgspec.json.decode(reply.body)


async def test_all_is_well(house: System, part: Part) -> None:
    house.health.add(BoundCheck(name="database", check=house.reach_database))
    house.health.add(BoundCheck(name="part", check=part.check, essential=False))
    status, told = await health_of(house)
    assert (status, told["status"], told["version"]) == (200, "ok", __version__)
    assert [(one["name"], one["status"], one["essential"]) for one in told["parts"]] == [
        ("database", "ok", True),
        ("part", "ok", False),
    ]
    assert all(one["latencyMs"] >= 0 for one in told["parts"])


@pytest.mark.parametrize(("essential", "status", "word"), [(True, 503, "unavailable"), (False, 200, "degraded")])
async def test_a_failed_part_shows(house: System, part: Part, essential: bool, status: int, word: str) -> None:
    part.failure = DatabaseUnavailable()
    house.health.add(BoundCheck(name="part", check=part.check, essential=essential))
    told = await health_of(house)
    assert (told[0], told[1]["status"]) == (status, word)
    assert told[1]["parts"][0]["reason"] == DatabaseUnavailable().message
    readiness = tell_readiness(await house.report_readiness(Transactions(house.database), NOBODY, None))
    assert readiness.status == (503 if essential else 200)
    assert msgspec.json.decode(readiness.body) == {"ready": not essential}


async def test_an_unforeseen_failure_tells_no_internals(house: System, part: Part) -> None:
    part.failure = RuntimeError("password=hunter2")
    house.health.add(BoundCheck(name="part", check=part.check))
    _, told = await health_of(house)
    assert told["parts"][0]["reason"] == "RuntimeError"


@pytest.mark.parametrize(
    ("principal", "address", "sees"),
    [
        (NOBODY, "203.0.113.9", False),
        (NOBODY, "", False),
        (NOBODY, "localhost.evil.example", False),
        (NOBODY, "127.0.0.1", True),
        (NOBODY, "::1", True),
        (NOBODY, "::ffff:127.0.0.1", True),
        (ADMIN, "203.0.113.9", True),
    ],
)
async def test_strangers_are_told_only_the_sum(
    house: System, part: Part, principal: Any, address: str, sees: bool
) -> None:
    house.health.add(BoundCheck(name="part", check=part.check))
    _, told = await health_of(house, principal, address)
    assert set(told) == ({"status", "version", "parts"} if sees else {"status"})


async def test_a_report_is_remembered_and_shared(house: System, part: Part) -> None:
    part.delay = 0.05
    house.health.add(BoundCheck(name="part", check=part.check))
    await asyncio.gather(*(health_of(house) for _ in range(20)))
    await house.report_readiness(Transactions(house.database), NOBODY, None)
    assert part.asked == 1
    await asyncio.sleep(1.05)
    await health_of(house)
    assert part.asked == 2


async def test_checks_run_together_and_a_slow_one_has_failed(house: System) -> None:
    slow = [Part() for _ in range(3)]
    for number, part in enumerate(slow):
        part.delay = 5
        house.health.add(BoundCheck(name=str(number), check=part.check))
    began = asyncio.get_running_loop().time()
    status, told = await health_of(house)
    assert asyncio.get_running_loop().time() - began < 2
    assert status == 503 and {one["reason"] for one in told["parts"]} == {"no answer within 1 s"}


async def test_one_who_leaves_spoils_nothing_for_the_next(house: System, part: Part) -> None:
    part.delay = 0.2
    house.health.add(BoundCheck(name="part", check=part.check))
    first = asyncio.ensure_future(health_of(house))
    await asyncio.sleep(0.05)
    second = asyncio.ensure_future(health_of(house))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second)[0] == 200


async def test_the_process_says_who_it_is(house: System) -> None:
    told = msgspec.to_builtins(await house.greet(Transactions(house.database), NOBODY, None))
    assert told == {
        "status": "ok",
        "version": __version__,
        "service": "Headwater",
        "timestamp": "2030-01-01T00:00:00Z",
    }


async def test_metrics_are_prometheus_text(house: System) -> None:
    reply = await house.report_metrics(Transactions(house.database), ADMIN, None)
    assert reply.media_type is not None and reply.media_type.startswith("text/plain; version=0.0.4")
    assert b"# TYPE headwater_request_seconds histogram" in reply.body


async def test_the_description_is_made_once(house: System) -> None:
    first, second = [await house.describe_api(Transactions(house.database), NOBODY, None) for _ in range(2)]
    assert first.body is second.body
    assert msgspec.json.decode(first.body)["info"]["version"] == __version__


async def test_the_page_needs_nothing_from_elsewhere(house: System) -> None:
    reply = await house.show_documentation(Transactions(house.database), NOBODY, None)
    page = reply.body.decode()
    assert not re.findall(r"(?:https?:)?//[a-z]|@import|url\(", page.replace("// ", ""))
    policy = dict(reply.headers)["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert policy.count("'sha256-") == 2
    assert not re.search(r"\son[a-z]+=|\sstyle=|innerHTML", page)


async def test_the_root_leads_to_the_documentation(house: System) -> None:
    reply = await house.show_way_in(Transactions(house.database), NOBODY, None)
    assert reply == Reply(status=302, headers=(("location", "/docs"),), media_type=None)


async def test_metadata_tells_what_components_tell(house: System, database: Database) -> None:
    async def describe(tx: ReadingTransaction, principal: Principal, body: None) -> object:
        return {"role": await tx.value("select 1"), "for": principal.role}

    house.descriptions.add(BoundDescription(name="notes", describe=describe))
    told = await database.reading(lambda tx: house.describe_metadata(tx, ADMIN, None))
    assert told == {
        "notes": {"role": 1, "for": "project_admin"},
        "components": ["system"],
        "version": __version__,
    }
