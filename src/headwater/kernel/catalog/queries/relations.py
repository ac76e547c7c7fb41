"""Relations with their columns and keys, the foreign keys between them, and where views' columns come from."""

from collections.abc import Sequence

from headwater.kernel.catalog.queries.visible import BASES, RELATION, VISIBLE, join_types, typed
from headwater.kernel.database import ReadingTransaction, Row

_RELATIONS = f"""
with {BASES}, columns as (
  select a.attrelid, array_agg(a.attnum order by a.attnum) as numbers, json_agg(json_build_object(
      'name', a.attname,{typed("a.atttypid", "a.atttypmod")},
      'nullable', not a.attnotnull,
      'default', case
        when a.attgenerated <> '' then null
        when a.attidentity <> '' then format('nextval(%L::pg_catalog.regclass)',
          (select format('%I.%I', sn.nspname, s.relname)
           from pg_catalog.pg_depend sd
           join pg_catalog.pg_class s on s.oid = sd.objid and s.relkind = 'S'
           join pg_catalog.pg_namespace sn on sn.oid = s.relnamespace
           where sd.classid = 'pg_catalog.pg_class'::regclass and sd.refclassid = 'pg_catalog.pg_class'::regclass
             and sd.refobjid = a.attrelid and sd.refobjsubid = a.attnum and sd.deptype = 'i'))
        else pg_get_expr(d.adbin, d.adrelid) end,
      'generated', a.attgenerated <> '',
      'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' else '' end,
      'comment', e.description
    ) order by a.attnum) as listed
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace{join_types("a.atttypid")}
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  left join pg_catalog.pg_description e
    on e.objoid = a.attrelid and e.objsubid = a.attnum and e.classoid = 'pg_catalog.pg_class'::regclass
  where a.attnum > 0 and not a.attisdropped and {RELATION} and {VISIBLE} and c.oid = any($1)
  group by a.attrelid
), keys as (
  select k.conrelid, json_agg(k.names) filter (where k.contype = 'p') -> 0 as primary_key,
    json_agg(k.names order by k.oid) filter (where k.contype = 'u') as unique_keys
  from (
    select o.oid, o.conrelid, o.contype, json_agg(a.attname order by p.place) as names
    from pg_catalog.pg_constraint o
    cross join lateral unnest(o.conkey) with ordinality p(attnum, place)
    join pg_catalog.pg_attribute a on a.attrelid = o.conrelid and a.attnum = p.attnum
    where o.contype in ('p', 'u') and o.conrelid = any($1)
    group by o.oid, o.conrelid, o.contype
  ) k
  group by k.conrelid
)
select c.oid, coalesce(columns.numbers, '{{}}') as numbers, json_build_object(
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
    'comment', e.description
  ) as told
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join columns on columns.attrelid = c.oid
left join keys on keys.conrelid = c.oid
left join pg_catalog.pg_description e
  on e.objoid = c.oid and e.objsubid = 0 and e.classoid = 'pg_catalog.pg_class'::regclass
cross join lateral (
  select case when c.relkind in ('v', 'f') then pg_relation_is_updatable(c.oid, true) else 0 end as bits
) u
where {RELATION} and {VISIBLE} and c.oid = any($1)
"""

_FOREIGN_KEYS = f"""
select o.oid, o.conrelid, o.confrelid, json_build_object(
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
  ) as told
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
where o.contype = 'f' and o.conparentid = 0 and {VISIBLE} and (o.conrelid = any($1) or o.confrelid = any($1))
"""

_LONGEST_TREE = 8_000_000
"""Characters of a view's rule that are still looked through."""

_VIEW_COLUMNS = rf"""
with rules as materialized (
  select r.ev_class as view, replace(replace(replace(r.ev_action::text, '\\', ''), '\{{', ''), '\}}', '') as tree
  from pg_catalog.pg_rewrite r
  join pg_catalog.pg_class c on c.oid = r.ev_class
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where r.rulename = '_RETURN' and c.relkind in ('v', 'm') and {VISIBLE} and c.oid = any($1)
), parts as (
  select r.view, p.place, left(p.part, 400) as entry,
    octet_length(replace(p.part, '}}', '')) - octet_length(replace(p.part, '{{', '')) as opened
  from rules r cross join lateral string_to_table(r.tree, ':resno ') with ordinality p(part, place)
  where length(r.tree) <= {_LONGEST_TREE}
), placed as (
  select view, place, entry, sum(opened) over (partition by view order by place) - opened as depth from parts
), entries as (
  select view, split_part(entry, ' ', 1)::int as number,
    split_part(split_part(entry, ' :resorigtbl ', 2), ' ', 1)::oid as base,
    split_part(split_part(entry, ' :resorigcol ', 2), ' ', 1)::int as base_number
  from placed
  where depth = 2 and place > 1 and split_part(entry, ' :resjunk ', 2) like 'false%'
)
select view, number, base, base_number from entries where base <> 0 and base_number > 0
"""
"""A rule is a tree in braces: the view's query the outermost, its target entries next, each ending with where the
column comes from. Postgres escapes blanks and braces of names with a backslash, so `:resno` and a blank is its own."""


async def list_relations(tx: ReadingTransaction, oids: Sequence[int]) -> list[Row]:
    """Of these relations `(oid, numbers, told)`: the columns' attnums and the relation's JSON."""
    return await tx.rows(_RELATIONS, oids)


async def list_foreign_keys(tx: ReadingTransaction, oids: Sequence[int]) -> list[Row]:
    """Foreign keys from or to these relations, `(oid, conrelid, confrelid, told)`; no partition's copies."""
    return await tx.rows(_FOREIGN_KEYS, oids)


async def list_view_columns(tx: ReadingTransaction, oids: Sequence[int]) -> list[Row]:
    """Of these views `(view, number, base, base_number)`: which column shows which column of the relation below."""
    return await tx.rows(_VIEW_COLUMNS, oids)
