"""Row changes: everyone is told what he may SELECT, and nothing else."""

import asyncio
from random import Random
from typing import Any

import asyncpg
import pytest

from headwater.kernel.database import WritingTransaction
from headwater.kernel.errors import Refusal
from headwater.kernel.observe import Observer
from headwater.kernel.sockets import CloseReason
from headwater.platform.realtime import queries
from headwater.platform.realtime.changes import RowChanges
from headwater.platform.realtime.errors import (
    InvalidChannelRequest,
    PublishRefused,
    SubscribeRefused,
    TableNotFound,
    UnfitTable,
)
from headwater.platform.realtime.models import RealtimeSettings
from tests.platform.realtime.changes.conftest import ADMIN, Registry, member, told
from tests.platform.realtime.conftest import ANON, Desk, quiet

NOTES = "table:public.notes"


async def test_each_is_told_what_he_may_see(registry: Registry) -> None:
    one, two = member(1), member(2)
    mine = await registry.listen(NOTES, one)
    other = await registry.listen(NOTES, two)
    nobody = await registry.listen(NOTES, ANON)
    await registry.write("insert into notes values (1, $1, false, 'a')", one.id)
    await registry.write("insert into notes values (2, $1, true, 'b')", two.id)
    await registry.write("update notes set text = 'c' where id = 1")
    await registry.write("update notes set public = true where id = 1")
    await registry.write("update notes set public = false where id = 1")
    await registry.write("delete from notes")
    await registry.told()
    first = {"id": 1, "owner": one.id, "public": False, "text": "a"}
    second = {"id": 2, "owner": two.id, "public": True, "text": "b"}
    changed, opened = first | {"text": "c"}, first | {"text": "c", "public": True}
    assert told(mine) == [
        ("INSERT", None, first),
        ("INSERT", None, second),
        ("UPDATE", {"id": 1}, changed),
        ("UPDATE", {"id": 1}, opened),
        ("UPDATE", {"id": 1}, changed),
        ("DELETE", {"id": 2}, None),
        ("DELETE", {"id": 1}, None),
    ]
    for ear in (other, nobody):
        assert told(ear) == [
            ("INSERT", None, second),
            ("INSERT", None, opened),
            ("DELETE", {"id": 1}, None),
            ("DELETE", {"id": 2}, None),
        ]


async def test_the_offsets_are_the_channels_and_a_replay_is_judged_by_now(registry: Registry) -> None:
    one = member(1)
    epoch = (await registry.subscribe((await registry.connect(one))[0], NOTES)).epoch
    await registry.write(
        "insert into notes select n, case when n % 2 = 1 then $1::uuid end from generate_series(1, 6) n", one.id
    )
    await registry.told()
    ear, _ = await registry.connect(one)
    answer = await registry.subscribe(ear, NOTES, since=(2, epoch))
    await registry.told()
    assert (answer.offset, answer.recovered) == (6, True)
    assert [(each["new"]["id"], each["meta"]["offset"], each["meta"]["replayed"]) for _, each in ear.told[1:]] == [
        (3, 3, True),
        (5, 5, True),
    ]
    await registry.make("drop policy own on notes")
    late = await registry.listen(NOTES, one, since=(0, epoch))
    await registry.told()
    assert told(late) == []


async def test_a_client_that_was_cut_off_goes_on(registry: Registry) -> None:
    one = member(1)
    ear, secret = await registry.connect(one)
    await registry.subscribe(ear, f"{NOTES}:id=lt.3")
    await registry.write("insert into notes values (1, $1)", one.id)
    await registry.told()
    ear.close(CloseReason.FAILED)
    await registry.book.close()
    await registry.write("insert into notes values (2, $1), (3, $1)", one.id)
    back, _ = await registry.connect(one, {"pid": secret, "offset": ear.bookmark})
    await registry.write("delete from notes")
    await registry.told()
    assert [(event, (new or old)["id"]) for event, old, new in told(back)] == [
        ("INSERT", 2),
        ("DELETE", 1),
        ("DELETE", 2),
    ]


