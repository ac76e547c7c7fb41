"""How a server is, judged by its parts, and who may know; which failed jobs are meant."""

import ipaddress
from collections.abc import Iterable
from typing import Literal

from headwater.kernel.principal import Principal
from headwater.platform.system.errors import NothingMeant
from headwater.platform.system.models import FailuresMeant, HealthReport, PartReport


def overall(parts: Iterable[PartReport]) -> Literal["ok", "degraded", "unavailable"]:
    """`unavailable` without an essential part, `degraded` without another, else `ok`."""
    failed = [part for part in parts if part.status == "failed"]
    if any(part.essential for part in failed):
        return "unavailable"
    return "degraded" if failed else "ok"


def may_see_details(principal: Principal, address: str) -> bool:
    """Whether the inner state may be told: to the admin, and to callers on this machine."""
    return principal.is_admin or is_loopback(address)


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own, also where IPv6 carries IPv4; a text that is no address is not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback


def status_of(report: HealthReport) -> int:
    """The HTTP status of a health report: load balancers read nothing else."""
    return 503 if report.status == "unavailable" else 200


def must_mean_one(meant: FailuresMeant) -> None:
    """Refuse a change of failed jobs unless exactly one thing says which: nobody retries all of them by a slip."""
    if sum((meant.id is not None, meant.job is not None, meant.all)) != 1:
        raise NothingMeant
