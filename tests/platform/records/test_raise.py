"""What functions raise, and every SQLSTATE's place in HTTP (contracts/postgrest.md 1.8)."""

import json

import asyncpg
import pytest

from headwater.platform.records import RecordsSettings
from headwater.platform.records.errors import refused
from tests.platform.records.conftest import Ask, Define, header, person, rows

RAISES = """
create function raises(state text, message text, detail text default null, hint text default null) returns void
language plpgsql as $$ begin
  if detail is null then raise exception using errcode = state, message = message;
  elsif hint is null then raise exception using errcode = state, message = message, detail = detail;
  else raise exception using errcode = state, message = message, detail = detail, hint = hint; end if; end $$;
"""


async def test_a_status_of_its_own(ask: Ask, define: Define) -> None:
    await define(RAISES)
    refused_ = await ask(
        "POST", "rpc/raises", {"state": "PT402", "message": "Pay", "detail": "Quota", "hint": "Upgrade"}, as_=person(1)
    )
    assert refused_.status == 402
    assert rows(refused_) == {"code": "PT402", "message": "Pay", "details": "Quota", "hint": "Upgrade"}
    assert header(refused_, "Proxy-Status") == "PostgREST; error=PT402"
    for state, status in [("PT404", 404), ("PT099", 500), ("PTABC", 500), ("PT999", 500)]:
        reply = await ask("POST", "rpc/raises", {"state": state, "message": "m"})
        assert (state, reply.status) == (state, status)


async def test_a_whole_answer(ask: Ask, define: Define) -> None:
    await define(RAISES)
    message = {"code": "123", "message": "Payment Required", "details": "Quota exceeded", "hint": "Upgrade your plan"}
    detail = {"status": 402, "status_text": "Pay", "headers": {"X-Powered-By": "Nerd Rage", "Retry-After": "1"}}
    told = await ask(
        "POST", "rpc/raises", {"state": "PGRST", "message": json.dumps(message), "detail": json.dumps(detail)}
    )
    assert (told.status, rows(told)) == (402, message)
    assert (header(told, "X-Powered-By"), header(told, "Retry-After")) == ("Nerd Rage", "1")
    short = await ask(
        "POST", "rpc/raises",
        {"state": "PGRST", "message": '{"code": "1", "message": "m"}', "detail": '{"status": 400, "headers": {}}'},
    )  # fmt: skip
    assert rows(short) == {"code": "1", "message": "m", "details": None, "hint": None}


GOOD_MESSAGE, GOOD_DETAIL = '{"code": "1", "message": "m"}', '{"status": 400, "headers": {}}'


@pytest.mark.parametrize(
    ("message", "detail", "details"),
    [
        ("no", GOOD_DETAIL, "Invalid JSON value for MESSAGE: 'no'"),
        ('{"code": "1"}', GOOD_DETAIL, "Invalid JSON value for MESSAGE: '{\"code\": \"1\"}'"),
        (GOOD_MESSAGE, None, "DETAIL is missing in the RAISE statement"),
        (GOOD_MESSAGE, "{}", "Invalid JSON value for DETAIL: '{}'"),
        (GOOD_MESSAGE, '{"status":4,"headers":{}}', """Invalid JSON value for DETAIL: '{"status":4,"headers":{}}'"""),
        (
            GOOD_MESSAGE,
            '{"status": 400, "headers": {"a": "x\\r\\ny"}}',
            "Invalid JSON value for DETAIL: '{\"status\": 400, \"headers\": {\"a\": \"x\\r\\ny\"}}'",
        ),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_is_told(
    ask: Ask, define: Define, message: str, detail: str | None, details: str
) -> None:
    await define(RAISES)
    told = await ask("POST", "rpc/raises", {"state": "PGRST", "message": message, "detail": detail})
    assert (told.status, rows(told)["code"], rows(told)["details"]) == (500, "PGRST121", details)
    assert "must be a JSON object" in rows(told)["hint"]


STATES = [
    ("08006", 503), ("09000", 500), ("0L000", 403), ("0P000", 403), ("21000", 500), ("22012", 400), ("23502", 400),
    ("23503", 409), ("23505", 409), ("23514", 400), ("25006", 405), ("25001", 500), ("28000", 403), ("2D000", 500),
    ("38000", 500), ("39000", 500), ("3B000", 500), ("40000", 500), ("53000", 503), ("53400", 500), ("54000", 500),
    ("55000", 500), ("57000", 500), ("57014", 500), ("57P01", 503), ("58000", 500), ("F0000", 500), ("HV000", 500),
    ("P0001", 400), ("P0002", 500), ("XX000", 500), ("42883", 404), ("42P01", 404), ("42P17", 500), ("42501", 403),
    ("42703", 400), ("12345", 400),
]  # fmt: skip


def told_of(sqlstate: str, message: str = "m", *, anonymous: bool = False) -> tuple[int, str | None]:
    error = asyncpg.PostgresError.new({"C": sqlstate, "M": message})
    refusal = refused(error, anonymous=anonymous)
    return refusal.status, refusal.headers.get("WWW-Authenticate")


def test_every_state_has_its_status() -> None:
    assert [(state, told_of(state)[0]) for state, _ in STATES] == STATES


def test_some_hang_on_more_than_the_state() -> None:
    assert told_of("42501", anonymous=True) == (401, "Bearer")
    assert told_of("22023", 'role "x" does not exist') == (401, "Bearer")
    assert told_of("22023", "invalid value") == (400, None)
    assert told_of("21000", "UPDATE requires a WHERE clause") == (400, None)
    assert told_of("42883", "function xmlagg(record) does not exist") == (406, None)


async def test_plain_exceptions_tell_all_they_hold(ask: Ask, define: Define) -> None:
    await define(RAISES)
    told = await ask("POST", "rpc/raises", {"state": "P0001", "message": "No", "detail": "D", "hint": "H"})
    assert (told.status, rows(told)) == (400, {"code": "P0001", "message": "No", "details": "D", "hint": "H"})


class TestTerse:
    """Where details and hints are kept."""

    @pytest.fixture
    def settings(self) -> RecordsSettings:
        return RecordsSettings(error_verbosity="minimal")

    async def test_only_code_and_message_are_told(self, ask: Ask, define: Define) -> None:
        await define(RAISES)
        for method, target, body in [
            ("GET", "todoss", None),
            ("POST", "todos", {"nope": 1}),
            ("POST", "rpc/raises", {"state": "P0001", "message": "No", "detail": "D"}),
            ("POST", "rpc/nobody_knows", {}),
            ("OPTIONS", "rpc/nobody_knows", None),
            ("OPTIONS", "todoss", None),
        ]:
            told = await ask(method, target, body)
            assert rows(told).keys() == {"code", "message"}, (method, target)
