"""PostgREST's variables and file are read as PostgREST reads them, or refused with a sentence."""

from pathlib import Path

import pytest

from headwater.boot.errors import InvalidSetting
from headwater.boot.rest.claims import find_text, read_path
from headwater.boot.rest.settings import RestOptions, read_settings

FILE = r"""
# PostgREST's tutorial, and more
db-uri = "postgresql://authenticator:s\"ecret@localhost:5432/app"
db-schemas = "api, public"   # the first is the default
db-anon-role = web_anon
server-port = 3001
app.settings.colour = "red"
-- another kind of comment
"""


def test_nothing_said_is_what_postgrest_does() -> None:
    assert read_settings({"PATH": "/bin", "PGRST_DB_SCHEMAS": ""}) == (RestOptions(), ())


def test_values_are_converted() -> None:
    told, unknown = read_settings(
        {
            "PGRST_DB_SCHEMAS": "api, public",
            "PGRST_DB_POOL": "4",
            "PGRST_DB_PLAN_ENABLED": "true",
            "PGRST_DB_CHANNEL_ENABLED": "False",
            "PGRST_SERVER_HOST": "!4",
            "PGRST_APP_SETTINGS_Some_Name": "x",
            "PGRST_DB_CONFIG": "true",
            "PGRST_log_level": "info",
        }
    )
    assert told.db_schemas == ("api", "public")
    assert (told.db_pool, told.db_plan_enabled, told.db_channel_enabled) == (4, True, False)
    assert told.server_host == "0.0.0.0"
    assert told.app_settings == (("app.settings.some_name", "x"),)
    assert unknown == ("PGRST_DB_CONFIG", "PGRST_log_level")


def test_older_names_are_understood_and_newer_ones_win() -> None:
    told, unknown = read_settings({"PGRST_DB_SCHEMA": "old", "PGRST_MAX_ROWS": "5"})
    assert (told.db_schemas, told.db_max_rows, unknown) == (("old",), 5, ())
    for names in (("PGRST_DB_SCHEMA", "PGRST_DB_SCHEMAS"), ("PGRST_DB_SCHEMAS", "PGRST_DB_SCHEMA")):
        told, _ = read_settings({name: "new" if name.endswith("S") else "old" for name in names})
        assert told.db_schemas == ("new",)


def test_a_file_is_read_and_variables_win(tmp_path: Path) -> None:
    file = tmp_path / "postgrest.conf"
    file.write_text(FILE)
    told, unknown = read_settings({"PGRST_SERVER_PORT": "3002"}, file)
    assert told.db_uri == 'postgresql://authenticator:s"ecret@localhost:5432/app'
    assert (told.db_schemas, told.db_anon_role, told.server_port) == (("api", "public"), "web_anon", 3002)
    assert told.app_settings == (("app.settings.colour", "red"),)
    assert unknown == ()


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x" * 32 + "\n")
    assert read_settings({"PGRST_JWT_SECRET": f"@{tmp_path}/secret"})[0].jwt_secret == "x" * 32


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PGRST_DB_POOL", "0"),
        ("PGRST_DB_POOL", "many"),
        ("PGRST_SERVER_PORT", "70000"),
        ("PGRST_DB_TX_END", "whenever"),
        ("PGRST_DB_PLAN_ENABLED", "perhaps"),
    ],
)
def test_what_cannot_be_read_names_the_variable(name: str, text: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        read_settings({name: text})


@pytest.mark.parametrize("line", ["db-uri", "= x", 'db-uri = "open', "db uri = x y"])
def test_a_line_that_cannot_be_read_is_told_by_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "conf").write_text(f"db-pool = 3\n{line}\n")
    with pytest.raises(InvalidSetting, match="line 2"):
        read_settings({}, tmp_path / "conf")


def test_files_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="cannot be read"):
        read_settings({}, tmp_path / "none")
    with pytest.raises(InvalidSetting, match="cannot be read"):
        read_settings({"PGRST_JWT_SECRET": f"@{tmp_path}/none"})


CLAIMS = {"role": "a", "app": {"roles": ["b", 7], "https://x.y/z": "c"}, "n": None}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".role", "a"),
        ("$.role", "a"),
        (".app.roles[0]", "b"),
        ('$.app["https://x.y/z"]', "c"),
        ("$['app'].roles[0]", "b"),
        ('.app."https://x.y/z"', "c"),
        (".app.roles[1]", None),
        (".app.roles[9]", None),
        (".role.more", None),
        (".n", None),
        (".app", None),
    ],
)
def test_the_role_is_found_where_the_path_leads(path: str, found: str | None) -> None:
    assert find_text(CLAIMS, read_path(path)) == found


@pytest.mark.parametrize("path", ["", "$", "role", ".", ".a[?(@ == 'x')]", ".a[", ".a..b"])
def test_paths_that_lead_nowhere_are_refused(path: str) -> None:
    with pytest.raises(InvalidSetting, match="PGRST_JWT_ROLE_CLAIM_KEY"):
        read_path(path)
