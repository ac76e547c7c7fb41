"""What Postgres' catalogs say of schemas, tables, columns and types."""

from headwater.kernel.database import Connection, ReadingTransaction, Row


async def schema_exists(tx: ReadingTransaction, schema: str) -> bool:
    """Whether there is such a schema."""
    return bool(await tx.value("select exists (select from pg_catalog.pg_namespace where nspname = $1)", schema))


async def relation_exists(tx: ReadingTransaction, schema: str, name: str) -> bool:
    """Whether the name is taken in the schema, by a relation of any kind."""
    return bool(
        await tx.value(
            """
            select exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                           where n.nspname = $1 and c.relname = $2)
            """,
            schema,
            name,
        )
    )


async def list_tables(tx: ReadingTransaction, schema: str) -> list[str]:
    """The names of a schema's tables in the order of their letters' code points."""
    rows = await tx.rows(
        """
        select c.relname as name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition
        order by c.relname::text collate "C"
        """,
        schema,
    )
    return [row["name"] for row in rows]


async def find_table(tx: ReadingTransaction, schema: str, table: str) -> int | None:
    """The table's OID, or None where there is no table of that name."""
    return await tx.value(
        """
        select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')
        """,
        schema,
        table,
    )


async def list_columns(tx: ReadingTransaction, table: int) -> list[Row]:
    """The columns of a table in order: name, type, nullable, primary, single (unique by itself), default, comment."""
    return await tx.rows(
        """
        select a.attname as name, format_type(a.atttypid, null) as type, not a.attnotnull as nullable,
               coalesce(bool_or(k.contype = 'p'), false) as primary,
               coalesce(bool_or(cardinality(k.conkey) = 1), false) as single,
               case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as default,
               col_description(a.attrelid, a.attnum) as comment
        from pg_catalog.pg_attribute a
        left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        left join pg_catalog.pg_constraint k
          on k.conrelid = a.attrelid and k.contype in ('p', 'u') and a.attnum = any(k.conkey)
        where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
        group by a.attrelid, a.attnum, a.attname, a.atttypid, a.attnotnull, a.attgenerated, d.adbin, d.adrelid
        order by a.attnum
        """,
        table,
    )


async def describe_relation(tx: ReadingTransaction, table: int) -> Row | None:
    """Whether a table has row-level security, and its comment."""
    return await tx.row(
        """
        select c.relrowsecurity as row_security, obj_description(c.oid, 'pg_class') as comment
        from pg_catalog.pg_class c where c.oid = $1::oid
        """,
        table,
    )


async def list_foreign_keys(tx: ReadingTransaction, table: int) -> list[Row]:
    """The foreign keys of a table: name, schema, table, on_delete, on_update, and both sides' columns in one order."""
    return await tx.rows(
        """
        select k.conname as name, n.nspname as schema, t.relname as table,
               k.confdeltype::text as on_delete, k.confupdtype::text as on_update,
               (select array_agg(a.attname::text order by p.place) from unnest(k.conkey) with ordinality p(num, place)
                join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = p.num) as sources,
               (select array_agg(a.attname::text order by p.place) from unnest(k.confkey) with ordinality p(num, place)
                join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = p.num) as targets
        from pg_catalog.pg_constraint k
        join pg_catalog.pg_class t on t.oid = k.confrelid
        join pg_catalog.pg_namespace n on n.oid = t.relnamespace
        where k.conrelid = $1::oid and k.contype = 'f' and k.conparentid = 0
        order by k.conname
        """,
        table,
    )


async def admin_bypasses_row_security(tx: ReadingTransaction) -> bool:
    """Whether `project_admin` sees every row without a policy; managed servers may not grant that."""
    return bool(await tx.value("select rolbypassrls from pg_catalog.pg_roles where rolname = 'project_admin'"))


async def name_types(connection: Connection, types: list[int]) -> list[str]:
    """The names by which casts reach types, in the order of the OIDs given."""
    rows = await connection.fetch(
        """
        select format_type(t.id, -1) as name from unnest($1::oid[]) with ordinality t(id, place) order by t.place
        """,
        types,
    )
    return [row["name"] for row in rows]


async def set_claims(connection: Connection, claims_json: str) -> None:
    """Let policies see the claims until the transaction ends."""
    await connection.execute("select set_config('request.jwt.claims', $1, true)", claims_json)
