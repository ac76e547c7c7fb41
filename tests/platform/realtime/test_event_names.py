"""Names that no message may have: socket.io-client ends the connection of whoever is told of one."""

import asyncpg
import pytest

from headwater.kernel.database import Connect, Login
from headwater.kernel.sockets import RESERVED
from headwater.platform.realtime.errors import ReservedEvent
from headwater.platform.realtime.models import MessageToPublish, PublishTo
from tests.platform.realtime.conftest import ANON, Desk

HOUSE = ("presence:join", "presence:leave", "presence:update", "realtime:error")


@pytest.mark.parametrize("name", [*sorted(RESERVED), *HOUSE])
@pytest.mark.parametrize("ephemeral", [False, True])
async def test_no_publisher_can_end_the_connections_of_a_channel(desk: Desk, name: str, *, ephemeral: bool) -> None:
    ear, _ = await desk.connect()
    await desk.subscribe(ear, "news")
    with pytest.raises(ReservedEvent, match=f"event: {name} is reserved"):
        await desk.publishing.publish(
            desk.transactions, ANON, PublishTo(channel="news", event=name, socket=ear, ephemeral=ephemeral)
        )
    with pytest.raises(ReservedEvent, match=f"eventName: {name} is reserved"):
        await desk.publishing.publish_to(desk.transactions, ANON, MessageToPublish(id="news", event_name=name))
    assert await desk.say("select count(*) from realtime.messages") == 0


async def test_neither_can_sql(connector: Connect, desk: Desk) -> None:
    owner = await connector(Login.OWNER)
    for name in sorted(RESERVED):
        with pytest.raises(asyncpg.CheckViolationError, match="event_name_is_not_reserved"):
            await owner.fetchval("select realtime.publish('news', $1)", name)
    await owner.close()
    assert await desk.say("select count(*) from realtime.messages") == 0
