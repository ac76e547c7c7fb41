"""The drawing "Record Operations via PostgREST"; docs/flows/record-operations.md."""

import pytest
import pytest_asyncio

from headwater.flow import Request
from headwater.kernel.tokens import Tokens
from headwater.platform.records import Records
from headwater.platform.records.operations import records as records_operations
from tests.flows.trace import ANON, USER, Trace
from tests.kit.door import Door

pytestmark = pytest.mark.asyncio(loop_scope="session")
PATH = "/api/database/records/users"
DRAWN = f"{PATH}?select=*&limit=10"
TABLE = """
  create table users (name text not null, owner uuid not null default auth.uid());
  alter table users enable row level security;
  create policy own on users to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
"""


@pytest_asyncio.fixture(loop_scope="session", scope="module", autouse=True)
async def users(door: Door) -> dict[str, str]:
    """Two users' tokens; each has a row of the drawn table."""
    await door.run_sql(TABLE)
    tokens = {name: await door.sign_up(f"{name}@records.example") for name in ("ada", "grace")}
    for name, token in tokens.items():
        assert (await door.ask_as(token, "POST", PATH, {"name": name})).status == 201
    return tokens


@pytest.fixture
def trace(trace: Trace) -> Trace:
    """Watches who is drawn: the token's judge, and what turns the query into one statement."""
    trace.watch(Tokens, "principal")
    trace.watch(records_operations, "parse")
    trace.watch(records_operations, "plan")
    trace.watch(records_operations, "write_statement")
    return trace


async def test_the_route_is_the_drawn_one(door: Door) -> None:
    request = Request("GET", PATH, "", {}, "127.0.0.1", NotImplemented)
    assert door.house.endpoint(request).declared.operation is Records.read_rows


async def test_reading_passes_the_drawn_stages(door: Door, users: dict[str, str], trace: Trace) -> None:
    with trace.following():
        answered = await door.ask_as(users["ada"], "GET", DRAWN)
    trace.must_pass(
        "stage: limit",
        "stage: authenticate",
        "call: Tokens.principal",
        "stage: limit",
        "stage: validate",
        "stage: transact",
        "call: records.parse",
        "call: records.plan",
        "call: records.write_statement",
        f"take: {USER}",
        "sql: *set_config('request.jwt.claims'*users*limit*",
        f"give back: {USER}",
        "stage: respond",
    )
    assert trace.stages == ["limit", "authenticate", "limit", "validate", "transact", "respond"]
    assert answered.status == 200
    assert [row["name"] for row in answered.json] == ["ada"]


async def test_claims_and_rows_are_one_statement(door: Door, users: dict[str, str], trace: Trace) -> None:
    with trace.following():
        await door.ask_as(users["ada"], "GET", DRAWN)
    assert len([step for step in trace.steps if step.startswith("sql: ")]) == 1


async def test_a_known_shape_is_not_planned_again(door: Door, users: dict[str, str], trace: Trace) -> None:
    await door.ask_as(users["ada"], "GET", f"{DRAWN}&name=neq.x")
    with trace.following():
        answered = await door.ask_as(users["grace"], "GET", f"{DRAWN}&name=neq.y")
    trace.must_not_pass("call: records.*")
    assert [row["name"] for row in answered.json] == ["grace"]


async def test_the_role_is_the_connections(door: Door, users: dict[str, str], trace: Trace) -> None:
    with trace.following():
        answered = await door.ask_as(door.keys.anon_key, "GET", DRAWN)
    trace.must_pass(f"take: {ANON}", "sql: *", f"give back: {ANON}")
    trace.must_not_pass(f"take: {USER}")
    assert answered.body == b"[]"


@pytest.mark.parametrize(
    ("method", "target", "body", "statement"),
    [
        ("POST", PATH, {"name": "new"}, "insert into"),
        ("PATCH", f"{PATH}?name=eq.nobody", {"name": "new"}, "update"),
        ("DELETE", f"{PATH}?name=eq.nobody", None, "delete from"),
    ],
)
async def test_writing_takes_the_same_way(
    door: Door, users: dict[str, str], trace: Trace, method: str, target: str, body: object, statement: str
) -> None:
    with trace.following():
        answered = await door.ask_as(users["grace"], method, target, body)
    assert answered.status in {201, 204}
    trace.must_pass("call: Tokens.principal", "stage: transact", f"take: {USER}", f"sql: *{statement}*")
    assert trace.steps[-2:] == [f"give back: {USER}", "stage: respond"]
