"""A channel of PostgreSQL's own, which a bus begins to hear a moment after it is asked to."""

import asyncio

from headwater.kernel.database import Connect, Login


async def told_until_heard(connector: Connect, payloads: list[str], seconds: float = 30) -> None:
    """Say `reload schema` on the channel `pgrst` until it is among the `payloads`, and nothing else."""
    owner = await connector(Login.OWNER)
    try:
        async with asyncio.timeout(seconds):
            while not payloads:
                await owner.execute("notify pgrst, 'reload schema'")
                await asyncio.sleep(0.05)
    finally:
        await owner.close()
    assert set(payloads) == {"reload schema"}
