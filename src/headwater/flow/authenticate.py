"""Who are you? 401, and 403 where an endpoint is for others."""

from collections.abc import Mapping
from ipaddress import ip_address

from headwater.flow.house import BoundEndpoint, House
from headwater.flow.request import Request
from headwater.kernel.component import Access
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
        principal = await house.authenticator.authenticate(credentials_for(declared.access, request.headers))
    except Refusal as refusal:
        if declared.access is not Access.ANYONE or refusal.status != 401:
            raise
        principal = NOBODY
    request.principal_key = principal.key
    must_be_admitted(declared.access, principal)
    if declared.local_only and principal.kind is not Kind.ADMIN and not is_local(request):
        raise MissingCredentials if principal.kind is Kind.NOBODY else NotAnAdmin
    return principal


def credentials_for(access: Access, headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers that speak for the caller: a user's own endpoint hears his token also beside an API key.

    Everywhere else the key wins. InsForge's Python client shows its key with every request, and the user's token where
    it speaks for him.
    """
    if access is Access.USER and "authorization" in headers:
        return {"authorization": headers["authorization"]}
    return headers


def must_be_admitted(access: Access, principal: Principal) -> None:
    """Refuse whoever something is not for: `MissingCredentials`, `NotAUser`, `NotAnAdmin`."""
    if access is not Access.ANYONE and principal.kind is Kind.NOBODY:
        raise MissingCredentials
    if access is Access.USER and principal.kind is not Kind.USER:
        raise NotAUser
    if access is Access.ADMIN and principal.kind is not Kind.ADMIN:
        raise NotAnAdmin


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine, and not through a proxy on it that nobody told us of."""
    try:
        return ip_address(request.address).is_loopback and "x-forwarded-for" not in request.headers
    except ValueError:
        return False
