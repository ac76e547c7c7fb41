"""The rooms of those who see the same rows."""

from tests.platform.realtime.changes.conftest import Registry, member, told
from tests.platform.realtime.conftest import ANON

NOTES = "table:public.notes"


async def test_nobody_sits_in_anothers_room_by_what_he_calls_his_channel(registry: Registry) -> None:
    victim = await registry.listen(f"{NOTES}:text=neq.z", member(1))
    group = f'authenticated {{"sub":"{member(1).id}"}}'
    attacker = await registry.listen(f"{NOTES}:text=neq.z {group}", ANON)
    await registry.make("revoke select on notes from anon")
    await registry.write("insert into notes values (1, $1, false, 'secret')", member(1).id)
    await registry.told()
    assert [new["text"] for _, _, new in told(victim)] == ["secret"]
    assert told(attacker) == []
