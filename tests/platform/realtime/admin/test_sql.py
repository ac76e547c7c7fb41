"""Publishing by SQL: from sessions like psql's, from triggers, in transactions that fail or wait for each other."""

import asyncio
from typing import Any

import pytest

from headwater.kernel.database import Connect, Database, Login, WritingTransaction
from headwater.kernel.principal import principal_from_claims
from tests.kernel.waiting import until
from tests.platform.realtime.conftest import Desk, Ear

MEMBER = principal_from_claims({"sub": "00000000-0000-4000-8000-000000000007", "role": "authenticated"})
PUBLISH = "select realtime.publish($1, $2, $3::jsonb)"
TRIGGER = """
create table public.notes (id int primary key, owner uuid default auth.uid(), text text);
alter table public.notes enable row level security;
create policy own on public.notes to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
grant select, insert on public.notes to authenticated;
create function public.tell_note() returns trigger language plpgsql as $$
begin
  perform realtime.publish('room:' || new.id, 'note_added', jsonb_build_object('text', new.text));
  return new;
end
$$;
create trigger tell_note after insert on public.notes for each row execute function public.tell_note();
"""


async def listening(desk: Desk, *channels: str) -> Ear:
    ear, _ = await desk.connect()
    for channel in channels:
        await desk.subscribe(ear, channel)
    return ear


async def test_a_session_like_psqls_publishes(connector: Connect, desk: Desk) -> None:
    ear = await listening(desk, "news")
    owner = await connector(Login.OWNER)
    made = await owner.fetchval(PUBLISH, "news", "said", '{"text": "hi"}')
    await owner.fetchval("select realtime.publish('news', 'bare')")
    await owner.close()
    await until(lambda: ear.heard("bare"))
    (heard,) = ear.heard("said")
    assert (heard["text"], heard["meta"]["messageId"], heard["meta"]["senderType"]) == ("hi", str(made), "system")
    assert "senderId" not in heard["meta"]


async def test_no_channel_is_a_warning_and_null(connector: Connect, desk: Desk) -> None:
    await desk.say("update realtime.channels set enabled = false where pattern = 'news'")
    owner = await connector(Login.OWNER)
    told: list[Any] = []
    owner.add_log_listener(lambda _connection, message: told.append(message))
    for channel in ("nowhere", "news"):
        assert await owner.fetchval(PUBLISH, channel, "said", "{}") is None
    await owner.close()
    assert [message.severity_en for message in told] == ["WARNING", "WARNING"]
    assert "nowhere" in told[0].message
    assert await desk.say("select count(*) from realtime.messages") == 0


async def test_the_name_of_the_channel_is_null_outside_of_policies(connector: Connect, desk: Desk) -> None:
    assert desk.directory.find("news") is not None
    owner = await connector(Login.OWNER)
    assert await owner.fetchval("select realtime.channel_name()") is None
    await owner.execute("begin; select set_config('realtime.channel_name', 'news', true)")
    assert await owner.fetchval("select realtime.channel_name()") == "news"
    await owner.execute("rollback")
    assert await owner.fetchval("select realtime.channel_name()") is None
    await owner.close()


async def test_a_trigger_publishes_for_an_authenticated_user(
    connector: Connect, database: Database, desk: Desk
) -> None:
    owner = await connector(Login.OWNER)
    await owner.execute(TRIGGER)
    await owner.close()
    ear = await listening(desk, "room:1", "room:2", "room:3")

    async def insert(tx: WritingTransaction, number: int) -> None:
        await tx.execute("insert into public.notes (id, text) values ($1, 'mine')", number)

    async def insert_and_fail(tx: WritingTransaction) -> None:
        await insert(tx, 2)
        raise LookupError

    await database.writing(lambda tx: insert(tx, 1), MEMBER)
    with pytest.raises(LookupError):
        await database.writing(insert_and_fail, MEMBER)
    await database.writing(lambda tx: insert(tx, 3), MEMBER)
    await until(lambda: len(ear.heard("note_added")) == 2)
    heard = ear.heard("note_added")
    assert [each["meta"]["channel"] for each in heard] == ["realtime:room:1", "realtime:room:3"]
    assert all(each["meta"]["senderType"] == "system" and each["text"] == "mine" for each in heard)
    assert await desk.say("select array_agg(place order by place) from realtime.messages") == [1, 2]


async def test_the_order_is_that_of_commits(connector: Connect, desk: Desk, other: Desk) -> None:
    ears = [await listening(desk, "news"), await listening(other, "news")]
    first, second = await asyncio.gather(connector(Login.OWNER), connector(Login.OWNER))
    await first.execute("begin")
    await first.fetchval(PUBLISH, "news", "early", "{}")
    await second.execute("begin")
    await second.fetchval(PUBLISH, "news", "late", "{}")
    await second.execute("commit")
    for ear in ears:
        await until(lambda ear=ear: ear.heard("late"))
        assert ear.heard("early") == []
    await first.execute("commit")
    for ear in ears:
        await until(lambda ear=ear: ear.heard("early"))
        named = [(name, payload["meta"]["offset"]) for name, payload in ear.told if name in {"early", "late"}]
        assert named == [("late", 1), ("early", 2)]
    await asyncio.gather(first.close(), second.close())
