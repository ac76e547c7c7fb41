"""The stages of a request, on one page."""

from asyncio import CancelledError

from headwater.flow.authenticate import authenticate
from headwater.flow.authorize import authorize
from headwater.flow.house import House
from headwater.flow.invalidate import invalidate
from headwater.flow.limit import counted_as, limit
from headwater.flow.publish import publish
from headwater.flow.request import Request, Response
from headwater.flow.respond import refuse, respond
from headwater.flow.transact import Work, transact
from headwater.flow.validate import validate


async def answer(house: House, request: Request) -> Response:
    """Carry a request through every stage; a refusal ends it anywhere."""
    endpoint = None
    try:
        endpoint = house.endpoint(request)
        await limit(house, endpoint.address_limits, request, request.address)
        principal = await authenticate(house, endpoint, request)
        await limit(house, endpoint.principal_limits, request, counted_as(principal, request))
        body = await validate(endpoint, request)

        async def work(tx: Work) -> object:
            if endpoint.guard is None:
                return await endpoint.operation(tx, principal, body)
            subject = await authorize(endpoint, request, tx, principal, body)  # fetched, checked and locked once
            return await endpoint.operation(tx, principal, body, subject)

        result, effects = await transact(house, endpoint, principal, request, body, work)
        try:
            await invalidate(house, request, effects)  # a client told to look must not find the old answer
        finally:
            await publish(house, request, effects)  # even where the caller has gone meanwhile
        return await respond(house, endpoint, request, principal, result)
    except CancelledError:
        if request.ending is None:
            raise
        return refuse(house, endpoint, request, request.ending)
    except Exception as failure:  # noqa: BLE001 - the one place where every failure becomes an answer
        return refuse(house, endpoint, request, failure)
