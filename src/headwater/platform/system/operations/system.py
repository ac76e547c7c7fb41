"""What the system tells of itself: health, metrics, its own description."""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

import msgspec

from headwater import __version__
from headwater.kernel.clock import Clock
from headwater.kernel.component import Components, Descriptions, HealthChecks, PartHealth
from headwater.kernel.database import Database, ReadingTransaction, Transactions
from headwater.kernel.models import Reply
from headwater.kernel.observe import MetricsListener
from headwater.kernel.principal import Principal
from headwater.platform.system import queries, rules
from headwater.platform.system.models import (
    Alive,
    AskingAddress,
    HealthReport,
    PartReport,
    ProjectId,
    Readiness,
)
from headwater.platform.system.openapi import describe

_DOCS = files("headwater.platform.system").joinpath("static/docs.html").read_text(encoding="utf-8")


@dataclass(frozen=True)
class System:
    """Health, metrics, documentation and metadata of this installation."""

    clock: Clock
    database: Database
    components: Components
    metrics: MetricsListener
    health: HealthChecks
    descriptions: Descriptions

    async def greet(self, transactions: Transactions, principal: Principal, body: None) -> Alive:
        """Say that the process is alive, and of which version it is."""
        return Alive(version=__version__, timestamp=self.clock.now())

    async def report_health(
        self, transactions: Transactions, principal: Principal, body: AskingAddress
    ) -> HealthReport:
        """How every part is, at most one second ago; callers from elsewhere are told only the sum of it."""
        parts = tuple(map(_reported, await self.health.report()))
        status = rules.overall(parts)
        if not rules.may_see_details(principal, body.address):
            return HealthReport(status=status)
        return HealthReport(status=status, version=__version__, parts=parts)

    async def report_readiness(self, transactions: Transactions, principal: Principal, body: None) -> Readiness:
        """Whether every essential part is well, so that requests may be sent here."""
        return Readiness(ready=all(part.well for part in await self.health.report() if part.essential))

    async def report_metrics(self, transactions: Transactions, principal: Principal, body: None) -> Reply:
        """Every metric in Prometheus' text format 0.0.4."""
        return Reply(body=await self.metrics.scrape(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def describe_api(self, transactions: Transactions, principal: Principal, body: None) -> Reply:
        """Every endpoint as an OpenAPI 3.1 document."""
        return Reply(body=self._description)

    async def show_documentation(self, transactions: Transactions, principal: Principal, body: None) -> Reply:
        """A page to read and try the API with; it needs nothing from anywhere else."""
        return Reply(
            body=_DOCS.encode(),
            media_type="text/html; charset=utf-8",
            headers=(("content-security-policy", _CONTENT_POLICY), ("cache-control", "no-cache")),
        )

    async def show_way_in(self, transactions: Transactions, principal: Principal, body: None) -> Reply:
        """Send whoever comes to the root on to the documentation."""
        return Reply(status=302, headers=(("location", "/docs"),), media_type=None)

    async def describe_metadata(self, tx: ReadingTransaction, principal: Principal, body: None) -> dict[str, object]:
        """What is installed here, and what every component tells of itself."""
        told = await self.descriptions.tell(tx, principal)
        return {**told, "components": [component.name for component in self.components], "version": __version__}

    async def find_project(self, transactions: Transactions, principal: Principal, body: None) -> ProjectId:
        """Which project of a cloud this is: none."""
        return ProjectId()

    async def reach_database(self) -> None:
        """Return if Postgres answers."""
        await self.database.single(queries.answer)

    @cached_property
    def _description(self) -> bytes:
        return msgspec.json.encode(describe(self.components, __version__))


def _reported(part: PartHealth) -> PartReport:
    return PartReport(
        name=part.name,
        status="ok" if part.well else "failed",
        essential=part.essential,
        latency_ms=round(part.seconds * 1000, 3),
        reason=part.reason,
        detail=part.told,
    )


def _content_policy(page: str) -> str:
    """The policy under which exactly this page's own script and style run, and nothing else is loaded."""
    script, style = (
        " ".join(f"'sha256-{_digest(text)}'" for text in re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL))
        for tag in ("script", "style")
    )
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_CONTENT_POLICY = _content_policy(_DOCS)
