"""Two servers over one PostgreSQL: begun at once, and what ends on one ends on the other."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.faults.outside import OutsidePostgres
from tests.faults.storm import TABLE, eventually, must_be_whole, storm
from tests.kit.nodes import Nodes, outside_postgres, two_nodes
from tests.kit.server import RunningServer

HEARD_WITHIN = 10.0
"""Seconds until what one node commits is known on the other; milliseconds, if the machine is idle."""


@pytest.fixture
def outside() -> Iterator[OutsidePostgres]:
    """A PostgreSQL for one test."""
    with outside_postgres() as postgres:
        yield postgres


@pytest.fixture(scope="module", params=["postgres", "boss"])
def nodes(request: pytest.FixtureRequest) -> Iterator[Nodes]:
    """Two servers by a superuser's URL, and by that of `boss`, who may make roles and owns the database, no more."""
    with outside_postgres() as own, two_nodes(own, request.param, "headwater") as both:
        yield both


def is_welcome(node: RunningServer, token: str) -> bool:
    """Whether an access token is good on a node."""
    with node.client(token) as client:
        return client.get("/api/auth/sessions/current").status_code == 200


def heard(false: Callable[[], bool]) -> float:
    """Seconds until something is no longer so, asked without a pause."""
    began = time.monotonic()
    while false():
        assert time.monotonic() - began < HEARD_WITHIN
    return time.monotonic() - began


def sign_in(node: RunningServer) -> tuple[str, dict[str, Any]]:
    """A new user's address and his session, with a refresh token in the body."""
    email = f"{uuid4().hex[:12]}@example.com"
    with node.client(node.anon_key) as client:
        body = {"email": email, "password": "correct horse", "client_type": "mobile"}
        return email, client.post("/api/auth/users", json=body).raise_for_status().json()


def test_two_first_starts_make_one_house(nodes: Nodes) -> None:
    one, other = nodes
    assert one.anon_key == other.anon_key
    assert one.admin_key == other.admin_key
    jwks = [httpx.get(node.url + "/.well-known/jwks.json").json() for node in nodes]
    assert jwks[0] == jwks[1]
    assert len(jwks[0]["keys"]) == 1
    applied = one.run("migrate")
    assert applied == "nothing to apply\n"
    token = one.sign_up(f"{uuid4().hex[:12]}@example.com")
    assert is_welcome(one, token) and is_welcome(other, token)


def _sign_out(node: RunningServer, session: dict[str, Any]) -> None:
    with node.client(session["accessToken"]) as client:
        client.post("/api/auth/logout", json={"refreshToken": session["refreshToken"]}).raise_for_status()


def _revoke(node: RunningServer, session: dict[str, Any]) -> None:
    with node.client(session["accessToken"]) as client:
        current = client.get("/api/auth/sessions").raise_for_status().json()["sessions"][0]
        client.delete(f"/api/auth/sessions/{current['id']}").raise_for_status()


def _remove(node: RunningServer, session: dict[str, Any]) -> None:
    with node.client(node.admin_key) as client:
        body = {"userIds": [session["user"]["id"]]}
        client.request("DELETE", "/api/auth/users", json=body).raise_for_status()


@pytest.mark.parametrize("end", [_sign_out, _revoke, _remove])
def test_a_session_that_ends_on_one_node_ends_on_the_other(
    nodes: Nodes, end: Callable[[RunningServer, dict[str, Any]], None]
) -> None:
    one, other = nodes
    took: list[float] = []
    for _ in range(5):
        _, session = sign_in(one)
        assert is_welcome(other, session["accessToken"])
        end(one, session)
        took.append(heard(partial(is_welcome, other, session["accessToken"])))
        assert not is_welcome(one, session["accessToken"])
        one, other = other, one
    print(f"\n{end.__name__}: {max(took) * 1000:.0f} ms at most")


def test_a_new_password_ends_the_other_sessions_everywhere(nodes: Nodes) -> None:
    one, other = nodes
    email, session = sign_in(one)
    login = {"email": email, "password": "correct horse", "client_type": "mobile"}
    second = httpx.post(other.url + "/api/auth/sessions", json=login).raise_for_status().json()
    with one.client(second["accessToken"]) as client:
        change = {"currentPassword": "correct horse", "newPassword": "correct horses"}
        client.post("/api/auth/password", json=change).raise_for_status()
    for node in nodes:
        heard(partial(is_welcome, node, session["accessToken"]))
        assert is_welcome(node, second["accessToken"])


