"""Open streams when the client leaves, the backend is killed or the server stops: places are freed, and breaks show."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain

import httpx
import pytest

from tests.faults.outside import OutsidePostgres
from tests.kit.rest import RunningRest, bearer, prepared_postgres, run_script

LINES, CSV = "application/x-ndjson", "application/vnd.headwater.stream+csv"
ROWS = 100_000
SCHEMA = f"""
create view api.many as select n, repeat(md5(n::text), 8) as note from generate_series(1, {ROWS}) n;
grant select on api.many to editor;
"""
BACKENDS = "from pg_stat_activity where usename = 'authenticator' and query ~* 'headwater_rows' and state <> 'idle'"
PLACES = 4
"""How many streams there may be at once (HEADWATER_DATABASE_STREAMS)."""
WITHIN = 30.0


@pytest.fixture(scope="module")
def postgres() -> Iterator[OutsidePostgres]:
    outside = prepared_postgres()
    run_script(outside, SCHEMA)
    yield outside
    outside.remove()


@pytest.fixture
def streaming(postgres: OutsidePostgres) -> Iterator[RunningRest]:
    running = RunningRest(postgres)
    yield running
    assert running.stop() == 0


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {WITHIN} s")


def opened(stack: ExitStack, running: RunningRest, form: str = LINES) -> Iterator[bytes]:
    """The parts of a stream that has begun; no more is taken than the buffers hold."""
    client = stack.enter_context(httpx.Client(base_url=running.url, timeout=30))
    headers = {**bearer(role="editor"), "accept": form, "accept-encoding": "identity"}
    answer = stack.enter_context(client.stream("GET", "/many", headers=headers))
    assert answer.status_code == 200, answer.read()
    parts = answer.iter_raw()
    return chain([next(parts)], parts)


def all_places_are_free(running: RunningRest) -> bool:
    with ExitStack() as stack:
        headers = {**bearer(role="editor"), "accept": LINES}
        answers = [
            stack.enter_context(running.client.stream("GET", "/many?limit=1", headers=headers)) for _ in range(PLACES)
        ]
        return all(answer.status_code == 200 and answer.read() for answer in answers)


@pytest.mark.parametrize("form", [LINES, CSV])
def test_clients_that_leave_free_their_places(streaming: RunningRest, postgres: OutsidePostgres, form: str) -> None:
    for _ in range(2):
        with ExitStack() as stack:
            streams = [opened(stack, streaming, form) for _ in range(PLACES)]
            assert len(streams) == postgres.sql(f"select count(*) {BACKENDS}") == PLACES
            headers = {**bearer(role="editor"), "accept": form}
            assert streaming.client.get("/many", headers=headers).status_code == 503
        until(lambda: postgres.sql(f"select count(*) {BACKENDS}") == 0)
    assert all_places_are_free(streaming)


@pytest.mark.parametrize("form", [LINES, CSV])
def test_a_killed_backend_is_a_visible_break(streaming: RunningRest, postgres: OutsidePostgres, form: str) -> None:
    with ExitStack() as stack:
        parts = opened(stack, streaming, form)
        assert postgres.sql(f"select count(pg_terminate_backend(pid)) {BACKENDS}") == 1
        with pytest.raises(httpx.RemoteProtocolError):
            sum(map(len, parts))
    until(lambda: all_places_are_free(streaming))
    assert streaming.client.get("/films", headers=bearer(role="editor")).status_code == 200
    assert "RequestFailed" in streaming.log.read_text()


def test_a_server_that_stops_ends_what_is_read_and_breaks_what_is_not(postgres: OutsidePostgres) -> None:
    running = RunningRest(postgres)
    with ExitStack() as stack:
        read, left = opened(stack, running), opened(stack, running)
        running.process.terminate()
        assert sum(part.count(b"\n") for part in read) == ROWS, "who goes on reading gets everything"
        assert running.process.wait(WITHIN + 10) == 0
        with pytest.raises(httpx.RemoteProtocolError):
            sum(map(len, left))
    until(lambda: postgres.sql("select count(*) from pg_stat_activity where usename = 'authenticator'") == 0)
