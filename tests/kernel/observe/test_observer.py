"""Observations reach every listener: as log lines, as metrics, and never as trouble."""

import io
import json
from typing import Any, get_args

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from headwater.kernel.observe import (
    ConnectionClosed,
    ConnectionOpened,
    DatabaseLost,
    DatabaseReturned,
    EventConsumed,
    HookFailed,
    JobFailed,
    JobFinished,
    LogListener,
    MetricsListener,
    Observation,
    Observer,
    RequestAnswered,
    RequestFailed,
    TransactionRetried,
)

SECRET = "hunter2"
ANSWERED = RequestAnswered("r1", "GET", "/x", 200, 0.0015, (("limit", 0.001), ("respond", 0.0005)), "user:7", "::1")
REFUSED = msgspec.structs.replace(ANSWERED, status=404, code="NOT_FOUND", seconds=20.0)


def one_of_each() -> list[Observation]:
    made: list[Observation] = []
    for kind in get_args(Observation):
        fields: dict[str, Any] = {}
        for field in msgspec.structs.fields(kind):
            fields[field.name] = {str: "text", int: 1, float: 1.0, bool: True, BaseException: RuntimeError("x")}.get(
                field.type, ()
            )
        made.append(kind(**fields))
    return made


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_listener_hears_everything_in_order() -> None:
    first: list[Observation] = []
    second: list[Observation] = []
    observer = Observer(first.append)
    observer.tell(ANSWERED)
    observer.add(second.append)
    observer.tell(REFUSED)
    assert (first, second) == ([ANSWERED, REFUSED], [REFUSED])


def test_a_failing_listener_is_told_to_the_others_and_to_nobody_else() -> None:
    heard: list[Observation] = []

    def broken(_observation: Observation) -> None:
        raise OSError("no space left on device")

    Observer(broken, heard.append, broken).tell(ANSWERED)
    assert ANSWERED in heard
    failures = [seen for seen in heard if isinstance(seen, HookFailed)]
    assert [failure.part for failure in failures] == ["observe", "observe"]


def test_every_kind_of_observation_is_a_line_of_json_named_by_its_type() -> None:
    stream = io.BytesIO()
    listener = LogListener("debug", stream)
    for observation in one_of_each():
        listener(observation)
    told = lines(stream)
    assert [line["event"] for line in told] == [type(observation).__name__ for observation in one_of_each()]
    assert all({"event", "level", "timestamp"} <= line.keys() for line in told)


def test_an_answer_is_a_line_and_a_server_error_a_loud_one() -> None:
    stream = io.BytesIO()
    listener = LogListener("info", stream)
    listener(ANSWERED)
    listener(msgspec.structs.replace(ANSWERED, status=500, code="INTERNAL_ERROR"))
    answered, failed = lines(stream)
    assert {name: answered[name] for name in ("level", "request_id", "method", "route", "status", "ms", "address")} == {
        "level": "info",
        "request_id": "r1",
        "method": "GET",
        "route": "/x",
        "status": 200,
        "ms": 1.5,
        "address": "::1",
    }
    assert (failed["level"], failed["code"]) == ("error", "INTERNAL_ERROR")


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["ConnectionOpened", "RequestAnswered", "TransactionRetried", "RequestFailed"]),
        ("info", ["RequestAnswered", "TransactionRetried", "RequestFailed"]),
        ("warning", ["TransactionRetried", "RequestFailed"]),
        ("error", ["RequestFailed"]),
    ],
)
def test_levels(level: Any, expected: list[str]) -> None:
    stream = io.BytesIO()
    listener = LogListener(level, stream)
    for observation in (
        ConnectionOpened(login="x"),
        ANSWERED,
        TransactionRetried(reason="40001", attempt=1),
        RequestFailed("r1", "/x", RuntimeError()),
    ):
        listener(observation)
    assert [line["event"] for line in lines(stream)] == expected


