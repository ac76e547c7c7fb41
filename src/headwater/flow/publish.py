"""Tell the others."""

from headwater.flow.house import House
from headwater.flow.request import Request
from headwater.kernel.models import Effects
from headwater.kernel.observe import HookFailed


async def publish(house: House, request: Request, effects: Effects) -> None:
    """Hurry durable events and jobs, which are rows already, and tell the events that are not.

    A failure here is observed; the safety net of the outbox and the queue delivers what is durable all the same.
    """
    if effects.events or effects.jobs:
        request.enters("publish")
        try:
            await house.tell(effects)
        except Exception as failure:  # noqa: BLE001 - the answer is already true
            house.observer.tell(HookFailed(part="publish", failure=failure))