async def test_many_channels_of_one_table_and_others_keep_the_order_of_the_log(registry: Registry) -> None:
    one = member(1)
    ear, _ = await registry.connect(one)
    await registry.subscribe(ear, "news")
    for channel in (NOTES, f"{NOTES}:id=eq.1", f"{NOTES}:id=eq.2"):
        await registry.subscribe(ear, channel)
    await registry.publish(ear, "news", n=1)
    await registry.write("insert into notes values (1, $1)", one.id)
    await registry.publish(ear, "news", n=2)
    await registry.write("insert into notes values (2, $1)", one.id)
    await registry.publish(ear, "news", n=3)
    await registry.told()
    heard = [
        (each["meta"]["channel"].removeprefix("realtime:"), each.get("n") or each["new"]["id"])
        for _, each in ear.told[1:]
    ]
    assert heard == [
        ("news", 1),
        (NOTES, 1),
        (f"{NOTES}:id=eq.1", 1),
        ("news", 2),
        (NOTES, 2),
        (f"{NOTES}:id=eq.2", 2),
        ("news", 3),
    ]


async def test_a_row_that_leaves_or_enters_the_filter_is_deleted_or_inserted(registry: Registry) -> None:
    one = member(1)
    ear = await registry.listen(f"{NOTES}:text=eq.a", one)
    await registry.write("insert into notes values (1, $1, false, 'b')", one.id)
    await registry.write("update notes set text = 'a'")
    await registry.write("update notes set text = 'b'")
    await registry.told()
    row = {"id": 1, "owner": one.id, "public": False, "text": "a"}
    assert told(ear) == [("INSERT", None, row), ("DELETE", {"id": 1}, None)]


async def test_policies_and_privileges_hold_at_once(registry: Registry) -> None:
    ear = await registry.listen(NOTES, ANON)
    await registry.write("insert into notes values (1, null, true)")
    await registry.told()
    await registry.make("alter policy public on notes using (text = 'free')")
    await registry.write("insert into notes values (2, null, true, ''), (3, null, false, 'free')")
    await registry.told()
    await registry.make("revoke select on notes from anon", "grant select (id, public) on notes to anon")
    await registry.write("insert into notes values (4, null, false, 'free')")
    await registry.told()
    await registry.make("revoke select (id, public) on notes from anon")
    await registry.write("insert into notes values (5, null, false, 'free')")
    await registry.told()
    assert [new for _, _, new in told(ear)] == [
        {"id": 1, "owner": None, "public": True, "text": None},
        {"id": 3, "owner": None, "public": False, "text": "free"},
        {"id": 4, "public": False},
    ]


async def test_truncate_is_told_to_whoever_may_look(registry: Registry) -> None:
    ear, filtered = await registry.listen(NOTES, ANON), await registry.listen(f"{NOTES}:id=eq.7", member(1))
    await registry.write("truncate notes")
    await registry.told()
    for each in (ear, filtered):
        assert told(each) == [("TRUNCATE", None, None)]


async def test_a_changed_key_says_which_row_it_was(registry: Registry) -> None:
    one = member(1)
    await registry.write("insert into notes values (1, $1), (2, $1), (3, $1)", one.id)
    ear = await registry.listen(NOTES, one)
    await registry.write("update notes set id = 10 - id where id <> 2")
    await registry.told()
    assert sorted((old["id"], new["id"]) for _, old, new in told(ear)) == [(1, 9), (3, 7)]


async def test_a_replica_identity_that_is_full_tells_old_rows_to_whoever_saw_them(registry: Registry) -> None:
    one, two = member(1), member(2)
    await registry.make("alter table notes replica identity full")
    mine, other = await registry.listen(NOTES, one), await registry.listen(NOTES, two)
    await registry.write("insert into notes values (1, $1, true)", one.id)
    await registry.write("update notes set public = false")
    await registry.write("delete from notes")
    await registry.told()
    assert [old for _, old, _ in told(mine)] == [
        None,
        {"id": 1, "owner": one.id, "public": True, "text": None},
        {"id": 1, "owner": one.id, "public": False, "text": None},
    ]
    assert [(event, old) for event, old, _ in told(other)] == [("INSERT", None), ("DELETE", {"id": 1})]


async def test_a_big_row_is_told_by_its_key(registry: Registry) -> None:
    one = member(1)
    ear = await registry.listen(NOTES, one)
    await registry.write("insert into notes values (1, $1, false, repeat('x', 70000))", one.id)
    await registry.write("update notes set public = true")
    await registry.told()
    assert [(each.get("old"), each["new"], each["truncated"]) for _, each in ear.told[1:]] == [
        (None, {"id": 1}, True),
        ({"id": 1}, {"id": 1}, True),
    ]


