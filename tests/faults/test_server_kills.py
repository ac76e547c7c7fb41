"""SIGKILL, SIGSTOP and SIGTERM for a server at work, and for the PostgreSQL beneath it."""

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from headwater.kernel.database.embedded.leftovers import leader_of, processes_of
from tests.faults.storm import PATH, TABLE, eventually, must_be_whole, storm
from tests.kit.server import COMMAND, RunningServer, new_folder

RECOVERS_WITHIN = 10.0
ENDS_WITHIN = 10.0
ENDPOINT_SECONDS = 30.0


def test_what_was_answered_survives_a_killed_server(
    own_server: RunningServer, seeded: random.Random, scaled: Callable[[int], int]
) -> None:
    own_server.sql(TABLE)
    kept: set[str] = set()
    for number in range(scaled(20)):
        with storm(own_server, f"round{number}") as blowing:
            time.sleep(seeded.uniform(0.5, 1.5))
            own_server.kill()
        assert len(blowing.kept) > 10
        kept |= blowing.kept
        own_server.start()
        must_be_whole(own_server, kept)
    print(f"\n{len(kept)} pairs written, all there")


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT, signal.SIGQUIT])
def test_a_killed_postgres_is_told_and_comes_back(own_server: RunningServer, blow: signal.Signals) -> None:
    own_server.sql(TABLE)
    with storm(own_server) as blowing:
        eventually(lambda: len(blowing.kept) > 20)
        leader = leader_of(own_server.folder / "postgres")
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
    assert own_server.process.poll() is None
    must_be_whole(own_server, blowing.kept)
    eventually(lambda: httpx.get(own_server.url + "/health").json()["status"] == "ok")


def test_a_stopped_postgres_holds_nobody_for_ever(own_server: RunningServer) -> None:
    """Frozen, it is no longer ready and answers nobody; thawed, what waited goes on."""
    own_server.sql(TABLE)
    frozen = processes_of(own_server.folder / "postgres")
    with storm(own_server) as blowing:
        eventually(lambda: len(blowing.kept) > 20)
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        for pid in set(processes_of(own_server.folder / "postgres")) - set(frozen):
            os.kill(pid, signal.SIGSTOP)
        eventually(lambda: not own_server.is_ready())
        assert httpx.get(own_server.url + "/api/health").status_code == 200
        time.sleep(2)
        for pid in processes_of(own_server.folder / "postgres"):
            os.kill(pid, signal.SIGCONT)
        thawed = time.monotonic()
        eventually(lambda: blowing.has_succeeded_since(thawed))
    assert blowing.broken_off == 0
    assert blowing.without_retry_after == []
    must_be_whole(own_server, blowing.kept)
    eventually(own_server.is_ready)


def test_a_frozen_postgres_is_given_up_on(own_server: RunningServer) -> None:
    """Whoever waits for it is told so when his endpoint's time is over, and thawed it serves again."""
    own_server.sql(TABLE)
    with storm(own_server) as blowing:
        eventually(lambda: len(blowing.kept) > 20)
        frozen = processes_of(own_server.folder / "postgres")
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
    must_be_whole(own_server, blowing.kept)


def asking(server: RunningServer, seconds: float, answers: list[httpx.Response | httpx.HTTPError]) -> threading.Thread:
    """A request that takes so long, sent from a thread."""

    def ask() -> None:
        with server.client(server.admin_key) as client:
            try:
                query = {"query": f"select 'done' as word, pg_sleep({seconds})::text"}
                answers.append(client.post("/api/database/advance/rawsql", json=query))
            except httpx.HTTPError as failure:
                answers.append(failure)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def test_a_stop_lets_what_runs_finish_and_takes_nothing_new(own_server: RunningServer) -> None:
    answers: list[httpx.Response | httpx.HTTPError] = []
    thread = asking(own_server, 2, answers)
    time.sleep(0.7)
    began = time.monotonic()
    own_server.process.terminate()
    time.sleep(0.3)
    with pytest.raises(httpx.ConnectError):
        httpx.get(own_server.url + "/api/health")
    assert own_server.process.wait(ENDS_WITHIN) == 0
    assert 1 < time.monotonic() - began < ENDS_WITHIN
    thread.join()
    answer = answers[0]
    assert isinstance(answer, httpx.Response) and answer.status_code == 200
    assert answer.json()["rows"][0]["word"] == "done"
    assert processes_of(own_server.folder / "postgres") == ()


def test_a_stop_does_not_wait_for_ever(own_server: RunningServer) -> None:
    answers: list[httpx.Response | httpx.HTTPError] = []
    thread = asking(own_server, 25, answers)
    time.sleep(0.7)
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
    eventually(lambda: any(start.poll() is not None for start in starts), 60)
    loser, winner = sorted(starts, key=lambda start: start.poll() is None)
    said, complaint = loser.communicate()
    try:
        assert loser.returncode == 1
        assert said == ""
        assert complaint.count("\n") == 1, complaint
        assert complaint.startswith(f"headwater: Process {winner.pid} ")
        assert str(folder) in complaint
        address = folder / "server.url"
        eventually(lambda: address.exists() and _answers(address.read_text().strip()), 60)
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
    port = httpx.URL(own_server.url).port
    assert port is not None
    own_server.kill()
    own_server.start(port)
    assert own_server.is_ready()
    with own_server.client(own_server.admin_key) as client:
        assert client.get(PATH).status_code == 404


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_start_that_was_killed_is_simply_made_again(
    blow: signal.Signals, seeded: random.Random, scaled: Callable[[int], int]
) -> None:
    for _ in range(scaled(10)):
        folder = new_folder()
        begun = subprocess.Popen(
            [*COMMAND, "serve", "--data", str(folder), "--port", "0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heed_interrupts,  # noqa: PLW1509 - no thread of ours runs here
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


def heed_interrupts() -> None:
    """In a job that a shell runs in the background, SIGINT is ignored, by children too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
