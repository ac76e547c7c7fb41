"""The command line as people and scripts meet it: help, exit codes, one sentence for every failure, never a key."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import httpx
import pytest

import headwater
from tests.kit.server import COMMAND, RunningServer, new_folder

COMMANDS = (
    ("serve",),
    ("work",),
    ("jobs",),
    ("jobs", "failures"),
    ("jobs", "retry"),
    ("jobs", "discard"),
    ("migrate",),
    ("keys",),
    ("backup",),
    ("restore",),
    ("doctor",),
    ("app",),
    ("app", "new"),
    ("version",),
)
KEY = "rE7wq0Zp4mUj2bXn6sTt8vYc1dAf3gHk"
KEY_ID = "00000000-0000-4000-8000-000000000000"
NOBODY_LISTENS = "postgresql://nobody:nothing@127.0.0.1:9/nowhere"


def run(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """A command to its end, in an environment without settings of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEADWATER_")}
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(
        command,
        env={**clean, "COLUMNS": "120", "NO_COLOR": "1", **(environment or {})},
        cwd=cwd,
        check=False,
        capture_output=True,
        text=True,
        timeout=90,
    )


def must_fail_in_one_sentence(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 1, nothing on standard output, one line on standard error, besides the log's, that says why."""
    assert ended.returncode == 1, ended
    assert ended.stdout == ""
    told = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert len(told) == 1, ended.stderr
    assert told[0].startswith("headwater: "), ended.stderr
    assert [word for word in words if word not in told[0]] == [], ended.stderr


@pytest.fixture
def folder() -> Iterator[Path]:
    """The place of a data folder that is not there yet."""
    place = new_folder()
    yield place
    shutil.rmtree(place.parent, ignore_errors=True)


@cache
def help_of(*command: str) -> subprocess.CompletedProcess[str]:
    """What a command tells of itself; asked once."""
    return run(*command, "--help")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    helped = help_of(*command)
    assert helped.returncode == 0
    assert helped.stderr == ""
    assert helped.stdout.lstrip().startswith("Usage: ")


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in {("app",), ("version",)}], ids=" ".join)
def test_help_shows_an_example_and_the_exit_codes(command: tuple[str, ...]) -> None:
    told = help_of(*command).stdout
    assert f"Example: headwater {' '.join(command)}" in told
    assert "Exit codes: 0 " in told
    if command != ("app", "new"):
        assert "--data" in told


def test_without_a_command_there_is_help_and_every_command_is_in_it() -> None:
    alone = run()
    assert alone.returncode == 2
    told = alone.stdout + alone.stderr
    assert [command[0] for command in COMMANDS if command[0] not in told] == []
    assert run("--help").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("serve", "--port", "70000"), ("serve", "--port", "http"), ("serve", "--nonsense"), ("app", "new")],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert ended.returncode == 2
    assert "Usage: " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_version() -> None:
    ended = run("version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{headwater.__version__}\n", "")


def test_the_installed_script_is_the_same_command() -> None:
    script = shutil.which("headwater", path=str(Path(COMMAND[0]).parent))
    assert script is not None
    assert (
        subprocess.run([script, "version"], check=True, capture_output=True, text=True).stdout == run("version").stdout
    )


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"HEADWATER_DATABASE_POOL_MAX": "many"}, ["HEADWATER_DATABASE_POOL_MAX"]),
        ({"HEADWATER_DATABASE_POOL_MAX": "0"}, ["HEADWATER_DATABASE_POOL_MAX"]),
        ({"HEADWATER_ENCRYPTION_KEY": "short"}, ["HEADWATER_ENCRYPTION_KEY", "32"]),
        ({"HEADWATER_DATABASE_URL": NOBODY_LISTENS}, ["HEADWATER_ENCRYPTION_KEY"]),
        ({"HEADWATER_DATABASE_URL": NOBODY_LISTENS, "HEADWATER_ENCRYPTION_KEY": KEY}, ["HEADWATER_DATABASE_URL"]),
        ({"HEADWATER_DATABASE_URL": "no url", "HEADWATER_ENCRYPTION_KEY": KEY}, ["HEADWATER_DATABASE_URL"]),
        (
            {"HEADWATER_DATABASE_URL": "postgresql://u:not:hing@h:x/d", "HEADWATER_ENCRYPTION_KEY": KEY},
            ["HEADWATER_DATABASE_URL"],
        ),
    ],
    ids=["no number", "out of range", "weak key", "no key", "nobody listens", "no url", "no port"],
)
def test_a_wrong_setting_is_one_sentence(folder: Path, environment: dict[str, str], words: list[str]) -> None:
    ended = run("serve", "--data", folder, environment=environment)
    must_fail_in_one_sentence(ended, *words)
    assert "nothing" not in ended.stderr and "not:hing" not in ended.stderr


