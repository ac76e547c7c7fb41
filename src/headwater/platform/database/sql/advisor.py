"""The statements that mend what the advisor finds."""

from collections.abc import Sequence

from headwater.platform.database.parse import wrap_calls
from headwater.platform.database.sql.identifiers import listed, qualified, quoted

_OWN_ROWS = "users see and write their own rows"
_NOBODY = "nobody but the admin"
_KEY_NAMES = ("id", "row_id", "key", "primary_id")


def index_columns(schema: str, table: str, columns: Sequence[str]) -> str:
    """An index on columns, in this order."""
    return f"create index on {qualified(schema, table)} ({listed(columns)})"


def turn_row_security_on(schema: str, table: str) -> str:
    """Row-level security, so that policies decide."""
    return f"alter table {qualified(schema, table)} enable row level security"


def say_whose_rows(schema: str, table: str, owner: str | None) -> str:
    """A policy: each user's own rows where a column says whose they are, else one that says that nobody is meant."""
    name = qualified(schema, table)
    if owner is None:
        return f"create policy {quoted(_NOBODY)} on {name} for all to anon, authenticated using (false)"
    own = f"{quoted(owner)} = (select auth.uid())"
    return f"create policy {quoted(_OWN_ROWS)} on {name} for all to authenticated using ({own}) with check ({own})"


def ask_once(schema: str, table: str, policy: str, qual: str | None, with_check: str | None) -> str:
    """The same policy, which asks for the claims once a statement."""
    using = "" if qual is None else f" using ({wrap_calls(qual)})"
    check = "" if with_check is None else f" with check ({wrap_calls(with_check)})"
    return f"alter policy {quoted(policy)} on {qualified(schema, table)}{using}{check}"


def drop_twin(schema: str, table: str, index: str, constraint: str | None) -> str:
    """The end of an index that another does the work of, or of the constraint it stands for."""
    if constraint is None:
        return f"drop index {qualified(schema, index)}"
    return f"alter table {qualified(schema, table)} drop constraint {quoted(constraint)}"


def add_primary_key(schema: str, table: str, columns: Sequence[str], unique_key: Sequence[str] | None) -> str:
    """A primary key: the unique columns there are, or a new column under a free name."""
    own = f"alter table {qualified(schema, table)}"
    if unique_key:
        return f"{own} add primary key ({listed(unique_key)})"
    free = next((name for name in _KEY_NAMES if name not in columns), f"{table[:50]}_row_id")
    return f"{own} add column {quoted(free)} uuid primary key default gen_random_uuid()"


def look_as_the_caller(schema: str, view: str) -> str:
    """A view that reads as whoever asks, under his policies."""
    return f"alter view {qualified(schema, view)} set (security_invoker = true)"


def fix_search_path(schema: str, signature: str) -> str:
    """A function that finds names where they were when it was written; the signature is quoted by Postgres."""
    return f"alter routine {signature} set search_path = pg_catalog, {quoted(schema)}, pg_temp"
