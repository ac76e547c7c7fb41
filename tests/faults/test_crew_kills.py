"""SIGKILL and SIGSTOP for the processes behind one address, and for the one that owns it."""

import os
import re
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx
import pytest

from headwater.kernel.bus.nodes import SILENCE
from headwater.kernel.database.embedded.leftovers import processes_of
from tests.faults.storm import eventually
from tests.kit.server import RunningServer, new_folder

CLIENTS = 8
ANSWERS = 200
TOLD_WITHIN = 2.0
"""Seconds from a kill until whoever waited for that process has been told."""


@pytest.fixture(scope="module")
def crew() -> Iterator[RunningServer]:
    """A server of two processes, to be hurt; each test leaves it whole again."""
    folder = new_folder()
    running = RunningServer(folder, None, "--workers", "2")
    yield running
    if running.process.poll() is None:
        running.stop()
    shutil.rmtree(folder.parent, ignore_errors=True)


def members(crew: RunningServer) -> list[int]:
    """The processes that answer."""
    children = Path(f"/proc/{crew.process.pid}/task/{crew.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"serve-member" in _command(int(pid))]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def readied(crew: RunningServer) -> int:
    """How often a process has said that it answers."""
    return crew.log.read_text().count('"ProcessReady"')


class Load:
    """Clients that ask all the time, each over its connection for as long as that lasts."""

    def __init__(self, server: RunningServer, *, anew: bool) -> None:
        self._server = server
        self._anew = anew
        self._over = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.failures: list[httpx.HTTPError] = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _ask(self) -> None:
        headers = {"authorization": f"Bearer {self._server.anon_key}"}
        if self._anew:
            headers["connection"] = "close"
        with httpx.Client(base_url=self._server.url, headers=headers, timeout=30) as client:
            while not self._over.is_set():
                try:
                    self.statuses[client.get("/ready").status_code] += 1
                except httpx.HTTPError as failure:
                    self.failures.append(failure)


@pytest.mark.parametrize("anew", [True, False])
def test_one_of_two_is_killed_and_only_what_it_held_fails(crew: RunningServer, *, anew: bool) -> None:
    with Load(crew, anew=anew) as load:
        eventually(lambda: load.statuses[200] > ANSWERS)
        (struck, *rest) = members(crew)
        before = readied(crew)
        os.kill(struck, signal.SIGKILL)
        time.sleep(TOLD_WITHIN)
        told = len(load.failures)
        eventually(lambda: readied(crew) == before + 1)
        whole = load.statuses[200]
        eventually(lambda: load.statuses[200] > whole + ANSWERS)
    assert set(load.statuses) == {200}
    assert len(load.failures) == told <= CLIENTS, "only requests that were in its hands"
    assert rest[0] in members(crew)
    assert struck not in members(crew)
    print(f"\n{load.statuses[200]} answers, {len(load.failures)} lost with the process that held them")


def test_all_are_killed_and_come_back(crew: RunningServer) -> None:
    before = readied(crew)
    for pid in members(crew):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: readied(crew) == before + 2)
    assert crew.is_ready()
    assert 'process="1"' in httpx.get(crew.url + "/metrics").text


def test_nothing_outlives_the_owner(crew: RunningServer) -> None:
    pids = members(crew)
    (place,) = {_meeting_place(pid) for pid in pids}
    assert place.is_dir()
    crew.kill()
    eventually(lambda: not any(map(_command, pids)))
    eventually(lambda: not processes_of(crew.folder / "postgres"))
    assert not place.exists()
    crew.start()
    assert crew.is_ready()


def _meeting_place(pid: int) -> Path:
    found = re.search(rb'"meeting_place":"([^"]+)"', _command(pid))
    assert found is not None
    return Path(found[1].decode())


class Caller:
    """Somebody with one connection, which one process holds."""

    def __init__(self, crew: RunningServer, token: str) -> None:
        self._headers = {"authorization": f"Bearer {token}"}
        self._connection = HTTPConnection(urlsplit(crew.url).netloc, timeout=30)
        self.ask("GET", "/ready")

    def close(self) -> None:
        """Go away."""
        self._connection.close()

    def ask(self, method: str, path: str) -> int:
        """The status of the answer to one request."""
        self._connection.request(method, path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def holder(self, pids: list[int]) -> int:
        """Which process that is: the one with a descriptor for the other end."""
        socket = f"socket:[{_inode_of(self._connection.sock.getsockname()[1])}]"
        return next(pid for pid in pids if socket in _descriptors(pid))


def _inode_of(remote_port: int) -> str:
    """The socket whose peer has this port."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return next(fields[9] for fields in lines if int(fields[2].rpartition(":")[2], 16) == remote_port)


def _descriptors(pid: int) -> list[str]:
    return [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]


def test_a_paused_one_is_waited_for_and_knows_when_it_wakes(crew: RunningServer) -> None:
    token = crew.sign_up("paused@example.com")
    pids = members(crew)
    callers: dict[int, Caller] = {}
    while len(callers) < 2:
        caller = Caller(crew, token)
        earlier = callers.pop(caller.holder(pids), None)
        callers[caller.holder(pids)] = caller
        if earlier is not None:
            earlier.close()
    paused, other = pids
    answers: list[int] = []
    os.kill(paused, signal.SIGSTOP)
    asking = threading.Thread(target=lambda: answers.append(callers[paused].ask("GET", "/api/auth/sessions/current")))
    try:
        began = time.monotonic()
        assert callers[other].ask("POST", "/api/auth/logout") == 200
        took = time.monotonic() - began
        asking.start()
        time.sleep(0.2)
    finally:
        os.kill(paused, signal.SIGCONT)
    asking.join(20)
    for caller in callers.values():
        caller.close()
    assert 1.0 < took < 3 * SILENCE
    assert answers == [401]


def test_one_that_is_paused_for_a_moment_is_waited_for_no_longer_than_that(crew: RunningServer) -> None:
    """The quickest of three, because a machine may be slow at any moment."""
    assert 0.4 < min(sign_out_during_a_pause(crew, f"moment-{number}@example.com") for number in range(3)) < 1.5


def sign_out_during_a_pause(crew: RunningServer, email: str) -> float:
    """Seconds that it takes while the other process pauses for 0.6; after that either knows of it."""
    token = crew.sign_up(email)
    pids = members(crew)
    caller = Caller(crew, token)
    paused = next(pid for pid in pids if pid != caller.holder(pids))
    os.kill(paused, signal.SIGSTOP)
    waking = threading.Timer(0.6, os.kill, (paused, signal.SIGCONT))
    waking.start()
    began = time.monotonic()
    assert caller.ask("POST", "/api/auth/logout") == 200
    took = time.monotonic() - began
    waking.join()
    caller.close()
    for _ in range(12):
        caller = Caller(crew, token)
        assert caller.ask("GET", "/api/auth/sessions/current") == 401
        caller.close()
    return took
