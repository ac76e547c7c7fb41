"""What is read from Postgres' own catalogs; each statement gives one JSON text, or one figure."""

from headwater.kernel.database import ReadingTransaction

_VISIBLE = r"n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"

_SCHEMAS = f"""
select coalesce(json_agg(n.nspname order by n.nspname <> 'public', n.nspname), '[]')::text
from pg_catalog.pg_namespace n
where {_VISIBLE}
"""

_RELATIONS = f"""
with recursive domains(oid, base) as (
  select t.oid, t.typbasetype from pg_catalog.pg_type t where t.typtype = 'd'
  union all
  select d.oid, t.typbasetype from domains d join pg_catalog.pg_type t on t.oid = d.base where t.typtype = 'd'
), bases as (
  select d.oid, d.base from domains d join pg_catalog.pg_type t on t.oid = d.base where t.typtype <> 'd'
), uses as (
  select r.ev_class as user_oid, d.refobjid as used_oid
  from pg_catalog.pg_rewrite r
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass
  union
  select p.polrelid, d.refobjid
  from pg_catalog.pg_policy p
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_policy'::regclass and d.objid = p.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass
), reaching(oid) as (
  select c.oid from pg_catalog.pg_class c where c.relkind = 'p'
  union
  select u.user_oid from reaching r join uses u on u.used_oid = r.oid
), columns as (
  select a.attrelid, json_agg(json_build_object(
      'name', a.attname,
      'type', format_type(a.atttypid, a.atttypmod),
      'base_type', format_type(coalesce(b.base, a.atttypid), -1),
      'category', t.typcategory,
      'nullable', not a.attnotnull,
      'default', case
        when a.attgenerated <> '' then null
        when a.attidentity <> '' then format('nextval(%L::pg_catalog.regclass)',
          pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname))
        else pg_get_expr(d.adbin, d.adrelid) end,
      'generated', a.attgenerated <> '',
      'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' else '' end
    ) order by a.attnum) as listed
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join bases b on b.oid = a.atttypid
  join pg_catalog.pg_type t on t.oid = coalesce(b.base, a.atttypid)
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
    and {_VISIBLE}
  group by a.attrelid
), keys as (
  select k.conrelid, json_agg(k.names) filter (where k.contype = 'p') -> 0 as primary_key,
    json_agg(k.names) filter (where k.contype = 'u') as unique_keys
  from (
    select o.conrelid, o.contype, json_agg(a.attname order by p.place) as names
    from pg_catalog.pg_constraint o
    cross join lateral unnest(o.conkey) with ordinality p(attnum, place)
    join pg_catalog.pg_attribute a on a.attrelid = o.conrelid and a.attnum = p.attnum
    where o.contype in ('p', 'u')
    group by o.oid, o.conrelid, o.contype
  ) k
  group by k.conrelid
)
select coalesce(json_agg(json_build_object(
    'schema', n.nspname,
    'name', c.relname,
    'kind', case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
      when 'm' then 'materialized view' else 'foreign table' end,
    'columns', coalesce(columns.listed, '[]'),
    'primary_key', coalesce(keys.primary_key, '[]'),
    'unique_keys', coalesce(keys.unique_keys, '[]'),
    'insertable', c.relkind in ('r', 'p') or c.relkind in ('v', 'f') and u.bits & 8 = 8,
    'updatable', c.relkind in ('r', 'p') or c.relkind in ('v', 'f') and u.bits & 4 = 4,
    'deletable', c.relkind in ('r', 'p') or c.relkind in ('v', 'f') and u.bits & 16 = 16,
    'reaches_partitions', c.oid in (select oid from reaching)
  ) order by n.nspname, c.relname), '[]')::text
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join columns on columns.attrelid = c.oid
left join keys on keys.conrelid = c.oid
cross join lateral (
  select case when c.relkind in ('v', 'f') then pg_relation_is_updatable(c.oid, true) else 0 end as bits
) u
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition and {_VISIBLE}
"""

