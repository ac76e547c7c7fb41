"""Rows that leave line by line, as fast as they are taken: NDJSON and CSV."""

import asyncio
import csv
import json
from io import StringIO
from pathlib import Path

import asyncpg
import pytest

from headwater.kernel.database import Database, DatabaseSettings, Transactions
from headwater.kernel.errors import Busy, TimedOut
from headwater.kernel.models import Reply
from headwater.kernel.principal import NOBODY, Principal
from headwater.platform.records import Records
from tests.kit.server import RunningServer
from tests.platform.records.conftest import ADMIN, Ask, Define, header, person, raw_request, rows

LINES = "application/x-ndjson"
CSV = "application/vnd.headwater.stream+csv"


async def whole(reply: Reply) -> bytes:
    """Everything a streamed reply says."""
    assert reply.stream is not None
    return b"".join([reply.body, *[part async for part in reply.stream]])


@pytest.fixture
async def many(define: Define) -> None:
    """A thousand rows."""
    await define(
        """
        create table many (id int primary key, note text, extra json);
        insert into many select n, case when n % 3 = 0 then null else 'line ' || n end, e'{"a":\\n 1}'
          from generate_series(1, 1000) n;
        """
    )


async def test_each_line_is_a_row(ask: Ask, many: None) -> None:
    reply = await ask("GET", "many?order=id.desc", as_=ADMIN, accept=LINES)
    assert (reply.status, reply.media_type) == (200, "application/x-ndjson; charset=utf-8")
    lines = (await whole(reply)).decode().split("\n")
    assert lines.pop() == ""
    plain = rows(await ask("GET", "many?order=id.desc", as_=ADMIN))
    assert [json.loads(line) for line in lines] == plain
    assert len(plain) == 1000
    stripped = await ask("GET", "many?select=id,note&id=eq.3", as_=ADMIN, accept=f"{LINES};nulls=stripped")
    assert await whole(stripped) == b'{"id":3}\n'


async def test_csv(ask: Ask, define: Define) -> None:
    await define(
        """create table odd (a text, "b,c" int); insert into odd values ('x "y" \\ z', 1), (e'two\\nlines', null)"""
    )
    streamed = await ask("GET", "odd", as_=ADMIN, accept=CSV)
    assert streamed.media_type == "text/csv; charset=utf-8"
    told = await whole(streamed)
    assert told == (await ask("GET", "odd", as_=ADMIN, accept="text/csv")).body + b"\n"
    assert list(csv.reader(StringIO(told.decode()))) == [["a", "b,c"], ['x "y" \\ z', "1"], ["two\nlines", ""]]
    assert await whole(await ask("GET", "odd?a=eq.0", as_=ADMIN, accept=CSV)) == b'a,"b,c"\n'


async def test_everything_a_query_says_holds(ask: Ask, many: None, music: None) -> None:
    window = await ask("GET", "many?select=id&id=gt.10&order=id&limit=5&offset=2", as_=ADMIN, accept=LINES)
    assert await whole(window) == b"".join(b'{"id":%d}\n' % number for number in range(13, 18))
    embedded = await ask("GET", "bands?select=name,albums(title)&id=eq.1&albums.order=title", as_=ADMIN, accept=LINES)
    assert json.loads(await whole(embedded)) == {"name": "Fjord", "albums": [{"title": "Ice"}, {"title": "Snow"}]}
    grouped = await ask("GET", "many?select=count()", as_=ADMIN, accept=LINES)
    assert json.loads(await whole(grouped)) == {"count": 1000}
    by_body = await ask("QUERY", "many", b"select=id&id=in.(1,2)&order=id", as_=ADMIN, accept=LINES)
    assert await whole(by_body) == b'{"id":1}\n{"id":2}\n'
    counted = await ask("GET", "many?id=eq.1", as_=ADMIN, accept=LINES, prefer="count=exact, timezone=Asia/Tokyo")
    assert header(counted, "Preference-Applied") == "timezone=Asia/Tokyo"
    await whole(counted)
    head = await ask("HEAD", "many", as_=ADMIN, accept=LINES, prefer="count=exact")
    assert (head.stream, head.body, header(head, "Content-Range")) == (None, b"", "0-999/1000")


async def test_policies_hold(ask: Ask, tables: None) -> None:
    await ask("POST", "todos", [{"title": "mine"}], as_=person(1))
    assert await whole(await ask("GET", "todos?select=title", as_=person(1), accept=LINES)) == b'{"title":"mine"}\n'
    assert await whole(await ask("GET", "todos?select=title", as_=person(2), accept=LINES)) == b""