@pytest.mark.parametrize("level", ["info", "error"])
def test_postgres_is_lost_once_and_returns_once_however_many_parts_miss_it(level: Any) -> None:
    stream = io.BytesIO()
    listener = LogListener(level, stream)
    for observation in (
        DatabaseLost(reason="gone", part="bus"),
        DatabaseLost(reason="refused", part="lease"),
        DatabaseReturned(seconds=1.0, part="bus"),
        DatabaseLost(reason="refused", part="lease"),
        DatabaseReturned(seconds=2.0, part="lease"),
        DatabaseReturned(seconds=2.0, part="lease"),
    ):
        listener(observation)
    told = [(line["event"], line["level"], line.get("reason"), line.get("seconds")) for line in lines(stream)]
    assert told == [("DatabaseLost", "error", "gone", None), ("DatabaseReturned", "info", None, 2.0)]


def fail_with(password: str) -> BaseException:
    token = "Bearer " + password
    try:
        raise RuntimeError("the token was refused " + str(len(token)))
    except RuntimeError as failure:
        return failure


def test_a_failure_brings_its_trace_and_no_local_variable_for_machines() -> None:
    stream = io.BytesIO()
    LogListener("info", stream, pretty=False)(RequestFailed("r1", "/x", fail_with(SECRET)))
    [line] = lines(stream)
    assert "RuntimeError: the token was refused" in line["exception"] and line["request_id"] == "r1"
    assert SECRET not in stream.getvalue().decode()


def test_nor_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    LogListener("info", pretty=True)(RequestFailed("r1", "/x", fail_with(SECRET)))
    LogListener("info", pretty=True)(ANSWERED)
    shown = capfd.readouterr().err
    assert "the token was refused" in shown and "GET /x 200" in shown
    assert SECRET not in shown


def scraped(metrics: MetricsListener) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def test_metrics_render_and_count() -> None:
    metrics = MetricsListener()
    metrics(DatabaseLost(reason="counts nowhere"))
    for observation in (
        ANSWERED,
        ANSWERED,
        REFUSED,
        TransactionRetried(reason="40001", attempt=1),
        ConnectionOpened(login="headwater_anon"),
        ConnectionOpened(login="headwater_anon"),
        ConnectionClosed(login="headwater_anon"),
        JobFinished(job="mail", attempt=1, seconds=0.1),
        JobFailed(job="mail", attempt=1, final=True, failure=RuntimeError()),
        EventConsumed(consumer="ranks", count=5),
    ):
        metrics(observation)
    told = scraped(metrics)
    found = (("method", "GET"), ("route", "/x"), ("status", "200"))
    lost = (("method", "GET"), ("route", "/x"), ("status", "404"))
    assert told["headwater_request_seconds_count", found] == 2
    assert told["headwater_request_seconds_sum", found] == pytest.approx(0.003)
    assert told["headwater_request_seconds_bucket", (("le", "0.0025"), *found)] == 2
    assert told["headwater_request_seconds_bucket", (("le", "0.001"), *found)] == 0
    assert told["headwater_request_seconds_bucket", (("le", "10"), *lost)] == 0
    assert told["headwater_request_seconds_bucket", (("le", "+Inf"), *lost)] == 1
    assert told["headwater_stage_seconds_count", (("stage", "limit"),)] == 3
    assert told["headwater_refusals_total", (("code", "NOT_FOUND"),)] == 1
    assert told["headwater_transaction_retries_total", (("reason", "40001"),)] == 1
    assert told["headwater_connections", (("login", "headwater_anon"),)] == 1
    assert told["headwater_job_seconds_count", (("job", "mail"),)] == 1
    assert told["headwater_job_failures_total", (("final", "true"), ("job", "mail"))] == 1
    assert told["headwater_events_consumed_total", (("consumer", "ranks"),)] == 5


def test_every_kind_of_observation_is_taken() -> None:
    metrics = MetricsListener()
    for observation in one_of_each():
        metrics(observation)
    assert scraped(metrics)
