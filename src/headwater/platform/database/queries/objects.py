"""What Postgres' catalogs say of schemas, functions, indexes, policies and triggers."""

from headwater.kernel.database import ReadingTransaction, Row


async def list_schemas(tx: ReadingTransaction) -> list[str]:
    """The names of all schemas but Postgres' own."""
    rows = await tx.rows(
        """
        select n.nspname as name from pg_catalog.pg_namespace n
        where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        order by n.nspname::text collate "C"
        """
    )
    return [row["name"] for row in rows]


async def list_functions(tx: ReadingTransaction, schema: str) -> list[Row]:
    """The functions and procedures of a schema but those of extensions, with their definitions and signatures."""
    return await tx.rows(
        """
        select p.proname as function_name, pg_get_functiondef(p.oid) as function_def, p.prokind::text as kind,
               pg_get_function_identity_arguments(p.oid) as arguments, l.lanname as language,
               p.prosecdef as is_security_definer
        from pg_catalog.pg_proc p
        join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        join pg_catalog.pg_language l on l.oid = p.prolang
        where n.nspname = $1 and p.prokind in ('f', 'p') and not exists (
          select from pg_catalog.pg_depend d
          where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
        order by p.proname::text collate "C", arguments
        """,
        schema,
    )


async def list_signatures(tx: ReadingTransaction, schema: str, name: str) -> list[Row]:
    """The functions of a name: arguments as they are listed, and the whole signature, quoted by Postgres itself."""
    return await tx.rows(
        """
        select pg_get_function_identity_arguments(p.oid) as arguments,
               format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as signature
        from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where n.nspname = $1 and p.proname = $2 and p.prokind in ('f', 'p')
        order by arguments
        """,
        schema,
        name,
    )


async def list_indexes(tx: ReadingTransaction, schema: str) -> list[Row]:
    """The indexes of a schema's tables but those of partitions."""
    return await tx.rows(
        """
        select t.relname as table_name, i.relname as index_name, pg_get_indexdef(i.oid) as index_def,
               x.indisunique as is_unique, x.indisprimary as is_primary, x.indisvalid as is_valid
        from pg_catalog.pg_index x
        join pg_catalog.pg_class i on i.oid = x.indexrelid
        join pg_catalog.pg_class t on t.oid = x.indrelid
        join pg_catalog.pg_namespace n on n.oid = t.relnamespace
        where n.nspname = $1 and t.relkind in ('r', 'p', 'm') and not i.relispartition
        order by t.relname::text collate "C", i.relname::text collate "C"
        """,
        schema,
    )


async def list_policies(tx: ReadingTransaction, schema: str) -> list[Row]:
    """The policies of a schema's tables."""
    return await tx.rows(
        """
        select p.tablename as table_name, p.policyname as policy_name, p.cmd, p.roles::text[] as roles, p.qual,
               p.with_check, p.permissive = 'PERMISSIVE' as is_permissive
        from pg_catalog.pg_policies p where p.schemaname = $1
        order by p.tablename::text collate "C", p.policyname::text collate "C"
        """,
        schema,
    )


async def list_triggers(tx: ReadingTransaction, schema: str) -> list[Row]:
    """The triggers of a schema's tables and views, a row for each event, as information_schema tells them."""
    return await tx.rows(
        """
        select c.relname as table_name, t.tgname as trigger_name,
               case when t.tgtype & 64 <> 0 then 'INSTEAD OF' when t.tgtype & 2 <> 0 then 'BEFORE' else 'AFTER' end
                 as action_timing,
               e.name as event_manipulation,
               case when t.tgtype & 1 <> 0 then 'ROW' else 'STATEMENT' end as action_orientation,
               (regexp_match(d.text, ' WHEN \\((.+)\\) EXECUTE (?:FUNCTION|PROCEDURE) '))[1] as action_condition,
               substring(d.text from 'EXECUTE (?:FUNCTION|PROCEDURE) .*$') as action_statement,
               t.tgenabled <> 'D' as is_enabled
        from pg_catalog.pg_trigger t
        join pg_catalog.pg_class c on c.oid = t.tgrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        cross join lateral (select pg_get_triggerdef(t.oid) as text) d
        join (values (4, 'INSERT'), (8, 'DELETE'), (16, 'UPDATE'), (32, 'TRUNCATE')) e(bit, name)
          on t.tgtype & e.bit <> 0
        where n.nspname = $1 and not t.tgisinternal and t.tgparentid = 0
        order by c.relname::text collate "C", t.tgname::text collate "C", e.bit
        """,
        schema,
    )
