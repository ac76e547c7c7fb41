"""What makes a table, asked of Postgres in the words that make another one."""

from collections.abc import Sequence

from headwater.kernel.database import ReadingTransaction, Row

_COLUMNS = """
select jsonb_agg(jsonb_build_object(
         'columnName', a.attname, 'dataType', format_type(a.atttypid, a.atttypmod),
         'isNullable', case when a.attnotnull then 'NO' else 'YES' end,
         'columnDefault', pg_get_expr(d.adbin, d.adrelid),
         'characterMaximumLength', case when a.atttypid in (1042, 1043) and a.atttypmod > 4 then a.atttypmod - 4 end,
         'identity', a.attidentity::text, 'generated', a.attgenerated::text,
         'inherited', not a.attislocal and not c.relispartition,
         'comment', col_description(a.attrelid, a.attnum)) order by a.attnum)
from pg_catalog.pg_attribute a left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
"""
_PARENTS = """
select jsonb_agg(p.relname order by i.inhseqno)
from pg_catalog.pg_inherits i join pg_catalog.pg_class p on p.oid = i.inhparent
where i.inhrelid = c.oid and not c.relispartition
having bool_and(p.relnamespace = c.relnamespace)
"""
_CONSTRAINTS = """
select jsonb_agg(jsonb_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid),
                                    'kind', k.contype::text, 'comment', obj_description(k.oid, 'pg_constraint'))
                 order by k.contype = 'p' desc, k.conname)
from pg_catalog.pg_constraint k
where k.conrelid = c.oid and k.contype in ('p', 'u', 'c', 'x') and k.conislocal and k.conparentid = 0
"""
_FOREIGN_KEYS = """
select jsonb_agg(jsonb_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid), 'kind', 'f',
                                    'comment', obj_description(k.oid, 'pg_constraint')) order by k.conname)
from pg_catalog.pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and k.conparentid = 0
"""
_INDEXES = """
select jsonb_agg(jsonb_build_object('name', x.relname, 'comment', obj_description(x.oid, 'pg_class'),
         'definition', replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')) order by x.relname)
from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid
where i.indrelid = c.oid and not x.relispartition and not exists (
  select from pg_catalog.pg_constraint k where k.conindid = i.indexrelid and k.conrelid = c.oid)
"""
_POLICIES = """
select jsonb_agg(jsonb_build_object(
         'policyName', p.polname, 'permissive', p.polpermissive,
         'cmd', case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE'
                              when 'd' then 'DELETE' else 'ALL' end,
         'roles', (select jsonb_agg(case when r.id = 0 then 'public' else pg_get_userbyid(r.id) end)
                   from unnest(p.polroles) r(id)),
         'qual', pg_get_expr(p.polqual, p.polrelid), 'withCheck', pg_get_expr(p.polwithcheck, p.polrelid),
         'comment', obj_description(p.oid, 'pg_policy')) order by p.polname)
from pg_catalog.pg_policy p where p.polrelid = c.oid
"""
_TRIGGERS = """
select jsonb_agg(jsonb_build_object('name', t.tgname, 'definition', pg_get_triggerdef(t.oid),
                                    'comment', obj_description(t.oid, 'pg_trigger')) order by t.tgname)
from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgparentid = 0
"""
_GRANTS = """
select jsonb_agg(jsonb_build_object('role', g.role, 'privileges', g.privileges) order by g.role)
from (select r.rolname as role, (select coalesce(jsonb_agg(e.privilege_type order by e.privilege_type), '[]')
        from aclexplode(c.relacl) e where e.grantee = r.oid) as privileges
      from pg_catalog.pg_roles r where r.rolname in ('anon', 'authenticated')) g
"""
_RANGE = """
select json_build_object(
         'subtype', format_type(r.rngsubtype, null), 'multirange', m.typname,
         'operator_class', case when not o.opcdefault then format('%I.%I', o_n.nspname, o.opcname) end,
         'collation', case when r.rngcollation <> s.typcollation then format('%I.%I', l_n.nspname, l.collname) end,
         'canonical', nullif(r.rngcanonical::text, '-'), 'difference', nullif(r.rngsubdiff::text, '-'),
         'difference_definition', case when f.pronamespace = t.typnamespace then pg_get_functiondef(f.oid) end)
from pg_catalog.pg_range r join pg_catalog.pg_type s on s.oid = r.rngsubtype
join pg_catalog.pg_type m on m.oid = r.rngmultitypid
join pg_catalog.pg_opclass o on o.oid = r.rngsubopc join pg_catalog.pg_namespace o_n on o_n.oid = o.opcnamespace
left join pg_catalog.pg_collation l on l.oid = r.rngcollation
left join pg_catalog.pg_namespace l_n on l_n.oid = l.collnamespace
left join pg_catalog.pg_proc f on f.oid = r.rngsubdiff
where r.rngtypid = t.oid
"""