@pytest.mark.parametrize(
    ("method", "target", "as_", "status", "code"),
    [
        ("GET", "hidden", person(1), 403, "42501"),
        ("GET", "nowhere", ADMIN, 404, "PGRST205"),
        ("GET", "pairs?a=eq.x", ADMIN, 400, "22P02"),
        ("GET", "rpc/uid", ADMIN, 406, "PGRST107"),
        ("POST", "pairs", ADMIN, 406, "PGRST107"),
    ],
)
async def test_refusals_come_first(
    ask: Ask, database: Database, tables: None, method: str, target: str, as_: Principal, status: int, code: str
) -> None:
    refused = await ask(method, target, None if method == "GET" else {"a": 1}, as_=as_, accept=LINES)
    assert (refused.status, rows(refused)["code"], refused.stream) == (status, code, None)
    assert database.lease.lent_count == 0


async def test_who_leaves_frees_the_connection(ask: Ask, database: Database, many: None) -> None:
    reply = await ask("GET", "many", as_=ADMIN, accept=LINES)
    assert reply.stream is not None
    assert database.lease.lent_count == 1
    await reply.stream.aclose()
    assert database.lease.lent_count == 0
    again = await ask("GET", "many?select=id&limit=1", as_=ADMIN, accept=LINES)
    await whole(again)
    assert database.lease.lent_count == 0


async def test_one_that_breaks_says_so(ask: Ask, database: Database, define: Define) -> None:
    await define("create table halves (n int); insert into halves select generate_series(-99, 0)")
    await define("create function half(h halves) returns int language sql as 'select 1 / h.n'")
    reply = await ask("GET", "halves?select=half", as_=ADMIN, accept=LINES)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await whole(reply)
    assert database.lease.lent_count == 0


class TestFewAndShort:
    """Bounds on how many there are, and how long they last."""

    @pytest.fixture
    def database_settings(self) -> DatabaseSettings:
        return DatabaseSettings(streams=1, stream_seconds=0.2)

    async def test_there_are_never_more(
        self, records: Records, database: Database, many: None, database_settings: DatabaseSettings
    ) -> None:
        bounded = Database(database.lease, database._clock, database._observer, database_settings)
        asked = raw_request("GET", "many", headers={"accept": LINES})
        one = await records.read_rows(Transactions(bounded), ADMIN, asked)
        with pytest.raises(Busy):
            await records.read_rows(Transactions(bounded), ADMIN, asked)
        await asyncio.sleep(0.25)
        with pytest.raises(TimedOut):
            await whole(one)
        assert database.lease.lent_count == 0
        after = await records.read_rows(Transactions(bounded), ADMIN, asked)
        assert after.stream is not None
        await after.stream.aclose()


async def test_strangers_see_what_strangers_see(ask: Ask, tables: None) -> None:
    assert await whole(await ask("GET", "todos", as_=NOBODY, accept=LINES)) == b""


def test_a_hundred_thousand_rows_take_little_memory(own_server: RunningServer) -> None:
    own_server.sql("create table large (id int primary key, note text)")
    own_server.sql("insert into large select n, repeat(md5(n::text), 8) from generate_series(1, 100000) n")
    with own_server.client(own_server.admin_key) as client:
        client.get("/rest/v1/large?limit=1", headers={"accept": LINES}).raise_for_status()
        before = _peak(own_server)
        size = lines = 0
        with client.stream("GET", "/rest/v1/large", headers={"accept": LINES, "accept-encoding": "identity"}) as answer:
            assert answer.status_code == 200
            for part in answer.iter_bytes():
                size += len(part)
                lines += part.count(b"\n")
        assert (lines, size > 25_000_000) == (100_000, True)
        assert _peak(own_server) - before <= 16 * 1024
        with client.stream("GET", "/rest/v1/large", headers={"accept": CSV}) as answer:
            next(answer.iter_bytes())
    with own_server.client(own_server.admin_key) as client:
        for _ in range(8):  # who leaves early leaves nothing behind: there are four places
            with client.stream("GET", "/rest/v1/large?select=id", headers={"accept": LINES}) as answer:
                assert answer.status_code == 200
                answer.read()


def _peak(server: RunningServer) -> int:
    """The most memory that the process has held, in KiB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])
