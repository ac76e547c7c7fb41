"""Rows taken in: read by COPY, written in parts, and watched from another connection."""

from collections.abc import AsyncIterator

from headwater.kernel.database import Connection, ReadingTransaction, Row
from headwater.platform.database.models import Load

_WATCHED = "headwater load "
INCOMING = "headwater_incoming"


async def row_security_holds(connection: Connection, schema: str, table: str) -> bool:
    """Whether policies decide about this role's rows in a table, so that COPY may not write into it."""
    return bool(
        await connection.fetchval(
            """
            select row_security_active(c.oid) from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2
            """,
            schema,
            table,
        )
    )


async def copy_rows(
    connection: Connection, load: Load, chunks: AsyncIterator[bytes], seconds: float, *, incoming: bool
) -> int:
    """Let COPY read the chunks into the load's table, or into the temporary one; how many rows there were."""
    csv = load.is_csv
    tag: str = await connection.copy_to_table(
        INCOMING if incoming else load.table,
        schema_name=None if incoming else load.schema,
        columns=list(load.columns),
        source=chunks,
        format="csv" if csv else "text",
        header=True if csv else None,
        delimiter=load.delimiter if csv else None,
        force_null=list(load.blank_is_null) if csv and load.blank_is_null else None,
        encoding="utf-8",
        timeout=seconds,
    )
    return int(tag.rpartition(" ")[2])


async def find_places(connection: Connection, first: str, last: str) -> list[str]:
    """Where each incoming row lies between two places, in order."""
    rows = await connection.fetch(
        f"""
        select ctid::text as place from {INCOMING}
        where ctid >= $1::text::tid and ctid < $2::text::tid order by ctid
        """,
        first,
        last,
    )
    return [row["place"] for row in rows]


async def count_pages(connection: Connection) -> int:
    """How many pages the incoming rows fill."""
    return await connection.fetchval(
        "select pg_relation_size('headwater_incoming') / current_setting('block_size')::int"
    )


async def count_before(connection: Connection, place: str) -> int:
    """How many incoming rows lie before a place."""
    return await connection.fetchval(f"select count(*) from {INCOMING} where ctid < $1::text::tid", place)


async def tell_progress(connection: Connection, load_id: str, done: int, total: int | None) -> None:
    """Write into the list of sessions how far a load is, which others see at once, transaction or not."""
    told = f"{_WATCHED}{load_id} {done}" + ("" if total is None else f"/{total}")
    await connection.execute("select set_config('application_name', $1, false)", told)


async def list_loads(tx: ReadingTransaction) -> list[Row]:
    """Every load at work on this database: id, done, total, and what COPY has read: bytes, tuples.

    For the admin: Postgres tells a login of its own sessions only, and the role that it has become is another.
    """
    await tx.value("select set_config('role', 'none', true)")
    return await tx.rows(
        """
        select split_part(a.application_name, ' ', 3) as id,
               split_part(split_part(a.application_name, ' ', 4), '/', 1)::bigint as done,
               nullif(split_part(a.application_name, '/', 2), '')::bigint as total,
               p.bytes_processed as bytes, p.tuples_processed as tuples
        from pg_catalog.pg_stat_activity a left join pg_catalog.pg_stat_progress_copy p on p.pid = a.pid
        where a.datname = current_database() and a.application_name ~ '^headwater load [^ ]+ [0-9]+(/[0-9]+)?$'
        order by a.xact_start
        """
    )


async def list_constraint_columns(connection: Connection, schema: str, table: str, constraint: str) -> list[str]:
    """The columns of a constraint or of a unique index, in their order."""
    rows = await connection.fetch(
        """
        select a.attname as name
        from pg_catalog.pg_class t
        join pg_catalog.pg_namespace n on n.oid = t.relnamespace and n.nspname = $1
        left join pg_catalog.pg_constraint k on k.conrelid = t.oid and k.conname = $3
        left join pg_catalog.pg_index i
          on i.indrelid = t.oid and i.indexrelid = (select c.oid from pg_catalog.pg_class c
                                                    where c.relname = $3 and c.relnamespace = n.oid)
        join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = any(coalesce(k.conkey, i.indkey::int2[]))
        where t.relname = $2 order by a.attnum
        """,
        schema,
        table,
        constraint,
    )
    return [row["name"] for row in rows]
