"""SIGKILL, SIGSTOP and SIGTERM for a server at work, and for the PostgreSQL beneath it."""

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest

from headwater.kernel.database.embedded.leftovers import leader_of, processes_of
from tests.faults.storm import PATH, TABLE, eventually, must_be_whole, storm
from tests.kit.server import COMMAND, RunningServer, new_folder

RECOVERS_WITHIN = 10.0
ENDS_WITHIN = 15.0
ENDPOINT_SECONDS = 30.0
LOCK = 4242


@pytest.fixture(scope="module")
def outliving() -> Iterator[RunningServer]:
    """A server whose PostgreSQL is hurt, and which lives through all of it."""
    folder = new_folder()
    running = RunningServer(folder)
    running.sql(TABLE)
    yield running
    if running.process.poll() is None:
        running.stop()
    shutil.rmtree(folder.parent, ignore_errors=True)


def test_what_was_answered_survives_a_killed_server(
    own_server: RunningServer, seeded: random.Random, scaled: Callable[[int], int]
) -> None:
    own_server.sql(TABLE)
    kept: set[str] = set()
    for number in range(scaled(20)):
        with storm(own_server, f"round{number}") as blowing:
            eventually(lambda: len(blowing.kept) > 10)
            time.sleep(seeded.uniform(0, 1))
            own_server.kill()
        kept |= blowing.kept
        own_server.start()
        must_be_whole(own_server, kept)
    print(f"\n{len(kept)} pairs written, all there")


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT, signal.SIGQUIT])
def test_a_killed_postgres_is_told_and_comes_back(outliving: RunningServer, blow: signal.Signals) -> None:
    with storm(outliving, uuid4().hex) as blowing:
        eventually(lambda: len(blowing.kept) > 20)
        leader = leader_of(outliving.folder / "postgres")
        assert leader is not None
        os.kill(leader, blow)
        eventually(lambda: blowing.statuses[503])
        lost = next(moment for moment, status in blowing.answered_at if status == 503)
        eventually(lambda: blowing.has_succeeded_since(lost + 0.2))
    silence = blowing.silence(lost + 0.2)
    print(f"\n{blow.name}: back after {silence:.2f} s, {dict(blowing.statuses)}")
    assert silence < RECOVERS_WITHIN
    assert blowing.without_retry_after == []
    assert blowing.broken_off == 0
    assert outliving.process.poll() is None
    must_be_whole(outliving, blowing.kept)
    eventually(lambda: httpx.get(outliving.url + "/health").json()["status"] == "ok")


def test_a_stopped_postgres_holds_nobody_for_ever(outliving: RunningServer) -> None:
    """Frozen, it is no longer ready and answers nobody; thawed, what waited goes on."""
    frozen = processes_of(outliving.folder / "postgres")
    with storm(outliving, uuid4().hex) as blowing:
        eventually(lambda: len(blowing.kept) > 20)
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        for pid in set(processes_of(outliving.folder / "postgres")) - set(frozen):
            os.kill(pid, signal.SIGSTOP)
        eventually(lambda: not outliving.is_ready())
        assert httpx.get(outliving.url + "/api/health").status_code == 200
        time.sleep(2)
        for pid in processes_of(outliving.folder / "postgres"):
            os.kill(pid, signal.SIGCONT)
        thawed = time.monotonic()
        eventually(lambda: blowing.has_succeeded_since(thawed))
    assert blowing.broken_off == 0
    assert blowing.without_retry_after == []
    must_be_whole(outliving, blowing.kept)
    eventually(outliving.is_ready)


def test_a_frozen_postgres_is_given_up_on(outliving: RunningServer) -> None:
    """Whoever waits for it is told so when his endpoint's time is over, and thawed it serves again."""
    with storm(outliving, uuid4().hex) as blowing:
        eventually(lambda: len(blowing.kept) > 20)
        frozen = processes_of(outliving.folder / "postgres")
        try:
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            eventually(lambda: blowing.statuses[504], ENDPOINT_SECONDS + 5)
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        thawed = time.monotonic()
        eventually(lambda: blowing.has_succeeded_since(thawed))
    assert {201, 504} <= set(blowing.statuses) <= {201, 503, 504}
    assert blowing.broken_off == 0
    must_be_whole(outliving, blowing.kept)


