"""What clients prefer, and that they are told what was heard."""

import pytest

from headwater.platform.records import RecordsSettings
from tests.platform.records.conftest import ADMIN, Ask, Define, header, person, rows

APPLIED = [
    ("GET", "pairs", None, "count=exact, return=minimal, missing=default", "count=exact"),
    ("GET", "pairs", None, "tx=rollback", None),
    ("GET", "pairs", None, "max-affected=1", None),
    ("GET", "pairs", None, "handling=lenient, speed=high", "handling=lenient"),
    ("GET", "pairs", None, "timezone=Asia/Tokyo", "timezone=Asia/Tokyo"),
    ("GET", "pairs", None, "count=exact, count=planned", "count=exact"),
    ("POST", "pairs", {"a": 1, "b": 1}, "resolution=merge-duplicates, count=exact, return=minimal, missing=default",
     "resolution=merge-duplicates, missing=default, return=minimal, count=exact"),
    ("POST", "loose", {"note": "x"}, "resolution=merge-duplicates", None),
    ("PATCH", "pairs?a=eq.1", {"note": "y"}, "resolution=merge-duplicates, missing=null, max-affected=5",
     "missing=null"),
    ("PATCH", "pairs?a=eq.1", {"note": "y"}, "handling=strict, max-affected=5", "handling=strict, max-affected=5"),
    ("DELETE", "pairs?a=eq.1", None, "missing=default, return=representation", "return=representation"),
]  # fmt: skip


async def test_what_was_heard_is_told_in_order(ask: Ask) -> None:
    for method, target, body, prefer, applied in APPLIED:
        reply = await ask(method, target, body, as_=ADMIN, prefer=prefer)
        assert (method, prefer, header(reply, "Preference-Applied")) == (method, prefer, applied)


async def test_another_time_zone(ask: Ask, define: Define) -> None:
    await ask("POST", "kinds", {"code": "a"}, as_=ADMIN)
    for zone, told in [
        ("Asia/Tokyo", "2026-01-02T12:04:05+09:00"),
        ("America/New_York", "2026-01-01T22:04:05-05:00"),
        ("+03", "2026-01-02T06:04:05+03:00"),
    ]:
        reply = await ask("GET", "kinds?select=made", as_=ADMIN, prefer=f"timezone={zone}")
        assert (zone, rows(reply)) == (zone, [{"made": told}])
    assert rows(await ask("GET", "kinds?select=made", as_=ADMIN)) == [{"made": "2026-01-02T03:04:05+00:00"}]
    unknown = await ask("GET", "kinds", as_=ADMIN, prefer="timezone=Mars/Olympus")
    assert (unknown.status, rows(unknown)["code"]) == (400, "22023")
    await define("create function zone() returns text language sql as $$ select current_setting('timezone') $$")
    assert rows(await ask("POST", "rpc/zone", {}, prefer="timezone=Asia/Tokyo")) == "Asia/Tokyo"
    assert rows(await ask("POST", "rpc/zone", {})) == "UTC"


async def test_strict_handling(ask: Ask) -> None:
    for method, target in [("GET", "pairs"), ("POST", "rpc/uid"), ("DELETE", "pairs?a=eq.1")]:
        refused = await ask(method, target, as_=ADMIN, prefer="handling=strict, speed=high, count=many")
        assert (refused.status, rows(refused)["code"]) == (400, "PGRST122")
        assert rows(refused)["details"] == "Invalid preferences: speed=high, count=many"


async def test_a_change_that_goes_too_far_is_undone(ask: Ask) -> None:
    await ask("POST", "pairs", [{"a": n, "b": n} for n in range(3)], as_=ADMIN)
    strict = "handling=strict, max-affected=2"
    for method, body in (("PATCH", {"note": "x"}), ("DELETE", None)):
        refused = await ask(method, "pairs?a=gte.0", body, as_=ADMIN, prefer=strict)
        assert (refused.status, rows(refused)["code"]) == (400, "PGRST124")
        assert rows(refused)["details"] == "The query affects 3 rows"
        assert (await ask(method, "pairs?a=gte.9", body, as_=ADMIN, prefer=strict)).status == 204
    lenient = await ask("PATCH", "pairs?a=gte.0", {"note": "y"}, as_=ADMIN, prefer="max-affected=2")
    assert lenient.status == 204
    assert [row["note"] for row in rows(await ask("GET", "pairs", as_=ADMIN))] == ["y"] * 3


async def test_nobody_chooses_the_end_unless_he_may(ask: Ask) -> None:
    made = await ask("POST", "pairs", {"a": 1, "b": 1}, as_=ADMIN, prefer="tx=rollback")
    assert (made.status, header(made, "Preference-Applied")) == (201, None)
    assert len(rows(await ask("GET", "pairs", as_=ADMIN))) == 1


class TestEnds:
    """Where callers may choose how their transactions end."""

    @pytest.fixture
    def settings(self) -> RecordsSettings:
        return RecordsSettings(tx_end="commit-allow-override")

    async def test_what_is_rolled_back_was_told(self, ask: Ask) -> None:
        back = "return=representation, tx=rollback"
        made = await ask("POST", "pairs?select=a", {"a": 1, "b": 1}, as_=ADMIN, prefer=back)
        assert (made.status, rows(made)) == (201, [{"a": 1}])
        assert header(made, "Preference-Applied") == "return=representation, tx=rollback"
        assert rows(await ask("GET", "pairs", as_=ADMIN)) == []
        await ask("POST", "pairs", {"a": 2, "b": 2}, as_=ADMIN, prefer="tx=commit")
        gone = await ask("DELETE", "pairs?a=eq.2&select=a", as_=ADMIN, prefer=back)
        assert rows(gone) == [{"a": 2}]
        assert len(rows(await ask("GET", "pairs", as_=ADMIN))) == 1

    async def test_calls_are_rolled_back_too(self, ask: Ask, define: Define) -> None:
        await define(
            "create function add_pair(a integer) returns setof pairs language sql as"
            " 'insert into pairs (a, b) values (add_pair.a, 0) returning *'"
        )
        called = await ask("POST", "rpc/add_pair?select=a", {"a": 3}, as_=ADMIN, prefer="tx=rollback")
        assert rows(called) == [{"a": 3}]
        assert rows(await ask("GET", "pairs", as_=ADMIN)) == []

    async def test_what_commit_would_refuse_is_refused(self, ask: Ask, define: Define) -> None:
        await define(
            "create table parents (id integer primary key);"
            "create table children (parent integer references parents deferrable initially deferred)"
        )
        for end in ("rollback", "commit"):
            refused = await ask("POST", "children", {"parent": 1}, as_=ADMIN, prefer=f"tx={end}")
            assert (end, refused.status, rows(refused)["code"]) == (end, 409, "23503")

    async def test_reads_need_no_end(self, ask: Ask) -> None:
        read = await ask("GET", "pairs", as_=ADMIN, prefer="tx=rollback")
        assert (read.status, header(read, "Preference-Applied")) == (200, "tx=rollback")


class TestRollingBack:
    """Where everything is rolled back."""

    @pytest.fixture
    def settings(self) -> RecordsSettings:
        return RecordsSettings(tx_end="rollback")

    async def test_nothing_stays(self, ask: Ask) -> None:
        made = await ask("POST", "pairs", {"a": 1, "b": 1}, as_=ADMIN, prefer="tx=commit")
        assert made.status == 201
        assert rows(await ask("GET", "pairs", as_=ADMIN)) == []
        theirs = await ask("POST", "todos", {"title": "x"}, as_=person(1), prefer="return=representation")
        assert rows(theirs)[0]["owner"] == person(1).id