async def test_columns_come_and_go(registry: Registry) -> None:
    one = member(1)
    epoch = (await registry.subscribe((await registry.connect(one))[0], NOTES)).epoch
    await registry.write("insert into notes values (1, $1)", one.id)
    await registry.make("alter table notes drop column text", "alter table notes add column secret int default 7")
    await registry.write("insert into notes values (2, $1)", one.id)
    ear = await registry.listen(NOTES, one, since=(0, epoch))
    await registry.told()
    assert [new for _, _, new in told(ear)] == [
        {"id": 1, "owner": one.id, "public": False},
        {"id": 2, "owner": one.id, "public": False, "secret": 7},
    ]
    # a policy cannot look at a column that the old row did not have
    await registry.make("create policy known on notes as restrictive using (secret is null or secret = 7)")
    late = await registry.listen(NOTES, one, since=(0, epoch))
    await registry.told()
    assert [new["id"] for _, _, new in told(late)] == [2]


async def test_a_table_does_not_answer_for_an_earlier_one_of_its_name(registry: Registry) -> None:
    one = member(1)
    epoch = (await registry.subscribe((await registry.connect(one))[0], NOTES)).epoch
    await registry.write("insert into notes values (1, $1, false, 'secret')", one.id)
    await registry.make("drop table notes", "create table notes (id int primary key, text text)")
    with pytest.raises(SubscribeRefused):
        await registry.listen(NOTES, ANON)
    await registry.tell("notes")
    await registry.write("insert into notes values (2, 'free')")
    ear = await registry.listen(NOTES, ANON, since=(0, epoch))
    await registry.told()
    assert told(ear) == [("INSERT", None, {"id": 2, "text": "free"})]


async def test_a_renamed_table_tells_under_its_new_name(registry: Registry) -> None:
    one = member(1)
    await registry.make("alter table notes rename to letters")
    with pytest.raises(SubscribeRefused):
        await registry.listen(NOTES, one)
    ear = await registry.listen("table:public.letters", one)
    await registry.write("insert into letters values (1, $1)", one.id)
    await registry.told()
    await registry.make('alter table letters rename to "a.b:c"')
    await registry.write('insert into "a.b:c" values (2, $1)', one.id)
    await registry.told()
    assert [new["id"] for _, _, new in told(ear)] == [1]


async def test_partitions_tell_by_their_table(registry: Registry) -> None:
    await registry.make(
        "create table logs (day int, n int, primary key (day, n)) partition by list (day)",
        "create table logs_1 partition of logs for values in (1)",
        "create table logs_2 partition of logs for values in (2)",
    )
    await registry.tell("logs")
    with pytest.raises(UnfitTable, match="partition"):
        await registry.tell("logs_1")
    ear = await registry.listen("table:public.logs:n=gt.0", ANON)
    await registry.write("insert into logs values (1, 1), (2, 2)")
    await registry.write("update logs set day = 2 where n = 1")
    await registry.told()
    assert told(ear) == [
        ("INSERT", None, {"day": 1, "n": 1}),
        ("INSERT", None, {"day": 2, "n": 2}),
        ("UPDATE", {"day": 1, "n": 1}, {"day": 2, "n": 1}),
    ]


async def test_names_and_values_of_every_kind(registry: Registry) -> None:
    await registry.make(
        "create type mood as enum ('happy', 'sad')",
        'create table "told change" (id bigint primary key, change jsonb, nth numeric, "a ""b" mood, at timestamptz,'
        " bytes bytea, many int[], span int4range, address inet, took interval, ratio float8, whole json,"
        ' "told change" text, stored int generated always as (2) stored, computed int generated always as (3) virtual)',
        'alter table "told change" enable row level security',
        'create policy p on "told change" using ("a ""b" = \'happy\' and nth > 1 and computed = 3 and 5 = any(many)'
        " and change ->> 'x' = 'y' and bytes = '\\x00ff' and at < '2026-01-02Z' and 4 <@ span and took > '1s'"
        " and ratio = 'Infinity' and \"told change\" = 'told')",
    )
    await registry.tell("told change")
    ear = await registry.listen('table:public.told change:a "b=eq.happy&at=gte.2026-01-01T00:00:00Z', ANON)
    await registry.write(
        'insert into "told change" values (9007199254740993, \'{"x": "y"}\', 12345678901234567890.10, \'happy\','
        " '2026-01-01 00:00+00', '\\x00ff', '{1,5}', '[1,5)', '10.0.0.1', '2 hours', 'Infinity', '{\"a\": 1}', 'told')"
    )
    await registry.told()
    [(event, _, new)] = told(ear)
    assert event == "INSERT"
    assert new["id"] == 9007199254740993
    assert (new["at"], new["bytes"], new["took"]) == ("2026-01-01T00:00:00+00:00", "\\x00ff", "02:00:00")
    assert (new["stored"], new["computed"], new["whole"], new["many"]) == (2, 3, {"a": 1}, [1, 5])