def test_a_refresh_token_counts_once_whichever_node_is_asked(nodes: Nodes) -> None:
    """Both nodes are asked at once with one token: one family goes on, with one successor."""
    _, session = sign_in(nodes[0])
    body = {"refreshToken": session["refreshToken"], "client_type": "mobile"}
    with ThreadPoolExecutor(2) as asking:
        asked = [asking.submit(httpx.post, node.url + "/api/auth/refresh", json=body) for node in nodes]
    successors = {answer.result().raise_for_status().json()["refreshToken"] for answer in asked}
    assert len(successors) == 1


def test_a_sign_in_throttled_on_one_node_is_throttled_on_the_other(nodes: Nodes) -> None:
    email, _ = sign_in(nodes[0])
    login = {"email": email, "password": "wrong horse"}
    statuses = [httpx.post(nodes[n % 2].url + "/api/auth/sessions", json=login).status_code for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2


def test_a_table_made_on_one_node_is_served_by_the_other(nodes: Nodes) -> None:
    one, other = nodes
    took: list[float] = []
    for number in range(3):
        table = f"seen_{number}"
        one.sql(f"create table {table} (id int primary key)")
        with one.client(one.admin_key) as here, other.client(other.admin_key) as there:
            path = f"/api/database/records/{table}"
            assert here.get(path).status_code == 200
            took.append(heard(lambda there=there, path=path: there.get(path).status_code != 200))
            one.sql(f"alter table {table} add column note text")
            heard(lambda there=there, path=path: there.get(path, params={"select": "note"}).is_error)
            one.sql(f"drop table {table}")
            assert here.get(path).status_code == 404
            heard(lambda there=there, path=path: there.get(path).status_code != 404)
        one, other = other, one
    print(f"\na table is seen after {max(took) * 1000:.0f} ms at most")


async def by_hand(url: str) -> None:
    """Make a table as someone with psql does."""
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(dsn=url)
    await connection.execute("create table by_hand (id int); grant select on by_hand to project_admin")
    await connection.close()


def test_a_table_made_by_hand_is_served_by_both(nodes: Nodes) -> None:
    asyncio.run(by_hand(nodes[0].environment["HEADWATER_DATABASE_URL"]))
    for node in nodes:
        with node.client(node.admin_key) as client:
            heard(lambda client=client: client.get("/api/database/records/by_hand").is_error)


def test_one_node_killed_in_a_storm_leaves_the_other_at_work(outside: OutsidePostgres) -> None:
    with two_nodes(outside, "postgres", "for_killing") as (one, other):
        one.sql(TABLE)
        with storm(one, "one", 3) as first, storm(other, "other", 3) as second:
            eventually(lambda: len(first.kept) > 20 and len(second.kept) > 20)
            one.kill()
            struck = time.monotonic()
            eventually(lambda: second.has_succeeded_since(struck + 1))
        assert set(second.statuses) == {201}
        must_be_whole(other, first.kept | second.kept)


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGQUIT])
def test_both_nodes_outlive_their_database(outside: OutsidePostgres, blow: signal.Signals) -> None:
    """They answer 503 while it is away, recover by themselves, and miss no session that ended meanwhile."""
    with two_nodes(outside, "postgres", f"for_{blow.name.lower()}") as (one, other):
        one.sql(TABLE)
        _, session = sign_in(one)
        assert is_welcome(other, session["accessToken"])
        with storm(one, "one", 2) as first, storm(other, "other", 2) as second:
            eventually(lambda: len(first.kept) > 10 and len(second.kept) > 10)
            outside.stop(blow)
            eventually(lambda: first.statuses[503] and second.statuses[503])
            outside.start()
            back = time.monotonic()
            eventually(lambda: first.has_succeeded_since(back) and second.has_succeeded_since(back))
        print(f"\n{blow.name}: back after {max(first.silence(back), second.silence(back)):.2f} s")
        for blowing in (first, second):
            assert blowing.without_retry_after == []
            assert blowing.broken_off == 0
        must_be_whole(one, first.kept | second.kept)
        assert is_welcome(other, session["accessToken"])
        _sign_out(one, session)
        heard(lambda: is_welcome(other, session["accessToken"]))
