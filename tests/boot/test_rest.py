"""`headwater rest`: the dialect alone, over a database that stays as it is."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.faults.outside import OutsidePostgres
from tests.kit.rest import RunningRest, bearer, prepared_postgres, run_script
from tests.kit.server import COMMAND

EVERYTHING = """
select json_build_object(
  'roles', (select array_agg(rolname::text order by rolname) from pg_roles),
  'members', (select count(*) from pg_auth_members),
  'schemas', (select array_agg(nspname::text order by nspname) from pg_namespace where nspname !~ '^pg_(toast_)?temp'),
  'relations', (select array_agg(oid::text || xmin::text order by oid) from pg_class where oid >= 16384),
  'functions', (select array_agg(oid::text || xmin::text order by oid) from pg_proc where oid >= 16384),
  'triggers', (select count(*) from pg_trigger),
  'event_triggers', (select count(*) from pg_event_trigger),
  'extensions', (select array_agg(extname::text) from pg_extension),
  'settings', (select count(*) from pg_db_role_setting),
  'rights', (select array_agg(nspacl::text order by oid) from pg_namespace)
)::text
"""
WITHIN = 10.0


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {WITHIN} s")


def titles(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["title"] for row in answer.json()]


def test_rows_are_those_of_the_role(rest: RunningRest) -> None:
    assert len(titles(rest.client.get("/films"))) == 3
    assert len(titles(rest.client.get("/films", headers=bearer(role="editor")))) == 4


def test_a_stranger_may_not_write(rest: RunningRest) -> None:
    refused = rest.client.post("/directors", json={"id": 9, "name": "x"})
    assert (refused.status_code, refused.json()["code"]) == (401, "42501")
    assert refused.headers["www-authenticate"] == "Bearer"


def test_a_token_for_the_anon_role_is_still_a_token(rest: RunningRest) -> None:
    refused = rest.client.post("/directors", json={"id": 9, "name": "x"}, headers=bearer(role="web_anon"))
    assert (refused.status_code, refused.json()["code"]) == (403, "42501")


def test_rows_are_written_as_the_role(rest: RunningRest) -> None:
    headers = {**bearer(role="editor"), "prefer": "return=representation"}
    made = rest.client.post("/directors", json={"id": 8, "name": "Tati"}, headers=headers)
    assert (made.status_code, made.json()) == (201, [{"id": 8, "name": "Tati"}])
    gone = rest.client.delete("/directors?id=eq.8", headers=headers)
    assert (gone.status_code, gone.json()) == (200, [{"id": 8, "name": "Tati"}])


def test_what_goes_beyond_postgrest_is_heard(rest: RunningRest) -> None:
    headers = {**bearer(role="editor"), "prefer": "return=representation"}
    body = {
        "id": 88,
        "name": "Varda",
        "films": [{"id": 90, "title": "Opera Mouffe"}, {"id": 91, "title": "Uncle Yanco"}],
    }
    tell = "select=name,films(title)&films.order=id"
    made = rest.client.post(f"/directors?nested=(films)&{tell}", json=body, headers=headers)
    assert (made.status_code, made.json()) == (
        201,
        [{"name": "Varda", "films": [{"title": "Opera Mouffe"}, {"title": "Uncle Yanco"}]}],
    )
    distinct = rest.client.get("/films?select=director_id&distinct=(*)&id=gte.90", headers=headers)
    assert distinct.json() == [{"director_id": 88}]
    two = rest.client.get("/directors?select=name,films()&films=count.gt.1", headers=headers)
    assert two.json()["code"] == "PGRST123", "as PostgREST's, aggregates are off until they are wanted"
    stranger = rest.client.post("/directors?nested=(films)", json=body)
    assert (stranger.status_code, stranger.json()["code"]) == (401, "42501")
    rest.client.delete("/films?id=gte.90", headers=headers)
    rest.client.delete("/directors?id=eq.88", headers=headers)


def test_claims_and_settings_reach_the_database(rest: RunningRest) -> None:
    told = rest.client.get("/rpc/whoami", headers=bearer(role="editor", sub="7", colour="blue")).json()
    assert told["role"] == "editor"
    assert told["claims"] == {"role": "editor", "sub": "7", "colour": "blue"}
    assert told["colour"] == "red"
    assert told["path"] == '"api", "public"'


def test_a_role_has_its_own_settings(rest: RunningRest) -> None:
    assert rest.client.get("/rpc/whoami", headers=bearer(role="editor")).json()["timeout"] == "7s"
    assert rest.client.get("/rpc/whoami").json()["timeout"] == "0"


@pytest.mark.parametrize(
    ("role", "status", "code"),
    [
        ("nobody", 401, "22023"),
        ("none", 401, "22023"),
        ("\u0000", 401, "22023"),
        ("x" * 5000, 401, "22023"),
        ("stranger", 403, "42501"),
        ("postgres", 403, "42501"),
        ("authenticator", 403, "42501"),
    ],
)
@pytest.mark.parametrize("path", ["/films", "/rpc/whoami", "/"])
def test_roles_that_are_not_to_be_had(rest: RunningRest, path: str, role: str, status: int, code: str) -> None:
    for _ in range(2):
        refused = rest.client.get(path, headers=bearer(role=role))
        if role == "authenticator" and path == "/":
            assert refused.status_code == 200 and "/films" not in refused.json()["paths"]
            continue
        assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert rest.client.get("/films").status_code == 200


def test_more_roles_than_connections(rest: RunningRest, their_postgres: OutsidePostgres) -> None:
    names = [f"role {number} \"quoted'" for number in range(12)]
    for name in names:
        quoted = '"' + name.replace('"', '""') + '"'
        run_script(their_postgres, f"create role {quoted}; grant {quoted} to authenticator")
        run_script(their_postgres, f"grant usage on schema api to {quoted}")

    def asked(name: str) -> bool:
        return rest.client.get("/rpc/whoami", headers=bearer(role=name)).json()["role"] == name

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(asked, names * 4))
    assert their_postgres.sql("select count(*) <= 4 from pg_stat_activity where usename = 'authenticator'")


def test_only_the_named_schemas_are_served(rest: RunningRest) -> None:
    refused = rest.client.get("/notes", headers={"accept-profile": "hidden"})
    assert (refused.status_code, refused.json()["code"]) == (406, "PGRST106")
    assert refused.json()["hint"] == "Only the following schemas are exposed: api"
    assert rest.client.get("/notes").json()["code"] == "PGRST205"


def test_what_the_root_and_unknown_paths_answer(rest: RunningRest) -> None:
    described = rest.client.get("/")
    assert described.json()["swagger"] == "2.0" and described.json()["basePath"] == "/"
    assert rest.client.options("/").headers["allow"] == "OPTIONS,GET,HEAD"
    deeper = rest.client.get("/films/1")
    assert (deeper.status_code, deeper.json()["code"]) == (404, "PGRST125")
    assert rest.client.request("PATCH", "/rpc/add").json()["code"] == "PGRST101"
    assert rest.client.get("/films?id=eq.1").headers["content-location"] == "/films?id=eq.1"


def test_headers_of_the_server(rest: RunningRest) -> None:
    answer = rest.client.get("/films", headers={"x-trace": "abc", "origin": "https://good.example"})
    assert answer.headers["x-trace"] == "abc"
    assert "transact;dur=" in answer.headers["server-timing"]
    assert answer.headers["access-control-allow-origin"] == "https://good.example"
    assert answer.headers["access-control-allow-credentials"] == "true"
    other = rest.client.get("/films", headers={"origin": "https://bad.example"})
    assert "access-control-allow-origin" not in other.headers
    assert "x-trace" not in other.headers
    assert "ratelimit-limit" not in other.headers


def test_unknown_names_are_told_once(rest: RunningRest) -> None:
    assert rest.log.read_text().count("PGRST_NONSENSE") == 1


@pytest.fixture
def own_postgres() -> Iterator[OutsidePostgres]:
    postgres = prepared_postgres()
    yield postgres
    postgres.remove()


def test_nothing_is_added_to_the_database_and_changes_are_seen(own_postgres: OutsidePostgres) -> None:
    before = own_postgres.sql(EVERYTHING)
    running = RunningRest(own_postgres, {"PGRST_DB_CHANNEL": "their_channel"})
    try:
        for path in ("/", "/films?select=*,directors(*)", "/rpc/whoami"):
            assert running.client.get(path).status_code == 200
        assert (
            running.client.patch("/films?id=eq.0", json={"year": 1}, headers=bearer(role="editor")).status_code == 204
        )
        assert own_postgres.sql(EVERYTHING) == before
        run_script(own_postgres, "create table api.fresh (id integer); grant select on api.fresh to web_anon")
        until(lambda: running.client.get("/fresh").status_code == 200)
        own_postgres.sql("notify their_channel, 'reload schema'")
        running.process.send_signal(signal.SIGUSR1)
        running.process.send_signal(signal.SIGUSR2)
        assert running.client.get("/fresh").json() == []
        own_postgres.sql("drop table api.fresh")
        assert own_postgres.sql(EVERYTHING) == before
    finally:
        assert running.stop() == 0


def test_a_database_that_goes_away_and_comes_back(own_postgres: OutsidePostgres) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = RunningRest(own_postgres, {"PGRST_LOG_LEVEL": "crit", "PGRST_ADMIN_SERVER_PORT": str(port)})

    def told(path: str) -> int:
        return httpx.get(f"http://127.0.0.1:{port}{path}").status_code

    try:
        assert running.client.get("/films").status_code == 200
        assert [told(path) for path in ("/live", "/ready", "/else")] == [200, 200, 404]
        own_postgres.stop()
        until(lambda: told("/ready") == 503)
        assert told("/live") == 200
        away = running.client.get("/films")
        assert (away.status_code, away.json()["code"][:5]) == (503, "PGRST")
        own_postgres.start()
        until(lambda: running.client.get("/films").status_code == 200)
        until(lambda: told("/ready") == 200)
    finally:
        assert running.stop() == 0


def test_an_absence_is_two_lines_of_the_log(own_postgres: OutsidePostgres) -> None:
    running = RunningRest(own_postgres, {"PGRST_LOG_LEVEL": "error"})
    try:
        before = len(running.log.read_text().splitlines())
        own_postgres.stop()
        until(lambda: running.client.get("/films").status_code == 503)
        time.sleep(3)  # the catalog is looked at again and again
        own_postgres.start()
        until(lambda: running.client.get("/films").status_code == 200)
        until(lambda: "DatabaseReturned" in running.log.read_text())
    finally:
        assert running.stop() == 0
    told = [json.loads(line) for line in running.log.read_text().splitlines()[before:]]
    assert [line["event"] for line in told if line["event"] != "RequestAnswered"] == [
        "DatabaseLost",
        "DatabaseReturned",
    ]
    assert "exception" not in running.log.read_text()


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            {"PGRST_DB_URI": "postgresql://x:secret-word@127.0.0.1:1/x"},
            "The database of PGRST_DB_URI cannot be reached",
        ),
        ({"PGRST_DB_URI": "host=x password=secret-word"}, "The database of PGRST_DB_URI cannot be reached"),
        ({"PGRST_DB_POOL": "none"}, "PGRST_DB_POOL"),
        ({"PGRST_JWT_SECRET": "secret-word"}, "PGRST_JWT_SECRET: must be at least 32 characters long"),
        ({"PGRST_SERVER_PORT": "3999", "PGRST_ADMIN_SERVER_PORT": "3999"}, "PGRST_ADMIN_SERVER_PORT"),
    ],
)
def test_what_keeps_it_from_starting_is_one_sentence(environment: dict[str, str], sentence: str) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PGRST_")}
    ended = subprocess.run(
        [*COMMAND, "rest"], env={**own, **environment}, capture_output=True, text=True, check=False, timeout=30
    )
    assert ended.returncode == 1
    assert sentence in ended.stderr and len(ended.stderr.splitlines()) == 1, ended.stderr
    assert "secret-word" not in ended.stderr


def test_without_an_anon_role_a_token_is_needed(their_postgres: OutsidePostgres) -> None:
    running = RunningRest(
        their_postgres,
        {
            "PGRST_DB_ANON_ROLE": "",
            "PGRST_DB_ROOT_SPEC": "whoami",
            "PGRST_JWT_ROLE_CLAIM_KEY": '$.app["roles"][0]',
            "PGRST_JWT_AUD": "us",
            "PGRST_CLIENT_ERROR_VERBOSITY": "minimal",
        },
    )
    try:
        for headers in ({}, {"authorization": "Basic eDp5"}, bearer(sub="7"), bearer(role="editor")):
            refused = running.client.get("/films", headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (401, "PGRST302")
            assert refused.headers["www-authenticate"] == "Bearer"
        good = bearer(app={"roles": ["editor"]}, aud=["us", "them"])
        assert running.client.get("/", headers=good).json()["role"] == "editor"
        other = running.client.get("/films", headers=bearer(app={"roles": ["editor"]}, aud="them"))
        assert (other.status_code, other.json()["message"]) == (401, "JWT not in audience")
        assert running.client.get("/nothing", headers=good).json().keys() == {"code", "message"}
    finally:
        assert running.stop() == 0