async def describe_tables(tx: ReadingTransaction, schema: str, tables: Sequence[str]) -> list[Row]:
    """Everything that makes each table, as the JSON of `TableFacts`; those that are there, by name.

    A table brings those that it inherits from or is a partition of, and after them; a table brings its partitions.
    One that inherits from another schema is told as if it did not.
    """
    return await tx.rows(
        f"""
        select c.relname as name, json_build_object(
          'schema', coalesce(({_COLUMNS}), '[]'), 'constraints', coalesce(({_CONSTRAINTS}), '[]'),
          'foreignKeys', coalesce(({_FOREIGN_KEYS}), '[]'), 'indexes', coalesce(({_INDEXES}), '[]'),
          'policies', coalesce(({_POLICIES}), '[]'), 'triggers', coalesce(({_TRIGGERS}), '[]'),
          'grants', coalesce(({_GRANTS}), '[]'),
          'rlsEnabled', c.relrowsecurity, 'rlsForced', c.relforcerowsecurity,
          'partitionedBy', case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end,
          'partOf', (select p.relname from pg_catalog.pg_inherits i join pg_catalog.pg_class p on p.oid = i.inhparent
                     where i.inhrelid = c.oid and c.relispartition),
          'inherits', coalesce(({_PARENTS}), '[]'),
          'bound', pg_get_expr(c.relpartbound, c.oid), 'comment', obj_description(c.oid, 'pg_class')) as facts
        from (
          select distinct kin.oid
          from pg_catalog.pg_class asked join pg_catalog.pg_namespace n on n.oid = asked.relnamespace
          cross join lateral (
            with recursive above(oid) as (
              select asked.oid
              union select i.inhparent from above join pg_catalog.pg_inherits i on i.inhrelid = above.oid)
            select oid from above
            union all select relid::oid from pg_partition_tree(asked.oid)
          ) as kin
          where n.nspname = $1 and asked.relname = any($2::text[]) and asked.relkind in ('r', 'p')
        ) as wanted
        join pg_catalog.pg_class c on c.oid = wanted.oid and c.relkind in ('r', 'p')
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = $1
        order by (
          with recursive above(oid, steps) as (
            select c.oid, 0
            union all
            select i.inhparent, steps + 1 from above join pg_catalog.pg_inherits i on i.inhrelid = above.oid)
          select max(steps) from above), c.relname
        """,
        schema,
        list(tables),
    )


