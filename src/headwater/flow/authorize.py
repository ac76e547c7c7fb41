"""May you? 403 or 404, inside the transaction, on the row it locks."""

from headwater.flow.house import Bound
from headwater.flow.request import Request
from headwater.flow.transact import Work
from headwater.kernel.principal import Principal


async def authorize(endpoint: Bound, request: Request, tx: Work, principal: Principal, body: object) -> object:
    """What the guard fetched, checked and locked: the operation's subject. Raises the guard's refusals."""
    request.enters("authorize")
    assert endpoint.guard is not None  # noqa: S101 - for the type checker: the pipeline asked
    subject = await endpoint.guard(tx, principal, body)
    request.enters("transact")
    return subject
