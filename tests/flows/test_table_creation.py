"""The drawing "Database Table Creation Flow"; docs/flows/table-creation.md."""

import asyncio

import pytest

from headwater.flow import Request
from headwater.kernel.bus import Nodes
from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Login
from headwater.platform.database import DatabaseAdmin
from tests.flows.trace import ADMIN, Trace
from tests.kit.door import Door
from tests.kit.server import RunningServer

PATH = "/api/database/tables"
COLUMN = {"name": "word", "type": "string", "nullable": True, "unique": False}
in_the_house = pytest.mark.asyncio(loop_scope="session")
STAGES = ["limit", "authenticate", "limit", "validate", "transact", "invalidate", "respond"]


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: the catalog of what the REST API shows, and the bus to the other nodes."""
    trace.watch(Catalog, "refresh")
    trace.watch(Nodes, "tell_all")
    return trace


@in_the_house
async def test_the_route_is_the_drawn_one(door: Door) -> None:
    request = Request("POST", PATH, "", {}, "127.0.0.1", NotImplemented)
    assert door.house.endpoint(request).declared.operation is DatabaseAdmin.create_table


@in_the_house
async def test_creation_passes_the_drawn_stages(door: Door, trace: Trace) -> None:
    wanted = {"name": "drawn", "columns": [COLUMN], "useRLS": True}
    with trace.following():
        answered = await door.ask_as(door.keys.admin_key, "POST", PATH, wanted)
    trace.must_pass(
        "stage: transact",
        f"take: {ADMIN}",
        "sql: begin *project_admin*",
        'sql: create table "public"."drawn" *',
        'sql: alter table "public"."drawn" enable row level security',
        'sql: create trigger * before update on "public"."drawn" *',
        "sql: commit",
        f"give back: {ADMIN}",
        "stage: invalidate",
        "call: Catalog.refresh",
        "call: Nodes.tell_all",
        "stage: respond",
    )
    assert trace.stages == STAGES
    assert answered.status == 201
    assert {"message", "tableName", "columns"} <= answered.json.keys()


@in_the_house
async def test_without_row_security_only_that_step_is_missing(door: Door, trace: Trace) -> None:
    wanted = {"name": "open_to_all", "columns": [COLUMN], "useRLS": False}
    with trace.following():
        await door.ask_as(door.keys.admin_key, "POST", PATH, wanted)
    trace.must_pass("sql: create table *", "sql: create trigger *", "sql: commit", "call: Catalog.refresh")
    trace.must_not_pass("sql: alter table *")


@in_the_house
async def test_postgres_itself_tells_whoever_listens(door: Door) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    def hear(_connection: object, _process: int, channel: str, _payload: object) -> None:
        heard.put_nowait(channel)

    lease = door.house.database.lease
    listener = await lease.take(Login.OWNER)
    try:
        await listener.add_listener("headwater_ddl", hear)
        wanted = {"name": "told", "columns": [COLUMN], "useRLS": True}
        await door.ask_as(door.keys.admin_key, "POST", PATH, wanted)
        assert await asyncio.wait_for(heard.get(), 30) == "headwater_ddl"
    finally:
        lease.give_back(Login.OWNER, listener, dirty=True)


@in_the_house
async def test_the_table_is_served_by_the_next_request(door: Door) -> None:
    user = await door.sign_up("first@example.com")
    assert (await door.ask_as(user, "GET", "/api/database/records/at_once")).status == 404
    wanted = {"name": "at_once", "columns": [COLUMN], "useRLS": True}
    await door.ask_as(door.keys.admin_key, "POST", PATH, wanted)
    answered = await door.ask_as(user, "GET", "/api/database/records/at_once")
    assert (answered.status, answered.body) == (200, b"[]")


@in_the_house
async def test_a_refused_table_leaves_nothing_to_forget(door: Door, trace: Trace) -> None:
    wanted = {"name": "twice", "columns": [COLUMN], "useRLS": True}
    await door.ask_as(door.keys.admin_key, "POST", PATH, wanted)
    with trace.following():
        answered = await door.ask_as(door.keys.admin_key, "POST", PATH, wanted)
    assert (answered.status, answered.json["error"]) == (400, "DATABASE_DUPLICATE")
    assert trace.stages == [stage for stage in STAGES if stage != "invalidate"]
    trace.must_not_pass("sql: create table *", "call: Catalog.refresh")


def test_a_running_server_tells_the_admin_the_same_stages(server: RunningServer) -> None:
    with server.client(server.admin_key) as client:
        answered = client.post(PATH, json={"name": "timed", "columns": [COLUMN], "useRLS": True})
        client.delete(f"{PATH}/timed").raise_for_status()
    told = [entry.partition(";")[0] for entry in answered.headers["server-timing"].split(", ")]
    assert told == STAGES