async def describe_types(tx: ReadingTransaction, schema: str) -> list[Row]:
    """The types of a schema that are made by hand, each as the JSON of `TypeFacts`, the oldest first."""
    return await tx.rows(
        f"""
        select json_build_object(
          'name', t.typname,
          'labels', (select json_agg(e.enumlabel order by e.enumsortorder)
                     from pg_catalog.pg_enum e where e.enumtypid = t.oid),
          'base', case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end,
          'attributes', case when t.typtype = 'c' then (
            select coalesce(json_agg(json_build_object('name', a.attname,
                                                       'definition', format_type(a.atttypid, a.atttypmod))
                                     order by a.attnum), '[]')
            from pg_catalog.pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped) end,
          'range', ({_RANGE}),
          'default', t.typdefault, 'required', t.typnotnull, 'comment', obj_description(t.oid, 'pg_type'),
          'checks', coalesce((select json_agg(json_build_object('name', k.conname,
                                                                'definition', pg_get_constraintdef(k.oid)))
                              from pg_catalog.pg_constraint k where k.contypid = t.oid and k.contype = 'c'), '[]')
        ) as facts
        from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
        left join pg_catalog.pg_class c on c.oid = t.typrelid
        where n.nspname = $1 and (t.typtype in ('e', 'd', 'r') or (t.typtype = 'c' and c.relkind = 'c'))
          and not exists (select from pg_catalog.pg_depend d where d.objid = t.oid and d.deptype = 'e')
        order by t.oid
        """,
        schema,
    )


async def describe_sequences(tx: ReadingTransaction, schema: str) -> list[Row]:
    """The sequences of a schema, as the JSON of `SequenceFacts`."""
    return await tx.rows(
        """
        select json_build_object(
          'name', c.relname, 'dataType', format_type(s.seqtypid, null), 'start', s.seqstart,
          'increment', s.seqincrement, 'minimum', s.seqmin, 'maximum', s.seqmax, 'cycles', s.seqcycle,
          'cache', s.seqcache, 'lastValue', pg_sequence_last_value(c.oid::regclass),
          'isIdentity', coalesce(d.deptype = 'i', false),
          'owner', case when t.oid is not null then json_build_array(t.relname, a.attname) end
        ) as facts
        from pg_catalog.pg_sequence s join pg_catalog.pg_class c on c.oid = s.seqrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        left join pg_catalog.pg_depend d on d.objid = c.oid and d.deptype in ('a', 'i') and d.refobjsubid > 0
          and d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
        left join pg_catalog.pg_class t on t.oid = d.refobjid
        left join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
        where n.nspname = $1 order by c.relname
        """,
        schema,
    )


async def find_position(tx: ReadingTransaction, statement: str) -> int | None:
    """What a sequence that was never used gives out first; None for one that was used."""
    row = await tx.row(statement)
    return None if row is None or row["is_called"] else row["last_value"]


async def describe_functions(tx: ReadingTransaction, schema: str) -> list[Row]:
    """The functions and procedures of a schema, as the JSON of `NamedDefinition`, in the order they were made.

    Those that come with an extension, or with a range type, are not among them.
    """
    return await tx.rows(
        """
        select json_build_object('name', p.proname, 'definition', pg_get_functiondef(p.oid),
                                 'comment', obj_description(p.oid, 'pg_proc'),
                                 'arguments', pg_get_function_identity_arguments(p.oid)) as facts
        from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where n.nspname = $1 and p.prokind in ('f', 'p')
          and not exists (select from pg_catalog.pg_depend d where d.objid = p.oid and d.deptype in ('e', 'i'))
        order by p.oid
        """,
        schema,
    )


async def describe_views(tx: ReadingTransaction, schema: str) -> list[Row]:
    """The views of a schema, as the JSON of `NamedDefinition`, in the order they were made; `m`: materialized."""
    return await tx.rows(
        """
        select json_build_object(
          'name', c.relname, 'definition', pg_get_viewdef(c.oid), 'comment', obj_description(c.oid, 'pg_class'),
          'kind', case when c.relkind = 'm' then 'm'
                       when 'security_invoker=true' = any(c.reloptions) or 'security_invoker=on' = any(c.reloptions)
                       then 'i' else '' end
        ) as facts
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relkind in ('v', 'm')
          and not exists (select from pg_catalog.pg_depend d where d.objid = c.oid and d.deptype = 'e')
        order by c.oid
        """,
        schema,
    )


async def copy_out(tx: ReadingTransaction, statement: str) -> str:
    """The rows of a statement as CSV with a header."""
    parts: list[bytes] = []

    async def take(part: bytes) -> None:
        parts.append(part)

    await tx.connection.copy_from_query(statement, output=take, format="csv", header=True)
    return b"".join(parts).decode()
