"""The drawing "Health Check Flow"; docs/flows/health.md."""

import pytest

from headwater.apps.scoreboard.operations import Health
from headwater.kernel.component import HealthChecks
from headwater.kernel.redis import Redis
from headwater.platform.system import queries as system_queries
from tests.flows.players import APP, hear, part_of, watching
from tests.flows.trace import Trace
from tests.kit.door import Door

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.needs("redis-server")]
DRAWN = ["api", "database", "redis", "sockets", "external"]


async def test_every_drawn_part_is_asked_and_told_in_the_drawn_order(cached_door: Door, trace: Trace) -> None:
    trace.watch(HealthChecks, "report")
    trace.watch(system_queries, "answer")
    async with watching(cached_door) as client:
        await hear(client, "scoreboard_update")
        part_of(cached_door, "/health", Health).checks._made_at = None  # a report is a second old at most
        with trace.following():
            told = (await cached_door.ask("GET", f"{APP}/health")).json
        trace.must_pass("stage: transact", "call: HealthChecks.report", "call: queries.answer", "stage: respond")
        assert list(told["parts"])[: len(DRAWN)] == DRAWN
        assert {told["parts"][part] for part in DRAWN} == {"up"}
        assert (told["status"], told["cache"]["redis"]) == ("healthy", "connected")
        assert told["websocketConnections"] == len(cached_door.house.sockets) >= 1


async def test_one_part_that_is_away_is_named_and_ends_nothing(
    cached_door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = part_of(cached_door, "/health", Health)

    async def refuse(_redis: Redis) -> None:
        raise ConnectionRefusedError

    [check] = [each for each in health.checks._checks if each.name == "redis"]
    assert getattr(check.check, "__func__", None) is Redis.confirm
    others = [each for each in health.checks._checks if each is not check]
    away = type(check)(name="redis", check=lambda: refuse(NotImplemented), essential=False)
    with monkeypatch.context() as patch:
        patch.setattr(health.checks, "_checks", [away, *others])
        patch.setattr(health.checks, "_made_at", None)
        told = (await cached_door.ask("GET", f"{APP}/health")).json
    health.checks._made_at = None
    assert (told["status"], told["cache"]["redis"], told["parts"]["redis"]) == ("degraded", "disconnected", "down")


async def test_metrics_are_collected_for_prometheus(cached_door: Door) -> None:
    scraped = (await cached_door.ask_as(cached_door.keys.admin_key, "GET", "/metrics")).body.decode()
    for metric in ("headwater_request_seconds", "headwater_cache_lookups", "headwater_sockets"):
        assert f"\n{metric}" in scraped, metric
