"""What is known of the columns whose values the admin sees and writes."""

from headwater.kernel.database import Connection, Row


async def list_record_columns(connection: Connection, schema: str, table: str) -> list[Row]:
    """The columns of a table or view in their order; none where there is no such relation."""
    return await connection.fetch(
        """
        select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, t.typcategory::text as category,
               not a.attnotnull as nullable, coalesce(a.attnum = any(k.conkey), false) as in_key
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        join pg_catalog.pg_type t on t.oid = a.atttypid
        left join pg_catalog.pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
        where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')
        order by a.attnum
        """,
        schema,
        table,
    )
