"""Tables that tell their changes, and what decides who hears of them."""

from typing import Annotated

import msgspec

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=63)]


class TableToTell(msgspec.Struct, frozen=True, kw_only=True):
    """A table, as the admin names it."""

    table: Identifier
    schema: Identifier = "public"


class TellingTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table that tells its changes, and the channel in which it does."""

    schema: str
    table: str
    channel: str


class FoundTable(msgspec.Struct, frozen=True, kw_only=True):
    """A relation that is to tell its changes: `kind` is Postgres' letter, `ours` where the house itself owns it."""

    kind: str
    is_partition: bool
    has_key: bool
    ours: bool


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column; `formula` is the expression of one that is computed when it is read, `readers` the roles that may."""

    name: str
    type: str
    formula: str | None
    readers: tuple[str, ...]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy for SELECT: its condition, alone and as a statement that can be parsed, and the roles it is for."""

    restrictive: bool
    roles: tuple[str, ...]
    expression: str
    statement: str


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """The table, or what its policies read; `guarded` are the roles for which its policies hold.

    It is `plain` if it is a table: what a view reads, nobody has looked up.
    """

    schema: str
    name: str
    plain: bool
    itself: bool
    guarded: tuple[str, ...]
    policies: tuple[Policy, ...]


class WatchedTable(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A table that tells its changes, as it is now.

    `open_to` are the roles that may use its schema; `tells_old_rows` where its replica identity is FULL.
    """

    oid: int
    schema: str
    name: str
    tells_old_rows: bool
    open_to: tuple[str, ...]
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    relations: tuple[Relation, ...]
    enumerations: tuple[str, ...]
    """Every enumerated type of the database, with its schema."""


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of a filter: `operator` is one of `rules.OPERATORS`; only `in` has more values than one."""

    column: str
    operator: str
    values: tuple[str, ...]


class TableAddress(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel `table:<schema>.<table>[:<filter>]` names."""

    schema: str
    table: str
    conditions: tuple[Condition, ...] = ()


class LoggedChange(msgspec.Struct, frozen=True, kw_only=True):
    """What the log holds of a change: whole rows, by column, and the number of their table."""

    relation: int
    old: dict[str, msgspec.Raw] | None = None
    new: dict[str, msgspec.Raw] | None = None


class ToldChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a client is told: the columns it may read; of an old row the key alone, as a rule.

    `truncated` where only the keys are told, because the whole would be too long for a message.
    """

    schema: str
    table: str
    old: dict[str, msgspec.Raw] | None = None
    new: dict[str, msgspec.Raw] | None = None
    truncated: bool = False


class Verdict(msgspec.Struct, frozen=True, array_like=True):
    """Of a row in sight: its columns that are computed when they are read, and whether each filter keeps it."""

    computed: dict[str, msgspec.Raw] | None
    kept: list[bool]
