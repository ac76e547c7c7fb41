"""Who are you? 401, and 403 where an endpoint is for others."""

from ipaddress import ip_address

from headwater.flow.house import BoundEndpoint, House
from headwater.flow.request import Request
from headwater.kernel.component import Access, Endpoint
from headwater.kernel.errors import MissingCredentials, NotAnAdmin, NotAUser, Refusal
from headwater.kernel.principal import NOBODY, Kind, Principal


async def authenticate(house: House, endpoint: BoundEndpoint, request: Request) -> Principal:
    """The caller, if the endpoint is open to him.

    Where anyone may call, bad credentials count as none: whoever comes to sign in may still hold an old token. A
    database that is away is no bad credential.
    """
    request.enters("authenticate")
    declared = endpoint.declared
    try:
        principal = await house.authenticator.authenticate(request.headers)
    except Refusal as refusal:
        if declared.access is not Access.ANYONE or refusal.status != 401:
            raise
        principal = NOBODY
    request.principal_key = principal.key
    must_be_admitted(declared, principal, here=not declared.local_only or is_local(request))
    return principal


def must_be_admitted(endpoint: Endpoint, principal: Principal, *, here: bool) -> None:
    """Refuse whoever the endpoint is not for: `MissingCredentials`, `NotAUser`, `NotAnAdmin`."""
    if endpoint.access is not Access.ANYONE and principal.kind is Kind.NOBODY:
        raise MissingCredentials
    if endpoint.access is Access.USER and principal.kind is not Kind.USER:
        raise NotAUser
    if endpoint.access is Access.ADMIN and principal.kind is not Kind.ADMIN:
        raise NotAnAdmin
    if endpoint.local_only and principal.kind is not Kind.ADMIN and not here:
        raise MissingCredentials if principal.kind is Kind.NOBODY else NotAnAdmin


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine, and not through a proxy on it that nobody told us of."""
    try:
        return ip_address(request.address).is_loopback and "x-forwarded-for" not in request.headers
    except ValueError:
        return False