@pytest.mark.parametrize("command", ["keys", "migrate", "work", "jobs"])
def test_every_command_that_needs_the_database_says_that_it_is_not_there(folder: Path, command: str) -> None:
    environment = {"HEADWATER_DATABASE_URL": NOBODY_LISTENS, "HEADWATER_ENCRYPTION_KEY": KEY}
    must_fail_in_one_sentence(run(command, "--data", folder, environment=environment), "HEADWATER_DATABASE_URL")


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"HEADWATER_SERVER_PORT": "x"}, "HEADWATER_SERVER_PORT"),
        ({"HEADWATER_FLOW_REQUESTS_PER_MINUTE": "0"}, "HEADWATER_FLOW_REQUESTS_PER_MINUTE"),
        ({"HEADWATER_FLOW_TRUSTED_PROXIES": "elsewhere"}, "HEADWATER_FLOW_TRUSTED_PROXIES"),
        ({"HEADWATER_JWT_SECRET": "short"}, "HEADWATER_JWT_SECRET"),
        ({"HEADWATER_ADMIN_PASSWORD": "short"}, "HEADWATER_ADMIN_PASSWORD"),
        ({"ACCESS_API_KEY": "ik_short"}, "A configured key, after ik_,"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_setting_of_the_server_is_one_sentence(folder: Path, environment: dict[str, str], word: str) -> None:
    ended = run("serve", "--data", folder, "--port", "0", environment=environment)
    must_fail_in_one_sentence(ended, word)


def test_a_setting_of_an_env_file_counts_unless_the_environment_says_otherwise(folder: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HEADWATER_ENCRYPTION_KEY=short\n")
    must_fail_in_one_sentence(run("serve", "--data", folder, cwd=tmp_path), "HEADWATER_ENCRYPTION_KEY")
    ended = run("migrate", "--data", folder, cwd=tmp_path, environment={"HEADWATER_ENCRYPTION_KEY": KEY})
    assert ended.returncode == 0, ended.stderr


def test_a_port_in_use_is_one_sentence(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        must_fail_in_one_sentence(run("serve", "--data", folder, "--port", port), port, "--port")


def test_a_host_that_is_not_ours_is_one_sentence(folder: Path) -> None:
    must_fail_in_one_sentence(run("serve", "--data", folder, "--port", "0", "--host", "203.0.113.9"), "203.0.113.9")


def test_a_folder_of_another_version_is_one_sentence(folder: Path) -> None:
    (folder / "postgres").mkdir(parents=True)
    (folder / "postgres" / "PG_VERSION").write_text("15\n")
    for command in ("serve", "keys", "migrate"):
        must_fail_in_one_sentence(run(command, "--data", folder), "15", "18", "--data")


def test_a_folder_that_cannot_be_one_is_one_sentence(folder: Path) -> None:
    folder.write_text("a file")
    must_fail_in_one_sentence(run("serve", "--data", folder, "--port", "0"), str(folder))


def test_an_unknown_root_app_is_one_sentence(folder: Path) -> None:
    must_fail_in_one_sentence(run("serve", "--data", folder, "--port", "0", "--root-app", "nowhere"), "nowhere")


def test_the_data_folder_can_come_from_the_environment(server: RunningServer) -> None:
    ended = run("keys", "--json", environment={"HEADWATER_DATA": str(server.folder)})
    assert json.loads(ended.stdout)["admin_key"] == server.admin_key


def test_keys_as_json_is_one_object_on_one_line(server: RunningServer) -> None:
    ended = run("keys", "--json", "--data", server.folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("\n") == 1
    found = json.loads(ended.stdout)
    assert list(found) == ["url", "anon_key", "admin_key"]
    assert found["url"] == server.url
    assert found["anon_key"].startswith("anon_")
    assert found["admin_key"].startswith("ik_")
    answer = httpx.get(found["url"] + "/api/metadata", headers={"authorization": f"Bearer {found['admin_key']}"})
    assert answer.status_code == 200


def test_keys_for_people_are_the_same(server: RunningServer) -> None:
    told = dict(line.split() for line in run("keys", "--data", server.folder).stdout.splitlines())
    assert told == {"url": server.url, "anon_key": server.anon_key, "admin_key": server.admin_key}


def test_a_key_is_rotated_while_the_server_runs(own_server: RunningServer) -> None:
    old = own_server.anon_key
    assert "good until" in own_server.run("keys", "rotate", "anon", "--grace", "1")
    new = json.loads(own_server.run("keys", "--json"))["anon_key"]
    own_server.run("keys", "rotate", "signing")
    statuses = {
        key: httpx.get(f"{own_server.url}/rest/v1/", headers={"authorization": f"Bearer {key}"}).status_code
        for key in (old, new)
    }
    assert new != old
    assert statuses == {old: 200, new: 200}
    own_server.run("keys", "rotate", "anon", "--grace", "0")
    assert httpx.get(f"{own_server.url}/rest/v1/", headers={"authorization": f"Bearer {new}"}).status_code == 401


def test_keys_of_a_server_that_does_not_run(own_server: RunningServer) -> None:
    own_server.stop()
    found = json.loads(own_server.run("keys", "--json"))
    assert (found["anon_key"], found["admin_key"]) == (own_server.anon_key, own_server.admin_key)
    own_server.start()


def test_keys_before_the_first_start_are_refused_in_one_sentence(folder: Path) -> None:
    must_fail_in_one_sentence(run("keys", "--data", folder), "first start")


def test_the_first_start_says_where_everything_is_and_no_key(own_server: RunningServer) -> None:
    said = own_server.log.read_text()
    assert own_server.url in said
    assert str(own_server.folder) in said
    assert f"headwater keys --data {own_server.folder}" in said
    assert f"{own_server.url}/docs" in said


def test_no_credential_is_ever_in_what_serve_says(own_server: RunningServer) -> None:
    own_server.stop()
    own_server.environment["HEADWATER_SERVER_LOG"] = "debug"
    own_server.start()
    email, password = "careful@example.com", "correct horse battery"
    token = own_server.sign_up(email, password)
    with own_server.client(token) as client:
        client.get("/api/auth/sessions/current").raise_for_status()
        client.get("/api/health", params={"token": token, "apikey": own_server.admin_key})
        client.post("/api/auth/sessions", json={"email": email, "password": password + "!"})
        client.get("/api/metadata", headers={"x-api-key": own_server.admin_key})
        client.get("/api/metadata", headers={"authorization": "Bearer " + token[:-4] + "AAAA"})
        refreshed = {"refreshToken": "rt_nobody_knows_this", "client_type": "mobile"}
        client.post("/api/auth/refresh", json=refreshed)
    own_server.sql("select 1")
    own_server.stop()
    said = own_server.log.read_text()
    secret = (own_server.folder / "encryption.key").read_text().strip()
    hidden = (own_server.admin_key, own_server.anon_key, token, token[:-4], password, secret, "rt_nobody_knows_this")
    assert [text for text in hidden if text in said] == []


def test_the_doctor_finds_all_well(server: RunningServer) -> None:
    ended = run("doctor", "--data", server.folder, environment={"HEADWATER_SERVER_PORT": "0"})
    assert ended.returncode == 0, ended.stdout
    lines = ended.stdout.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    for part in ("python", "packages", "data folder", "disk", "encryption key", "port", "database", "migrations"):
        assert any(line.startswith(f"ok   {part}: ") for line in lines), part
    assert "PostgreSQL 18" in ended.stdout
    assert server.admin_key not in ended.stdout


def test_the_doctor_starts_nothing_and_makes_nothing(folder: Path) -> None:
    ended = run("doctor", "--data", folder, environment={"HEADWATER_SERVER_PORT": "0"})
    assert ended.returncode == 0, ended.stdout
    assert "the first start makes it" in ended.stdout
    assert not folder.exists()


def test_the_doctor_says_what_is_wrong_and_exits_2(folder: Path) -> None:
    folder.mkdir()
    (folder / "encryption.key").write_text("x" * 43)
    (folder / "encryption.key").chmod(0o644)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = run("doctor", "--data", folder, environment={"HEADWATER_SERVER_PORT": port})
    assert ended.returncode == 2
    bad = [line for line in ended.stdout.splitlines() if line.startswith("BAD ")]
    assert [line.split(":")[0] for line in bad] == ["BAD  encryption key", "BAD  port"]
    assert "--port" in bad[1]


@pytest.mark.parametrize(
    "environment",
    [{"HEADWATER_DATABASE_URL": NOBODY_LISTENS, "HEADWATER_ENCRYPTION_KEY": KEY}, {"HEADWATER_ENCRYPTION_KEY": "weak"}],
    ids=["nobody listens", "weak key"],
)
def test_the_doctor_bears_what_a_start_would_not(server: RunningServer, environment: dict[str, str]) -> None:
    ended = run("doctor", "--data", server.folder, environment={"HEADWATER_SERVER_PORT": "0", **environment})
    assert ended.returncode == 2, ended
    assert ended.stderr == ""
    assert "BAD " in ended.stdout


def test_migrate_tries_applies_and_is_done(folder: Path) -> None:
    tried = run("migrate", "--dry-run", "--data", folder)
    assert tried.returncode == 0, tried.stderr
    names = [line.removeprefix("would apply ") for line in tried.stdout.splitlines()]
    assert "would apply kernel.database/" in tried.stdout
    assert "would apply identity/" in tried.stdout
    tried_again = run("migrate", "--dry-run", "--data", folder)
    assert tried_again.stdout == tried.stdout
    applied = run("migrate", "--data", folder)
    assert applied.stdout.splitlines() == [f"applied {name}" for name in names]
    for more in ((), ("--dry-run",)):
        ended = run("migrate", "--data", folder, *more)
        assert (ended.returncode, ended.stdout) == (0, "nothing to apply\n")


def test_migrate_beside_a_running_server(server: RunningServer) -> None:
    assert server.run("migrate") == "nothing to apply\n"
    assert server.is_ready()


def test_jobs_of_a_server_are_told_to_people_and_to_programs(server: RunningServer) -> None:
    told = run("jobs", "--data", server.folder)
    assert (told.returncode, told.stderr) == (0, "")
    assert "kernel.remove_finished_jobs" in told.stdout and "every 1:00:00" in told.stdout
    overview = json.loads(run("jobs", "--json", "--data", server.folder).stdout)
    assert set(overview) == {"jobs", "timers", "workers"}
    assert overview["workers"][0]["running"] == 0
    assert json.loads(run("jobs", "failures", "--json", "--data", server.folder).stdout) == []
    assert run("jobs", "failures", "--data", server.folder).stdout == "no failures\n"
    assert run("jobs", "retry", "--all", "--data", server.folder).stdout == "0 queued again\n"


@pytest.mark.parametrize("verb", ["retry", "discard"])
@pytest.mark.parametrize(
    ("arguments", "word"),
    [((), "--all"), (("x", "--all"), "only one"), (("unknown.job",), "unknown.job"), ((KEY_ID,), KEY_ID)],
    ids=["nothing", "too much", "no such name", "no such id"],
)
def test_failures_that_are_not_there_are_one_sentence(
    server: RunningServer, verb: str, arguments: tuple[str, ...], word: str
) -> None:
    must_fail_in_one_sentence(run("jobs", verb, *arguments, "--data", server.folder), word)


def test_a_worker_for_a_job_that_nobody_declares_is_one_sentence(server: RunningServer) -> None:
    ended = run("work", "--jobs", "nobody.declares", "--data", server.folder)
    must_fail_in_one_sentence(ended, "nobody.declares", "identity.remove_expired")


def test_a_new_app_is_written_once(tmp_path: Path) -> None:
    written = run("app", "new", "guestbook", "--folder", tmp_path)
    assert (written.returncode, written.stderr) == (0, "")
    paths = [Path(line) for line in written.stdout.splitlines()]
    assert all(path.is_file() and tmp_path in path.parents for path in paths)
    assert {"endpoints.py", "operations.py", "queries.py", "rules.py"} <= {path.name for path in paths}
    before = {path: path.read_bytes() for path in paths}
    must_fail_in_one_sentence(run("app", "new", "guestbook", "--folder", tmp_path), "guestbook")
    assert {path: path.read_bytes() for path in paths} == before


@pytest.mark.parametrize("name", ["Guest Book", "9lives", "../up", "class", ""])
def test_a_name_that_will_not_do_is_one_sentence(tmp_path: Path, name: str) -> None:
    must_fail_in_one_sentence(run("app", "new", name, "--folder", tmp_path))
    assert list(tmp_path.iterdir()) == []
