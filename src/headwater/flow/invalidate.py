"""Forget what is no longer true."""

from headwater.flow.house import House
from headwater.flow.request import Request
from headwater.kernel.models import Effects
from headwater.kernel.observe import HookFailed


async def invalidate(house: House, request: Request, effects: Effects) -> None:
    """Forget every key the transaction named, here and on the other nodes.

    The change is committed: a failure here is observed and healed by expiry or reload, and never undoes the answer.
    """
    if effects.forgets:
        request.enters("invalidate")
        try:
            await house.forget(effects.forgets)
        except Exception as failure:  # noqa: BLE001 - the answer is already true
            house.observer.tell(HookFailed(part="invalidate", failure=failure))
