"""How many rows there are: counted, estimated, and what the answer says of its place among them."""

import pytest

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Login
from headwater.platform.records import RecordsSettings
from tests.platform.records.conftest import ADMIN, Ask, header, person, rows

ROWS = 200


@pytest.fixture
async def many(ask: Ask, connector: Connect, catalog: Catalog) -> None:
    """Two hundred rows of one user and ten of another; Postgres has looked at them."""
    await ask("POST", "todos", [{"title": str(n), "priority": n} for n in range(ROWS)], as_=person(1))
    await ask("POST", "todos", [{"title": "x"}] * 10, as_=person(2))
    admin = await connector(Login.ADMIN)
    await admin.execute("analyze todos")
    await admin.close()


EXACT = [
    ("todos", "", 200, "0-199/200"),
    ("todos?limit=10", "", 206, "0-9/200"),
    ("todos?limit=10&offset=195", "", 206, "195-199/200"),
    ("todos?offset=200", "", 206, "*/200"),
    ("todos?offset=201", "", 416, "*/200"),
    ("todos?limit=0", "", 206, "*/200"),
    ("todos?priority=gte.190&limit=3", "", 206, "0-2/10"),
    ("todos?priority=lt.0", "", 200, "*/0"),
    ("todos", "5-9", 206, "5-9/200"),
    ("todos", "198-500", 206, "198-199/200"),
    ("todos?limit=3", "5-9", 206, "*/200"),
    ("todos", "300-", 416, "*/200"),
    ("todos", "9-5", 416, None),
]


@pytest.mark.usefixtures("many")
async def test_exactly(ask: Ask) -> None:
    for target, served, status, told in EXACT:
        headers = {"range": served} if served else {}
        reply = await ask("GET", target, as_=person(1), prefer="count=exact", **headers)
        found = (target, served, reply.status, header(reply, "Content-Range"))
        assert found == (target, served, status, told)


@pytest.mark.usefixtures("many")
async def test_head_tells_the_same_without_a_body(ask: Ask) -> None:
    for preferred in ("exact", "planned", "estimated"):
        got, head = [
            await ask(method, "todos?limit=5", as_=person(1), prefer=f"count={preferred}") for method in ("GET", "HEAD")
        ]
        assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")
    outside = await ask("HEAD", "todos?offset=201", as_=person(1), prefer="count=exact")
    assert outside.status == 416


@pytest.mark.usefixtures("many")
async def test_as_postgres_plans(ask: Ask) -> None:
    every = await ask("GET", "todos?limit=5", as_=ADMIN, prefer="count=planned")
    assert (every.status, header(every, "Content-Range")) == (206, "0-4/210")
    assert header(every, "Preference-Applied") == "count=planned"
    some = await ask("GET", "todos?priority=lt.100&limit=5", as_=ADMIN, prefer="count=planned")
    total = int((header(some, "Content-Range") or "").partition("/")[2])
    assert 80 <= total <= 120  # an estimate, but one that knows the filter


@pytest.mark.usefixtures("many")
async def test_a_plan_never_denies_what_is_seen(ask: Ask) -> None:
    reply = await ask("GET", "todos?title=like.*9*&limit=15", as_=ADMIN, prefer="count=planned")
    assert len(rows(reply)) == 15
    assert int((header(reply, "Content-Range") or "").partition("/")[2]) >= 15


@pytest.mark.usefixtures("many")
async def test_estimated_is_exact_where_nothing_is_capped(ask: Ask) -> None:
    reply = await ask("GET", "todos?limit=5", as_=person(1), prefer="count=estimated")
    assert header(reply, "Content-Range") == "0-4/200"


@pytest.mark.usefixtures("many")
class TestCapped:
    """Where an answer holds at most fifty rows."""

    @pytest.fixture
    def settings(self) -> RecordsSettings:
        return RecordsSettings(max_rows=50)

    async def test_no_answer_holds_more(self, ask: Ask) -> None:
        told = await ask("GET", "todos", as_=person(1))
        assert (told.status, len(rows(told)), header(told, "Content-Range")) == (200, 50, "0-49/*")
        told = await ask("GET", "todos?limit=70", as_=person(1), prefer="count=exact")
        assert (told.status, len(rows(told)), header(told, "Content-Range")) == (206, 50, "0-49/200")

    async def test_few_are_counted(self, ask: Ask) -> None:
        told = await ask("GET", "todos?priority=lt.50&limit=5", as_=person(1), prefer="count=estimated")
        assert header(told, "Content-Range") == "0-4/50"

    async def test_many_are_estimated(self, ask: Ask) -> None:
        told = await ask("GET", "todos", as_=ADMIN, prefer="count=estimated")
        assert header(told, "Content-Range") == "0-49/210"
        low = await ask("GET", "todos?title=like.*1*", as_=ADMIN, prefer="count=estimated")
        assert int((header(low, "Content-Range") or "").partition("/")[2]) >= 51  # so many were seen


WRITTEN: list[tuple[str, str, object, str]] = [
    ("POST", "pairs", [{"a": 1, "b": 1}, {"a": 2, "b": 2}], "*/2"),
    ("PATCH", "pairs?a=gt.0", {"note": "x"}, "0-1/2"),
    ("PATCH", "pairs?a=gt.5", {"note": "x"}, "*/0"),
    ("PATCH", "pairs?a=gt.0", {}, "*/0"),
    ("DELETE", "pairs?a=eq.1", None, "*/1"),
]


async def test_what_was_changed_is_counted(ask: Ask) -> None:
    for method, target, body, told in WRITTEN:
        reply = await ask(method, target, body, as_=ADMIN, prefer="count=exact")
        assert (method, target, header(reply, "Content-Range")) == (method, target, told)
