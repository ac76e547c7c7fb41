"""Workers of their own, killed and stopped while they work: every job's rows happen exactly once."""

import json
import random
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.kit.server import COMMAND, STOP_WITHIN
from tests.kit.workers import QUICK, Shop, eventually

NOT_DONE = "select count(*) from system.jobs"
RUNNING = "select count(*) from system.jobs where state = 'running'"
TAKEN_OVER_WITHIN = float(QUICK["HEADWATER_JOB_HEARTBEAT"]) * 5 / 3 + 10
"""The silence, the round in which it is seen, and a slow machine."""


@pytest.fixture(scope="module")
def idle() -> Iterator[Shop]:
    """A server that does no jobs."""
    opened = Shop(None, "--no-worker")
    yield opened
    opened.close()


@pytest.fixture
def shop(idle: Shop) -> Iterator[Shop]:
    """The same, of which nothing is asked; whoever works for it ends with the test."""
    yield idle
    idle.forget()


def test_only_workers_work_where_the_server_does_not(shop: Shop) -> None:
    shop.call("hold", ["a"])
    time.sleep(1)
    assert (shop.marks(), shop.value(NOT_DONE)) == ([], 1)
    shop.call("wait", ["b"])
    choosy = shop.worker("--jobs", "marks.wait,marks.tick")
    eventually(lambda: shop.marks() == ["b"])
    assert choosy.ask_to_stop() == 0
    worker = shop.worker()
    eventually(lambda: shop.marks() == ["a", "b"])
    assert worker.ask_to_stop() == 0
    assert shop.value("select count(*) from system.workers") == 0


def test_a_worker_that_is_asked_to_stop_finishes_what_runs_and_gives_back_the_rest(shop: Shop) -> None:
    worker = shop.worker()
    shop.call("wait", ["quick"], 1.0)
    shop.call("wait", ["slow"], 600.0)
    eventually(lambda: shop.value(RUNNING) == 2)
    began = time.monotonic()
    assert worker.ask_to_stop() == 0
    assert time.monotonic() - began < STOP_WITHIN
    assert shop.marks() == ["quick"]
    assert shop.sql("select state, attempts from system.jobs") == [{"state": "queued", "attempts": 0}]


def test_what_a_killed_worker_held_is_taken_over_in_time(shop: Shop) -> None:
    first = shop.worker()
    shop.call("wait", ["a"], 1.0)
    shop.call("hold", ["b"], 1.0)
    eventually(lambda: shop.value(RUNNING) == 2)
    first.kill()
    shop.worker()
    killed = time.monotonic()
    eventually(lambda: shop.marks() == ["a", "b"])
    assert time.monotonic() - killed < TAKEN_OVER_WITHIN
    assert "WorkerGivenUp" in shop.workers[-1].log.read_text()


@pytest.mark.parametrize("crew", [1, 3])
def test_every_job_happens_once_however_often_workers_are_killed(
    shop: Shop, crew: int, seeded: random.Random, scaled: Callable[[int], int]
) -> None:
    workers = [shop.worker() for _ in range(crew)]
    texts: list[str] = []
    for round_ in range(scaled(40)):
        names = [f"{round_:03}-{number:03}" for number in range(40)]
        texts += names
        shop.call("hold", names[:20], seeded.uniform(0, 0.1))
        shop.call("wait", names[20:], seeded.uniform(0, 0.1))
        time.sleep(seeded.uniform(0.1, 0.8))
        victim = seeded.randrange(crew)
        workers[victim].kill()
        workers[victim] = shop.worker()
    eventually(lambda: shop.value(NOT_DONE) == 0, within=120)
    held = [text for text in texts if int(text[4:]) < 20]
    marks = shop.marks()
    assert [mark for mark in marks if int(mark[4:]) < 20] == held
    assert sorted(set(marks)) == texts  # `wait` marks before it is known to be finished: at least once
    assert shop.value("select count(*) from system.finished where job like 'marks.%'") == len(texts)
    print(f"\n{len(texts)} jobs, {len(marks) - len(texts)} repeated outside their transaction")


def test_a_server_and_a_worker_share_timers_and_each_tick_is_one(shop: Shop) -> None:
    for _ in range(2):
        shop.worker()
    eventually(lambda: shop.value("select count(*) from marks.marks where mark = 'tick'"))
    before, began = shop.value("select count(*) from marks.marks where mark = 'tick'"), time.monotonic()
    time.sleep(6)
    after = shop.value("select count(*) from marks.marks where mark = 'tick'")
    assert isinstance(before, int) and isinstance(after, int)
    assert 1 <= after - before <= (time.monotonic() - began) / 2 + 2  # one may have been late before


def test_failures_are_seen_and_retried_from_the_command_line_and_over_http(shop: Shop) -> None:
    server = shop.server
    shop.worker()
    shop.call("fail", ["a", "b", "c"])
    eventually(lambda: shop.value("select count(*) from system.jobs where state = 'failed'") == 3)
    failures = json.loads(server.run("jobs", "failures", "--json"))
    assert [failed["job"] for failed in failures] == ["marks.fail"] * 3
    assert {failed["arguments"]["text"] for failed in failures} == {"a", "b", "c"}
    assert failures[0]["attempts"] == 2 and failures[0]["error"].startswith("ValueError: no pardon for ")
    shown = subprocess.run([*COMMAND, "jobs", "--json", "--data", str(server.folder)], env=server.environment,
                           capture_output=True, text=True, check=False)  # fmt: skip
    assert shown.returncode == 2
    [fail] = [job for job in json.loads(shown.stdout)["jobs"] if job["name"] == "marks.fail"]
    assert (fail["failures"], fail["state"]) == (3, "idle")
    shop.sql("insert into marks.marks (mark, worker) values ('pardon', 0)")
    assert server.run("jobs", "retry", failures[0]["id"]) == "1 queued again\n"
    with server.client(server.admin_key) as client:
        listed = client.get("/api/jobs/failures", params={"job": "marks.fail"}).raise_for_status().json()
        assert len(listed) == 2
        answer = client.post("/api/jobs/failures/retry", json={"id": listed[0]["id"]})
        assert answer.json() == {"queued": 1, "joined": 0}
        assert client.post("/api/jobs/failures/retry", json={"id": listed[0]["id"]}).status_code == 404
        assert client.post("/api/jobs/failures/retry", json={}).status_code == 400
        assert client.post("/api/jobs/failures/discard", json={"job": "marks.fail"}).json() == {"discarded": 1}
        jobs = client.get("/api/jobs").raise_for_status().json()
        assert {timer["name"] for timer in jobs["timers"]} >= {"marks.tick", "kernel.remove_finished_jobs"}
        assert len(jobs["workers"]) == 1
    eventually(lambda: len(shop.marks()) == 3)
