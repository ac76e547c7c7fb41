"""PostgREST's own variables, and its configuration file, read into one frozen struct."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec

from headwater.boot.errors import InvalidSetting

PREFIX = "PGRST_"
_APP = "PGRST_APP_SETTINGS_"
_OLDER = {
    "PGRST_DB_SCHEMA": "PGRST_DB_SCHEMAS",
    "PGRST_PRE_REQUEST": "PGRST_DB_PRE_REQUEST",
    "PGRST_MAX_ROWS": "PGRST_DB_MAX_ROWS",
    "PGRST_ROOT_SPEC": "PGRST_DB_ROOT_SPEC",
    "PGRST_ROLE_CLAIM_KEY": "PGRST_JWT_ROLE_CLAIM_KEY",
    "PGRST_SECRET_IS_BASE64": "PGRST_JWT_SECRET_IS_BASE64",
    "PGRST_SERVER_PROXY_URI": "PGRST_OPENAPI_SERVER_PROXY_URI",
}
"""Names that PostgREST once had and still understands."""
_IN_FILES = ("PGRST_DB_URI", "PGRST_JWT_SECRET")
"""Their values may be `@` and the path of a file that holds them."""
_LINE = re.compile(r"""([A-Za-z][\w.-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"#]+))\s*(?:(?:#|--).*)?""")
_COMMENTS = ("#", "--")
_ADDRESSES = {"*": "0.0.0.0", "*4": "0.0.0.0", "!4": "0.0.0.0", "*6": "::", "!6": "::"}  # noqa: S104 - who asks for all
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Names = tuple[str, ...]


class RestOptions(msgspec.Struct, frozen=True, kw_only=True):
    """PGRST_*, by PostgREST's names and with its defaults, but for the address; times in seconds."""

    db_uri: str = "postgresql://"
    """As the authenticator, who may become the roles; what it leaves out comes from libpq's variables (PGHOST, …)."""
    db_schemas: Names = ("public",)
    """Those served; requests that name none are about the first."""
    db_anon_role: str | None = None
    """The role of requests without a token; unset, they are refused."""
    db_pool: Annotated[int, msgspec.Meta(ge=1)] = 10
    db_pool_acquisition_timeout: Seconds = 10.0
    db_pool_max_idletime: Seconds = 30.0
    db_extra_search_path: Names = ("public",)
    db_max_rows: Annotated[int, msgspec.Meta(ge=0)] | None = None
    db_plan_enabled: bool = False
    db_pre_request: str | None = None
    db_tx_end: Literal["commit", "commit-allow-override", "rollback", "rollback-allow-override"] = "commit"
    db_aggregates_enabled: bool = False
    db_hoisted_tx_settings: Names = (
        "statement_timeout",
        "plan_filter.statement_cost_limit",
        "default_transaction_isolation",
    )
    db_root_spec: str | None = None
    """A function whose result the root answers with, in the place of the description."""
    db_channel: str = "pgrst"
    db_channel_enabled: bool = True
    jwt_secret: str | None = None
    """A text of 32 characters at least, a JWK or a set of them; or `@` and the file that holds it."""
    jwt_secret_is_base64: bool = False
    jwt_aud: str | None = None
    jwt_role_claim_key: str = ".role"
    jwt_cache_max_entries: Annotated[int, msgspec.Meta(ge=1)] = 1000
    openapi_mode: Literal["follow-privileges", "ignore-privileges", "disabled"] = "follow-privileges"
    openapi_server_proxy_uri: str | None = None
    openapi_security_active: bool = False
    server_host: str = "127.0.0.1"
    """PostgREST's own default is every address, which is `*` here too."""
    server_port: Port = 3000
    server_cors_allowed_origins: Names = ()
    server_timing_enabled: bool = False
    server_trace_header: str | None = None
    admin_server_host: str | None = None
    admin_server_port: Port | None = None
    log_level: Literal["crit", "error", "warn", "info", "debug"] = "error"
    client_error_verbosity: Literal["verbose", "minimal"] = "verbose"
    app_settings: tuple[tuple[str, str], ...] = ()
    """PGRST_APP_SETTINGS_NAME: what the database's own code reads by `current_setting('app.settings.name')`."""


def read_settings(environment: Mapping[str, str], file: Path | None = None) -> tuple[RestOptions, tuple[str, ...]]:
    """What the environment says, over what the file does; and the names of that prefix that mean nothing here.

    An empty value counts as none. Raises `InvalidSetting`, which names the variable.
    """
    told = {**({} if file is None else dict(_lines(file))), **environment}
    given: dict[str, str] = {}
    for name, text in told.items():
        if name.startswith(PREFIX) and text:
            newer = _OLDER.get(name, name)
            if newer == name or not told.get(newer):
                given[newer] = text
    hints = get_type_hints(RestOptions, include_extras=True)
    values: dict[str, Any] = {"app_settings": tuple(_app_settings(given))}
    unknown: list[str] = []
    for name, text in given.items():
        field = name.removeprefix(PREFIX).lower()
        if name.startswith(_APP):
            continue
        if field in hints and name.isupper():
            values[field] = _converted(name, _from_file(text) if name in _IN_FILES else text, hints[field])
        else:
            unknown.append(name)
    if "server_host" in values:
        values["server_host"] = _ADDRESSES.get(values["server_host"], values["server_host"])
    return RestOptions(**values), tuple(unknown)


def _app_settings(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in given.items():
        if name.startswith(_APP):
            yield f"app.settings.{name.removeprefix(_APP).lower()}", text


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    """The settings of a PostgREST configuration file, `db-uri = "…"` on each line, under the variables' names."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as failure:
        raise InvalidSetting(name=str(file), reason=f"cannot be read ({failure})") from failure
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith(_COMMENTS):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise InvalidSetting(name=str(file), reason=f'line {number} does not read name = "value"')
        quoted, plain = found[2], found[3]
        text = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        yield PREFIX + re.sub(r"[.-]", "_", found[1]).upper(), text


def _from_file(text: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as failure:
        raise InvalidSetting(name=text, reason=f"cannot be read ({failure})") from failure


def _converted(name: str, text: str, hint: Any) -> object:
    value = [part.strip() for part in text.split(",") if part.strip()] if hint == Names else text
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError as failure:
        raise InvalidSetting(name=name, reason=str(failure)) from failure
