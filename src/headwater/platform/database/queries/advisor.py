"""What of tables, keys, indexes, policies, views and functions may need mending, as the catalogs say."""

from collections.abc import Sequence

from headwater.kernel.database import ReadingTransaction, Row

_WANTED = "n.nspname !~ '^pg_' and n.nspname <> all($1::text[]) and ($2::text is null or n.nspname = $2)"
"""Every statement takes the schemas that are left out, and the one that is wanted (null: all)."""
_REACHABLE = """
exists (select from (values ('anon'), ('authenticated')) r(name)
        where has_schema_privilege(r.name, n.oid, 'usage')
          and has_table_privilege(r.name, c.oid, 'select, insert, update, delete'))
"""


async def list_advised_tables(tx: ReadingTransaction, internal: Sequence[str], schema: str | None) -> list[Row]:
    """The tables: whether users can reach them, row security, policies for users, keys, columns, the owner's column.

    `unique_key` is a unique constraint none of whose columns may be null; `owner` refers to `auth.users` alone.
    """
    return await tx.rows(
        f"""
        select n.nspname as schema, c.relname as name, c.relrowsecurity as row_security, {_REACHABLE} as reachable,
          exists (select from pg_catalog.pg_policy p
                  where p.polrelid = c.oid and p.polroles <> array[a.oid]) as policies,
          exists (select from pg_catalog.pg_constraint k where k.conrelid = c.oid and k.contype = 'p') as primary_key,
          array(select t.attname::text from pg_catalog.pg_attribute t
                where t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped order by t.attnum) as columns,
          (select array_agg(t.attname::text order by p.place)
           from (select k.conkey from pg_catalog.pg_constraint k
                 where k.conrelid = c.oid and k.contype = 'u' and not exists (
                   select from pg_catalog.pg_attribute t
                   where t.attrelid = c.oid and t.attnum = any(k.conkey) and not t.attnotnull)
                 order by cardinality(k.conkey), k.oid limit 1) u
           cross join lateral unnest(u.conkey) with ordinality p(num, place)
           join pg_catalog.pg_attribute t on t.attrelid = c.oid and t.attnum = p.num) as unique_key,
          (select min(t.attname::text) from pg_catalog.pg_constraint k
           join pg_catalog.pg_attribute t on t.attrelid = c.oid and t.attnum = k.conkey[1]
           where k.conrelid = c.oid and k.contype = 'f' and cardinality(k.conkey) = 1
             and k.confrelid = to_regclass('auth.users') having count(*) = 1) as owner
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        cross join (select oid from pg_catalog.pg_roles where rolname = 'project_admin') a
        where c.relkind in ('r', 'p') and not c.relispartition and {_WANTED}
        order by n.nspname, c.relname
        """,
        list(internal),
        schema,
    )


async def list_unindexed_foreign_keys(tx: ReadingTransaction, internal: Sequence[str], schema: str | None) -> list[Row]:
    """The foreign keys whose columns lead no index, so that a change of the row they refer to reads the whole table.

    An index without the rows where such a column is null does: a row that is referred to is looked for by its values.
    """
    return await tx.rows(
        f"""
        select n.nspname as schema, c.relname as table, k.conname as name,
          array(select t.attname::text from unnest(k.conkey) with ordinality p(num, place)
                join pg_catalog.pg_attribute t on t.attrelid = k.conrelid and t.attnum = p.num
                order by p.place) as columns
        from pg_catalog.pg_constraint k
        join pg_catalog.pg_class c on c.oid = k.conrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where k.contype = 'f' and k.conparentid = 0 and {_WANTED} and not exists (
          select from pg_catalog.pg_index x
          join pg_catalog.pg_class i on i.oid = x.indexrelid join pg_catalog.pg_am m on m.oid = i.relam
          where x.indrelid = k.conrelid and x.indisvalid and m.amname in ('btree', 'hash')
            and (x.indpred is null or pg_get_expr(x.indpred, x.indrelid) in (
              select format('(%I IS NOT NULL)', t.attname) from pg_catalog.pg_attribute t
              where t.attrelid = k.conrelid and t.attnum = any(k.conkey)))
            and (x.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)
        order by n.nspname, c.relname, k.conname
        """,
        list(internal),
        schema,
    )


async def list_advised_policies(tx: ReadingTransaction, internal: Sequence[str], schema: str | None) -> list[Row]:
    """The policies: their expressions, the columns of their tables, and those that lead an index."""
    return await tx.rows(
        f"""
        select n.nspname as schema, c.relname as table, p.polname as name,
          pg_get_expr(p.polqual, p.polrelid) as qual, pg_get_expr(p.polwithcheck, p.polrelid) as with_check,
          array(select t.attname::text from pg_catalog.pg_attribute t
                where t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped) as columns,
          array(select t.attname::text from pg_catalog.pg_index x
                join pg_catalog.pg_attribute t on t.attrelid = c.oid and t.attnum = x.indkey[0]
                where x.indrelid = c.oid and x.indisvalid and x.indpred is null) as indexed
        from pg_catalog.pg_policy p
        join pg_catalog.pg_class c on c.oid = p.polrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where {_WANTED}
        order by n.nspname, c.relname, p.polname
        """,
        list(internal),
        schema,
    )