_FOREIGN_KEYS = f"""
select coalesce(json_agg(json_build_object(
    'name', o.conname,
    'schema', n.nspname,
    'relation', c.relname,
    'columns', own.names,
    'target_schema', tn.nspname,
    'target_relation', tc.relname,
    'target_columns', theirs.names,
    'one_to_one', exists (
      select from pg_catalog.pg_constraint k
      where k.conrelid = o.conrelid and k.contype in ('p', 'u') and k.conkey <@ o.conkey and k.conkey @> o.conkey)
  ) order by n.nspname, c.relname, o.conname), '[]')::text
from pg_catalog.pg_constraint o
join pg_catalog.pg_class c on c.oid = o.conrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_class tc on tc.oid = o.confrelid
join pg_catalog.pg_namespace tn on tn.oid = tc.relnamespace
cross join lateral (
  select json_agg(a.attname order by p.place) as names
  from unnest(o.conkey) with ordinality p(attnum, place)
  join pg_catalog.pg_attribute a on a.attrelid = o.conrelid and a.attnum = p.attnum
) own
cross join lateral (
  select json_agg(a.attname order by p.place) as names
  from unnest(o.confkey) with ordinality p(attnum, place)
  join pg_catalog.pg_attribute a on a.attrelid = o.confrelid and a.attnum = p.attnum
) theirs
where o.contype = 'f' and o.conparentid = 0 and {_VISIBLE}
"""

_FUNCTIONS = f"""
select coalesce(json_agg(json_build_object(
    'schema', n.nspname,
    'name', p.proname,
    'arguments', coalesce(inputs.listed, '[]'),
    'returns', format_type(p.prorettype, -1),
    'returns_set', p.proretset,
    'composite', t.typtype = 'c' or t.typname = 'record' or coalesce(d.typtype = 'c', false)
      or coalesce('t' = any(p.proargmodes), false),
    'returns_void', t.typname = 'void',
    'volatility', case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
    'settings', coalesce(to_json(p.proconfig), '[]')
  ) order by n.nspname, p.proname, p.oid), '[]')::text
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_type t on t.oid = p.prorettype
left join pg_catalog.pg_type d on d.oid = t.typbasetype
cross join lateral (
  select json_agg(json_build_object(
      'name', coalesce(i.name, ''),
      'type', format_type(i.type, -1),
      'has_default', i.place > p.pronargs - p.pronargdefaults,
      'variadic', i.mode = 'v'
    ) order by i.place) as listed
  from (
    select a.name, a.type, coalesce(a.mode, 'i') as mode, row_number() over (order by a.place) as place
    from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes, p.proargnames)
      with ordinality a(type, mode, name, place)
    where coalesce(a.mode, 'i') in ('i', 'b', 'v')
  ) i
) inputs
where p.prokind = 'f' and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype) and {_VISIBLE}
"""

_FINGERPRINT = """
select concat_ws('.',
  (select concat_ws(':', count(*), sum(xmin::text::bigint)) from pg_catalog.pg_namespace),
  (select concat_ws(':', count(*), sum(xmin::text::bigint)) from pg_catalog.pg_class where oid >= 16384),
  (select concat_ws(':', count(*), sum(xmin::text::bigint)) from pg_catalog.pg_attribute
   where attrelid >= 16384 and attnum > 0),
  (select concat_ws(':', count(*), sum(xmin::text::bigint)) from pg_catalog.pg_attrdef),
  (select concat_ws(':', count(*), sum(xmin::text::bigint)) from pg_catalog.pg_constraint where oid >= 16384),
  (select concat_ws(':', count(*), sum(xmin::text::bigint)) from pg_catalog.pg_policy),
  (select concat_ws(':', count(*), sum(xmin::text::bigint)) from pg_catalog.pg_rewrite where oid >= 16384),
  (select concat_ws(':', count(*), sum(xmin::text::bigint)) from pg_catalog.pg_type where oid >= 16384),
  (select concat_ws(':', count(*), sum(xmin::text::bigint)) from pg_catalog.pg_proc where oid >= 16384))
"""


async def qualify_names(tx: ReadingTransaction) -> None:
    """For the rest of the transaction types and expressions are written with their schemas."""
    await tx.value("select set_config('search_path', '', true)")


async def list_schemas(tx: ReadingTransaction) -> str:
    """The names of all schemas that are not Postgres' own, `public` first."""
    return await tx.value(_SCHEMAS)


async def list_relations(tx: ReadingTransaction) -> str:
    """Every relation with its columns and keys; partitions are part of their table."""
    return await tx.value(_RELATIONS)


async def list_foreign_keys(tx: ReadingTransaction) -> str:
    """Every foreign key; those that partitions inherit are left out."""
    return await tx.value(_FOREIGN_KEYS)


async def list_functions(tx: ReadingTransaction) -> str:
    """Every plain function; triggers, procedures and aggregates are left out."""
    return await tx.value(_FUNCTIONS)


async def find_fingerprint(tx: ReadingTransaction) -> str:
    """A text that is another one after every change of a schema; any DDL rewrites a row of these catalogs."""
    return await tx.value(_FINGERPRINT)
