"""How often? 429."""

from headwater.flow.house import House
from headwater.flow.request import Request
from headwater.kernel.errors import TooManyRequests
from headwater.kernel.limits import Allowance, Limit
from headwater.kernel.principal import Principal


async def limit(house: House, limits: tuple[Limit, ...], request: Request, who: str) -> None:
    """Count the request against every limit; the tightest is told in the `RateLimit-*` headers.

    Runs by address before authentication and by principal after it. Raises `TooManyRequests` with `Retry-After`.
    """
    request.enters("limit")
    taken = house.limiter.take_all(limits, who)
    for allowance in taken if isinstance(taken, list) else await taken:
        if request.allowance is None or not allowance.allowed or _is_tighter(allowance, request.allowance):
            request.allowance = allowance
        if not allowance.allowed:
            seconds = allowance.retry_after
            raise TooManyRequests(seconds=seconds, headers={"Retry-After": str(seconds)})


def counted_as(principal: Principal, request: Request) -> str:
    """Whose requests these are: the principal's, or the address's where nobody is named."""
    return request.address if principal.id is None and not principal.is_admin else principal.key


def _is_tighter(one: Allowance, other: Allowance) -> bool:
    return one.remaining * other.limit < other.remaining * one.limit