async def list_duplicate_indexes(tx: ReadingTransaction, internal: Sequence[str], schema: str | None) -> list[Row]:
    """The indexes that another does all the work of: it is the same, and unique where they are.

    `twin` is the one to keep, `constraint_name` that of the constraint the index stands for. What a foreign key leans
    on is left out.
    """
    return await tx.rows(
        f"""
        with ranked as (
          select x.*, i.relam, i.relname, k.conname, pg_get_expr(x.indexprs, x.indrelid) as expressions,
                 pg_get_expr(x.indpred, x.indrelid) as predicate,
                 case when x.indisprimary then 0 when k.oid is not null then 1 when x.indisunique then 2 else 3 end
                   as rank
          from pg_catalog.pg_index x
          join pg_catalog.pg_class i on i.oid = x.indexrelid
          left join pg_catalog.pg_constraint k on k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x')
          where x.indisvalid and not i.relispartition
        )
        select distinct on (n.nspname, c.relname, x.relname)
          n.nspname as schema, c.relname as table, x.relname as name, y.relname as twin, x.conname as constraint_name
        from ranked x
        join ranked y on y.indrelid = x.indrelid and y.relam = x.relam and y.indkey = x.indkey
          and y.indclass = x.indclass and y.indcollation = x.indcollation and y.indoption = x.indoption
          and y.indnkeyatts = x.indnkeyatts and y.indnullsnotdistinct = x.indnullsnotdistinct
          and y.indimmediate = x.indimmediate and y.indisexclusion = x.indisexclusion
          and y.expressions is not distinct from x.expressions and y.predicate is not distinct from x.predicate
          and (y.rank, y.indexrelid) < (x.rank, x.indexrelid)
        join pg_catalog.pg_class c on c.oid = x.indrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where not x.indisexclusion and {_WANTED} and not exists (
          select from pg_catalog.pg_constraint f where f.contype = 'f' and f.conindid = x.indexrelid)
        order by n.nspname, c.relname, x.relname, y.rank, y.indexrelid
        """,
        list(internal),
        schema,
    )


async def list_invalid_indexes(tx: ReadingTransaction, internal: Sequence[str], schema: str | None) -> list[Row]:
    """The indexes that a failed build left, if nobody is at work on their tables just now."""
    return await tx.rows(
        f"""
        select n.nspname as schema, c.relname as table, i.relname as name
        from pg_catalog.pg_index x
        join pg_catalog.pg_class i on i.oid = x.indexrelid
        join pg_catalog.pg_class c on c.oid = x.indrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where not x.indisvalid and i.relkind = 'i' and {_WANTED} and not exists (
          select from pg_catalog.pg_locks l where l.relation = c.oid and l.mode = 'ShareUpdateExclusiveLock')
        order by n.nspname, c.relname, i.relname
        """,
        list(internal),
        schema,
    )


async def list_bypassing_views(tx: ReadingTransaction, internal: Sequence[str], schema: str | None) -> list[Row]:
    """The views that users can reach and that read tables with row security as their owner, not as the user."""
    return await tx.rows(
        f"""
        select n.nspname as schema, c.relname as name
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'v' and {_WANTED} and {_REACHABLE}
          and not coalesce((select o.option_value::bool from pg_options_to_table(c.reloptions) o
                            where o.option_name = 'security_invoker'), false)
          and exists (select from pg_catalog.pg_rewrite r
                      join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
                        and d.refclassid = 'pg_catalog.pg_class'::regclass
                      join pg_catalog.pg_class t on t.oid = d.refobjid and t.relrowsecurity
                      where r.ev_class = c.oid)
        order by n.nspname, c.relname
        """,
        list(internal),
        schema,
    )


async def list_open_functions(tx: ReadingTransaction, internal: Sequence[str], schema: str | None) -> list[Row]:
    """The SECURITY DEFINER functions that look names up wherever their caller says."""
    return await tx.rows(
        f"""
        select n.nspname as schema, p.proname as name,
               format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as signature
        from pg_catalog.pg_proc p
        join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where p.prosecdef and {_WANTED}
          and not exists (select from unnest(p.proconfig) s(setting) where s.setting like 'search_path=%')
          and not exists (select from pg_catalog.pg_depend d
                          where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
        order by signature
        """,
        list(internal),
        schema,
    )
