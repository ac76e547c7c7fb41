"""Several processes behind one address."""

import json
import shutil
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client import generate_latest

from headwater.boot.crew.metrics import CrewMetrics, merged
from headwater.kernel.observe import ConnectionOpened
from tests.kit.server import RunningServer, new_folder


@pytest.fixture(scope="module")
def crew() -> Iterator[RunningServer]:
    """A server of three processes, with ten connections to Postgres between them."""
    folder = new_folder()
    running = RunningServer(folder, {"HEADWATER_DATABASE_POOL_MAX": "10"}, "--workers", "3")
    yield running
    code = running.stop()
    log = running.log.read_text()
    shutil.rmtree(folder.parent, ignore_errors=True)
    assert code == 0, log[-4000:]


def told(crew: RunningServer, event: str) -> list[dict[str, object]]:
    """The log lines of one kind."""
    lines = [line for line in crew.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in map(json.loads, lines) if line["event"] == event]


def test_all_of_them_answer_and_it_is_said_once(crew: RunningServer) -> None:
    text = crew.log.read_text()
    assert text.count("Headwater answers at") == 1
    assert "It is answered by     3 processes" in text
    assert text.count("Limits are counted    by each process for itself") == 1
    assert {line["number"] for line in told(crew, "ProcessReady")} == {0, 1, 2}
    assert {line["url"] for line in told(crew, "ServerStarted")} == {crew.url}


def test_whoever_is_asked_tells_the_metrics_of_all(crew: RunningServer) -> None:
    for _ in range(5):
        text = httpx.get(crew.url + "/metrics").raise_for_status().text
        assert {f'process="{number}"' in text for number in range(3)} == {True}
        assert text.count("# TYPE headwater_request_seconds histogram") == 1


def test_what_ends_in_one_process_has_ended_in_all(crew: RunningServer) -> None:
    for number in range(5):
        token = crew.sign_up(f"user{number}@example.com")
        with crew.client(token) as client:
            client.post("/api/auth/logout").raise_for_status()
        for _ in range(12):  # each by a connection of its own, which any process may take
            answer = httpx.get(crew.url + "/api/auth/sessions/current", headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == 401


def test_a_table_is_known_to_all_once_it_is_made(crew: RunningServer) -> None:
    crew.sql("create table noted (id int primary key)")
    headers = {"authorization": f"Bearer {crew.admin_key}"}
    for _ in range(12):
        crew.sql("insert into noted select coalesce(max(id), 0) + 1 from noted")
    rows = [httpx.get(crew.url + "/api/database/records/noted", headers=headers) for _ in range(12)]
    assert {answer.status_code for answer in rows} == {200}


def test_together_they_keep_within_the_connections_of_one(crew: RunningServer) -> None:
    rows = crew.sql("select current_setting('max_connections')::int as most")
    assert rows
    text = httpx.get(crew.url + "/metrics").text
    opened = [line for line in text.splitlines() if line.startswith("headwater_connections{")]
    for number in range(3):
        mine = [float(line.rpartition(" ")[2]) for line in opened if f'process="{number}"' in line]
        assert sum(mine) <= 3


def test_an_address_that_is_taken_is_told_by_the_first(crew: RunningServer) -> None:
    folder = new_folder()
    port = crew.url.rpartition(":")[2]
    with pytest.raises(AssertionError, match=f"Cannot listen on 127.0.0.1:{port}"):
        RunningServer(folder, None, "--workers", "2", "--port", port)
    shutil.rmtree(folder.parent, ignore_errors=True)


def test_families_are_joined_and_samples_keep_apart() -> None:
    one, other = CrewMetrics(new_folder(), 0), CrewMetrics(new_folder(), 1)
    one(ConnectionOpened(login="anon"))
    for _ in range(2):
        other(ConnectionOpened(login="anon"))

    class Source:
        def collect(self) -> object:
            return merged({"0": one.render().decode(), "1": other.render().decode()})

    lines = generate_latest(Source()).decode().splitlines()  # pyright: ignore[reportArgumentType]
    assert lines.count("# TYPE headwater_connections gauge") == 1
    assert 'headwater_connections{login="anon",process="0"} 1.0' in lines
    assert 'headwater_connections{login="anon",process="1"} 2.0' in lines


async def test_who_does_not_answer_is_left_out() -> None:
    place = new_folder()
    one, other = CrewMetrics(place, 0), CrewMetrics(place, 1)
    async with one.told():
        async with other.told():
            assert b'process="1"' in await one.scrape()
        (place / "metrics-1.sock").touch()
        text = await one.scrape()
        assert b'process="0"' in text and b'process="1"' not in text
