"""What a request changes."""

from typing import Literal

import msgspec


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A column that the body fills; `default` is the SQL expression that stands in where a row has no such key.

    `heard_by` is the function, ready for SQL, that reads its JSON where the column's domain has its own form.
    """

    name: str
    type: str
    default: str | None = None
    heard_by: str | None = None


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to a row whose `target` columns are taken: it is merged into the other, or left out."""

    target: tuple[str, ...]
    merge: bool


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """A change of rows.

    `fill_missing` where absent keys take their defaults; `counts_inserted` where new rows are told from merged ones;
    `located_by` is the key that tells the client the place of a new row; `replaces` where the filters name the row;
    `by` is the key, among `columns`, by which each row of the body finds the one that it alone changes. With `found_by`
    the rows were added before, and the body tells only their keys, of these columns.
    """

    kind: Literal["insert", "update", "delete"]
    columns: tuple[Written, ...] = ()
    from_array: bool = False
    fill_missing: bool = False
    conflict: Conflict | None = None
    counts_inserted: bool = False
    located_by: tuple[str, ...] = ()
    replaces: bool = False
    by: tuple[str, ...] = ()
    found_by: tuple[Written, ...] | None = None