@pytest.mark.parametrize(
    ("filtered", "reason"),
    [
        ("nothing=eq.1", "no column 'nothing'"),
        ("id=eq.seven", "invalid input syntax for type integer"),
        ("doc=eq.{}", "operator does not exist"),
        ("id=is.null", "a filter is"),
    ],
)
async def test_a_filter_that_cannot_be_is_refused(registry: Registry, filtered: str, reason: str) -> None:
    await registry.make("alter table notes add column doc json")
    with pytest.raises(InvalidChannelRequest, match=reason):
        await registry.listen(f"{NOTES}:{filtered}", member(1))


async def test_who_may_not_look_may_not_listen(registry: Registry) -> None:
    await registry.make(
        "create table secrets (id int primary key, text text)",
        "revoke all on secrets from anon, authenticated",
        "grant select (text) on secrets to authenticated",
        "create table hidden (id int primary key)",
    )
    await registry.tell("secrets")
    for channel, principal in (
        ("table:public.secrets", ANON),
        ("table:public.secrets", member(1)),  # not without the key
        ("table:public.hidden", member(1)),  # not turned on
        ("table:public.missing", member(1)),
        ("table:system.jobs", ADMIN),
    ):
        with pytest.raises(SubscribeRefused):
            await registry.listen(channel, principal)


async def test_nobody_else_speaks_in_a_tables_channel(registry: Registry) -> None:
    await registry.open_channel("table:%")
    one = member(1)
    ear = await registry.listen(NOTES, ANON)
    speaker = await registry.listen(NOTES, one)
    with pytest.raises(PublishRefused):
        await registry.publish(speaker, NOTES, "INSERT", relation=1, new={"id": 1})
    forged = "insert into realtime.messages (event_name, channel_name, payload) values ('INSERT', $1, '{}')"
    for statement in (forged, "select realtime.publish($1, 'INSERT', '{}')"):
        for principal in (one, ADMIN):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await registry.write(statement, NOTES, by=principal)
    await registry.told()
    assert told(ear) == []


async def test_a_policy_that_never_ends_stops_nobody_else(registry: Registry) -> None:
    await registry.make(
        "create table slow (id int primary key)",
        "alter table slow enable row level security",
        "create policy p on slow to authenticated using (pg_sleep(9)::text = '')",
        "create policy q on slow to anon using (1 / id > 0)",
    )
    await registry.tell("slow")
    stuck = await registry.listen("table:public.slow", member(1))
    other = await registry.listen("table:public.slow", ANON)
    friend = await registry.listen("news", member(2))
    await registry.write("insert into slow values (0), (1)")  # on the first, anon's policy fails
    await registry.publish(friend, "news", n=1)
    await registry.told()
    assert stuck.reason is CloseReason.FAILED
    assert told(other) == [("INSERT", None, {"id": 1})]
    assert [each["n"] for each in friend.heard("said")] == [1]


async def test_a_table_that_is_being_altered_holds_nobody_up_for_long(registry: Registry) -> None:
    held, over = asyncio.Event(), asyncio.Event()

    async def alter(tx: WritingTransaction) -> None:
        await tx.execute("alter table notes add column more int")
        held.set()
        await over.wait()

    altering = asyncio.ensure_future(registry.transactions.writing(alter, ADMIN))
    await held.wait()
    with pytest.raises(asyncpg.QueryCanceledError):
        await registry.listen(NOTES, member(1))
    over.set()
    await altering
    await registry.listen(NOTES, member(1))


