"""Sequences behind columns whose values came with the rows."""

from collections.abc import Sequence

import msgspec

from headwater.kernel.database import Connection


class Counter(msgspec.Struct, frozen=True):
    """A sequence that gives a column its values: its name quoted, and the step by which it counts, up or down."""

    sequence: str
    column: str
    step: int
    is_ours: bool
    """Whether the role may alter it, and so keep others from counting meanwhile."""


async def list_counters(connection: Connection, table: str, columns: Sequence[str]) -> list[Counter]:
    """The sequences that columns of a table (its name quoted) own, and that the role may set."""
    rows = await connection.fetch(
        """
        select named.sequence::text as sequence, named.column, seqincrement as step,
               pg_has_role(c.relowner, 'usage') as is_ours
        from (
          select pg_get_serial_sequence($1, given.name)::regclass as sequence, given.name as column
          from unnest($2::text[]) as given (name)
        ) as named
        join pg_catalog.pg_sequence on seqrelid = named.sequence
        join pg_catalog.pg_class c on c.oid = named.sequence
        join pg_catalog.pg_attribute a on a.attrelid = $1::regclass and a.attname = named.column
        where has_sequence_privilege(named.sequence, 'update')
          and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
        """,
        table,
        list(columns),
    )
    return [Counter(**row) for row in rows]


async def is_behind(connection: Connection, statement: str) -> bool:
    """Whether a value in the column is still to come from its sequence."""
    return bool(await connection.fetchval(statement))
