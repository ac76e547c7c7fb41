"""A backup restored into a fresh folder is the same house; a restore happens wholly or not at all."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.server import COMMAND, RunningServer, new_folder

SCHEMA = """
create table notes (id serial primary key, owner uuid default auth.uid(), body text not null);
alter table notes enable row level security;
create policy own on notes using (owner = auth.uid()) with check (owner = auth.uid());
create table hidden (id int); revoke all on hidden from anon, authenticated;
create function shout(word text) returns text language sql as $$ select upper(word) $$;
"""
MIGRATION = {"version": "1", "name": "make-shelves", "sql": "create table shelves (id int primary key);"}


def command(
    server: RunningServer, *arguments: str | Path, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """A `headwater` command on a folder, to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments), "--data", str(folder or server.folder)],
        env=server.environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def must_be_refused(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 1 and one sentence that holds the words."""
    assert ended.returncode == 1, ended.stdout + ended.stderr
    (sentence,) = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert [word for word in words if word not in sentence] == [], sentence


@pytest.fixture(scope="module")
def source() -> Iterator[RunningServer]:
    """A house with people, rows, a policy, a function, a migration and a job to come."""
    server = RunningServer(new_folder())
    try:
        for statement in SCHEMA.split(";\n"):
            if statement.strip():
                server.sql(statement)
        with server.client(server.admin_key) as admin:
            admin.post("/api/database/migrations", json=MIGRATION).raise_for_status()
        token = server.sign_up("ann@example.com")
        with server.client(token) as ann:
            ann.post("/api/database/records/notes", json={"body": "mine"}).raise_for_status()
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
        shutil.rmtree(server.folder.parent, ignore_errors=True)


@pytest.fixture(scope="module")
def backup(source: RunningServer) -> Path:
    """A backup made while the server runs."""
    file = source.folder.with_name("before.backup")
    ended = command(source, "backup", file)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"{file} (")
    assert "its secrets open with the key" in ended.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    return file


@pytest.fixture
def fresh(source: RunningServer) -> Iterator[Path]:
    """A folder that holds nothing but the key."""
    folder = new_folder()
    folder.mkdir(mode=0o711)
    shutil.copy2(source.folder / "encryption.key", folder)
    yield folder
    shutil.rmtree(folder.parent, ignore_errors=True)


def test_everything_is_there_again(source: RunningServer, backup: Path, fresh: Path) -> None:
    ended = command(source, "restore", backup, folder=fresh)
    assert ended.returncode == 0, ended.stderr
    server = RunningServer(fresh)
    try:
        assert (server.anon_key, server.admin_key) == (source.anon_key, source.admin_key)
        with server.client(server.anon_key) as client:
            signed_in = client.post(
                "/api/auth/sessions", json={"email": "ann@example.com", "password": "correct horse"}
            )
            assert signed_in.status_code == 200, signed_in.text
            assert client.get("/api/database/records/notes").json() == []
            assert client.get("/api/database/records/hidden").status_code in {401, 403}
        with server.client(signed_in.json()["accessToken"]) as ann:
            assert [row["body"] for row in ann.get("/api/database/records/notes").json()] == ["mine"]
            ann.post("/api/database/records/notes", json={"body": "more"}).raise_for_status()
            assert [row["id"] for row in ann.get("/api/database/records/notes").json()] == [1, 2]
        with server.client(server.admin_key) as admin:
            history = admin.get("/api/database/migrations").json()["migrations"]
            assert [(step["version"], step["name"]) for step in history] == [("1", "make-shelves")]
            again = admin.post("/api/database/migrations", json=MIGRATION)
            assert again.json()["error"] == "DATABASE_MIGRATION_ALREADY_EXISTS"
        assert server.sql("select shout('hi') as word") == [{"word": "HI"}]
        assert server.sql("select count(*)::int as n from pg_event_trigger where evtname = 'headwater_ddl'") == [
            {"n": 1}
        ]
        restored = server.sql(WHAT_IS_THERE)
        assert restored == source.sql(WHAT_IS_THERE)
        assert server.stop() == 0
    finally:
        if server.process.poll() is None:
            server.kill()


WHAT_IS_THERE = """
select n.nspname || '.' || c.relname as name, c.relkind::text as kind, pg_get_userbyid(c.relowner) as owner,
       c.relrowsecurity as secured, (select array_agg(a::text order by a::text) from unnest(
         coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))) a) as acl
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1
"""


def test_no_restore_under_a_running_server(source: RunningServer, backup: Path) -> None:
    must_be_refused(command(source, "restore", backup, "--replace"), "already runs the database", "stop it")
    assert source.is_ready()


def test_a_full_house_is_not_overwritten_unless_told(source: RunningServer, backup: Path, fresh: Path) -> None:
    assert command(source, "restore", backup, folder=fresh).returncode == 0
    must_be_refused(command(source, "restore", backup, folder=fresh), "--replace")
    server = RunningServer(fresh)
    server.sql("drop table notes")
    server.stop()
    assert command(source, "restore", backup, "--replace", folder=fresh).returncode == 0
    server.start()
    assert server.sql("select body from notes") == [{"body": "mine"}]
    assert server.sql("select datname from pg_database where datname like 'headwater%'") == [{"datname": "headwater"}]
    server.stop()


def test_the_key_is_wanted_before_anything_is_written(source: RunningServer, backup: Path, fresh: Path) -> None:
    (fresh / "encryption.key").unlink()
    must_be_refused(command(source, "restore", backup, folder=fresh), "encryption.key", "--lose-secrets")
    assert list(fresh.iterdir()) == []
    (fresh / "encryption.key").write_text("another-Key-0123456789-abcdefghijklmn\n")
    (fresh / "encryption.key").chmod(0o600)
    must_be_refused(command(source, "restore", backup, folder=fresh), "the key at hand is", "--lose-secrets")
    ended = command(source, "restore", backup, "--lose-secrets", folder=fresh)
    assert ended.returncode == 0, ended.stderr
    assert "keys" in ended.stderr
    server = RunningServer(fresh)
    try:
        assert server.admin_key != source.admin_key
        with server.client(server.anon_key) as client:
            body = {"email": "ann@example.com", "password": "correct horse"}
            assert client.post("/api/auth/sessions", json=body).status_code == 200
    finally:
        server.stop()


def test_a_damaged_backup_changes_nothing(source: RunningServer, backup: Path, fresh: Path) -> None:
    assert command(source, "restore", backup, folder=fresh).returncode == 0
    whole = backup.read_bytes()
    damaged = {
        "cut.backup": whole[: len(whole) * 2 // 3],
        "text.backup": b"select 1;",
        "changed.backup": whole[:-2000] + bytes(1000) + whole[-1000:],
    }
    for name, content in damaged.items():
        broken = fresh.with_name(name)
        broken.write_bytes(content)
        must_be_refused(command(source, "restore", broken, "--replace", folder=fresh))
    must_be_refused(command(source, "restore", fresh.with_name("absent"), "--replace", folder=fresh), "is not there")
    server = RunningServer(fresh)
    assert server.sql("select body from notes") == [{"body": "mine"}]
    assert server.sql("select datname from pg_database where datname like 'headwater%'") == [{"datname": "headwater"}]
    server.stop()


def test_a_backup_of_a_stopped_house_and_never_over_a_file(source: RunningServer, backup: Path, fresh: Path) -> None:
    assert command(source, "restore", backup, folder=fresh).returncode == 0
    again = fresh.with_name("again.backup")
    assert command(source, "backup", again, folder=fresh).returncode == 0
    must_be_refused(command(source, "backup", again, folder=fresh), "already there")
    must_be_refused(command(source, "backup", fresh / "no" / "where", folder=fresh), "No such file")
    assert sorted(path.name for path in fresh.parent.iterdir()) == ["again.backup", "data"]


def test_a_house_backs_itself_up_over_http(source: RunningServer, fresh: Path) -> None:
    with source.client(source.admin_key) as admin:
        made = admin.post("/api/database/backups", json={"name": "by hand"})
        assert made.status_code == 201, made.text
        entry = made.json()
        assert (entry["name"], entry["status"], entry["triggerSource"], entry["expiresAt"]) == (
            "by hand",
            "completed",
            "manual",
            None,
        )
        file = source.folder / "backups" / f"{entry['id']}.backup"
        assert file.stat().st_size == entry["sizeBytes"]
        assert file.parent.stat().st_mode & 0o777 == 0o700
        renamed = admin.patch(f"/api/database/backups/{entry['id']}", json={"name": None})
        assert renamed.json() == {**entry, "name": None}
        assert admin.get("/api/database/backups").json() == {"backups": [renamed.json()]}
        assert command(source, "restore", file, folder=fresh).returncode == 0
        assert admin.delete(f"/api/database/backups/{entry['id']}").status_code == 200
        assert not file.exists()
        gone = admin.delete(f"/api/database/backups/{entry['id']}")
        assert (gone.status_code, gone.json()["error"]) == (404, "DATABASE_NOT_FOUND")
        assert admin.get("/api/database/backups/nonsense").status_code in {404, 405}
    with source.client(source.anon_key) as anybody:
        assert anybody.get("/api/database/backups").status_code == 403