def asking(server: RunningServer, seconds: int, answers: list[httpx.Response | httpx.HTTPError]) -> threading.Thread:
    """A request that takes so long, sent from a thread; Postgres is at it."""

    def ask() -> None:
        with server.client(server.admin_key) as client:
            try:
                query = f"select pg_try_advisory_xact_lock({LOCK}), 'done' as word, pg_sleep({seconds})::text"
                answers.append(client.post("/api/database/advance/rawsql", json={"query": query}))
            except httpx.HTTPError as failure:
                answers.append(failure)

    thread = threading.Thread(target=ask)
    thread.start()
    eventually(lambda: server.sql(f"select pid from pg_locks where locktype = 'advisory' and objid = {LOCK}"))
    return thread


def test_a_stop_lets_what_runs_finish_and_takes_nothing_new(own_server: RunningServer) -> None:
    answers: list[httpx.Response | httpx.HTTPError] = []
    thread = asking(own_server, 4, answers)
    own_server.process.terminate()
    eventually(lambda: _refuses(own_server))
    assert own_server.process.poll() is None and not answers
    assert own_server.process.wait(ENDS_WITHIN) == 0
    thread.join()
    answer = answers[0]
    assert isinstance(answer, httpx.Response) and answer.status_code == 200
    assert answer.json()["rows"][0]["word"] == "done"
    assert processes_of(own_server.folder / "postgres") == ()


def _refuses(server: RunningServer) -> bool:
    try:
        httpx.get(server.url + "/api/health")
    except httpx.ConnectError:
        return True
    except httpx.HTTPError:  # it was let in, and is shown out
        return False
    return False


def test_a_stop_does_not_wait_for_ever(own_server: RunningServer) -> None:
    answers: list[httpx.Response | httpx.HTTPError] = []
    thread = asking(own_server, 28, answers)
    began = time.monotonic()
    assert own_server.stop() == 0
    took = time.monotonic() - began
    thread.join()
    print(f"\nended after {took:.1f} s: {answers}")
    assert took < ENDS_WITHIN
    answer = answers[0]
    assert isinstance(answer, httpx.HTTPError) or answer.status_code == 503
    assert processes_of(own_server.folder / "postgres") == ()


def test_a_stop_in_a_storm_loses_nothing(own_server: RunningServer) -> None:
    own_server.sql(TABLE)
    with storm(own_server) as blowing:
        eventually(lambda: len(blowing.kept) > 20)
        assert own_server.stop() == 0
    own_server.start()
    must_be_whole(own_server, blowing.kept)
    assert blowing.without_retry_after == []


@pytest.mark.parametrize("again", [False, True], ids=["fresh folder", "folder in use before"])
def test_of_two_starts_on_one_folder_one_serves(again: bool) -> None:
    folder = new_folder()
    if again:
        RunningServer(folder).stop()
    starts = [
        subprocess.Popen(
            [*COMMAND, "serve", "--data", str(folder), "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    eventually(lambda: any(start.poll() is not None for start in starts))
    loser, winner = sorted(starts, key=lambda start: start.poll() is None)
    said, complaint = loser.communicate()
    try:
        assert loser.returncode == 1
        assert said == ""
        assert complaint.count("\n") == 1, complaint
        assert complaint.startswith(f"headwater: Process {winner.pid} ")
        assert str(folder) in complaint
        address = folder / "server.url"
        eventually(lambda: address.exists() and _answers(address.read_text().strip()))
    finally:
        winner.terminate()
        _, told = winner.communicate()
        shutil.rmtree(folder.parent, ignore_errors=True)
    assert winner.returncode == 0, told


def _answers(url: str) -> bool:
    try:
        return httpx.get(url + "/ready").status_code == 200
    except httpx.HTTPError:
        return False


def test_a_killed_server_leaves_its_port_and_folder_to_the_next(own_server: RunningServer) -> None:
    own_server.kill()
    own_server.start_again()
    assert own_server.is_ready()
    with own_server.client(own_server.admin_key) as client:
        assert client.get(PATH).status_code == 404


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_start_that_was_killed_is_simply_made_again(
    blow: signal.Signals, seeded: random.Random, scaled: Callable[[int], int]
) -> None:
    for _ in range(scaled(10)):
        folder = new_folder()
        with heeding_interrupts():
            begun = subprocess.Popen(
                [*COMMAND, "serve", "--data", str(folder), "--port", "0"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        time.sleep(seeded.uniform(0.2, 2.5))
        begun.send_signal(blow)
        _, told = begun.communicate(timeout=ENDS_WITHIN)
        assert "Traceback" not in told
        server = RunningServer(folder)
        try:
            assert server.sql("select 1 as one") == [{"one": 1}]
        finally:
            assert server.stop() == 0
        assert processes_of(folder / "postgres") == ()
        shutil.rmtree(folder.parent)


@contextmanager
def heeding_interrupts() -> Generator[None]:
    """In a job that a shell runs in the background SIGINT is ignored, by children too; not by those begun here."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