async def test_what_is_rolled_back_is_told_to_nobody(registry: Registry) -> None:
    ear = await registry.listen(NOTES, ADMIN)

    async def work(tx: WritingTransaction) -> None:
        await tx.execute("insert into notes values (1)")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await registry.transactions.writing(work, ADMIN)
    await registry.write("insert into notes values (2)")
    await registry.write("insert into notes values (2), (3) on conflict (id) do update set text = 'again'")
    await registry.write(
        "merge into notes using (values (2), (4)) v (id) on notes.id = v.id"
        " when matched then delete when not matched then insert (id) values (v.id)"
    )
    await registry.told()
    assert [(event, (new or old)["id"]) for event, old, new in told(ear)] == [
        ("INSERT", 2),
        ("UPDATE", 2),
        ("INSERT", 3),
        ("DELETE", 2),
        ("INSERT", 4),
    ]


async def test_a_table_is_turned_off_and_on(registry: Registry) -> None:
    one = member(1)
    ear = await registry.listen(NOTES, one)
    await registry.tell("notes")  # a second time changes nothing
    await registry.hush("notes")
    await registry.write("insert into notes values (1, $1)", one.id)
    with pytest.raises(SubscribeRefused):
        await registry.listen(NOTES, one)
    with pytest.raises(TableNotFound):
        await registry.hush("notes")
    await registry.tell("notes")
    await registry.write("insert into notes values (2, $1)", one.id)
    await registry.told()
    assert [new["id"] for _, _, new in told(ear)] == [2]


@pytest.mark.parametrize(
    ("table", "refusal"),
    [
        ("missing", TableNotFound),
        ("keyless", UnfitTable),
        ("looks", UnfitTable),
        ("a.b", UnfitTable),
    ],
)
async def test_what_cannot_be_turned_on(registry: Registry, table: str, refusal: type[Refusal]) -> None:
    await registry.make(
        "create table keyless (n int)", "create view looks as select 1 as id", 'create table "a.b" (id int primary key)'
    )
    with pytest.raises(refusal):
        await registry.tell(table)
    with pytest.raises(TableNotFound):
        await registry.tell("users", "auth")


async def test_those_who_see_the_same_are_judged_together(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    judge = queries.judge

    async def counted(transactions: Any, principal: Any, groups: Any, *rest: Any) -> Any:
        asked.append(len(groups))
        return await judge(transactions, principal, groups, *rest)

    monkeypatch.setattr(queries, "judge", counted)
    for number in range(6):
        await registry.listen(NOTES, member(number % 3, iat=number))
    ear = await registry.listen(NOTES, ANON)
    await registry.write("insert into notes values (1, null, true)")
    await registry.told()
    assert sorted(asked) == [1, 3]
    assert len(told(ear)) == 1


async def test_both_nodes_tell_it(registry: Registry, other: Desk, observer: Observer) -> None:
    RowChanges(other.delivery, other.database, observer, RealtimeSettings()).start()
    one = member(1)
    here = await registry.listen(NOTES, one)
    there, _ = await other.connect(one)
    await other.subscribe(there, NOTES)
    for number in range(20):
        await registry.write("insert into notes values ($1, $2)", number, one.id)
    await registry.told()
    await quiet()
    assert [new["id"] for _, _, new in told(here)] == [new["id"] for _, _, new in told(there)] == list(range(20))


async def test_who_comes_and_goes_under_load_misses_nothing_and_hears_nothing_twice(
    registry: Registry, seeded: Random
) -> None:
    one = member(1)
    epoch = (await registry.subscribe((await registry.connect(one))[0], NOTES)).epoch
    heard: list[list[int]] = []

    async def write() -> None:
        for start in range(0, 300, 3):
            await registry.write(
                "insert into notes select n, $2 from generate_series($1::int, $1 + 2) n", start, one.id
            )

    async def come_and_go() -> None:
        mine: list[int] = []
        heard.append(mine)
        offset = 0
        while not written.done() or offset < 300:
            ear = await registry.listen(NOTES, one, since=(offset, epoch))
            await asyncio.sleep(seeded.uniform(0, 0.05))
            ear.close(CloseReason.FAILED)
            mine += [new["id"] for _, _, new in told(ear)]
            offset = max([offset, *(each["meta"]["offset"] for event, each in ear.told if event == "INSERT")])

    written = asyncio.ensure_future(write())
    steady = await registry.listen(NOTES, one, since=(0, epoch))
    await asyncio.gather(written, *(come_and_go() for _ in range(5)))
    await registry.told()
    for each in [*heard, [new["id"] for _, _, new in told(steady)]]:
        assert each == list(range(300))
