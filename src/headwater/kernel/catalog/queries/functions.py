"""Functions, and what domains say of how values and whole answers are written."""

from headwater.kernel.catalog.queries.visible import BASES, RELATION, VISIBLE, join_types, typed
from headwater.kernel.database import ReadingTransaction, Row

_FUNCTIONS = f"""
with {BASES}, row_types(oid, name) as (
  select c.reltype, json_build_array(n.nspname, c.relname)
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where {RELATION} and {VISIBLE}
)
select json_build_object(
    'schema', n.nspname,
    'name', p.proname,
    'arguments', coalesce(inputs.listed, '[]'),
    'returns', format_type(p.prorettype, -1),
    'returns_set', p.proretset,
    'composite', r.typtype = 'c' or r.typname = 'record' or coalesce(p.proargmodes && '{{t,b,o}}', false),
    'returns_void', r.typname = 'void',
    'volatility', case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
    'settings', coalesce(to_json(p.proconfig), '[]'),
    'columns', coalesce(outputs.listed, attributes.listed, '[]'),
    'returns_relation', returned.name,
    'row_of', case when p.pronargs = 1 then taken.name end,
    'rows', case when p.proretset then p.prorows else 1 end,
    'callable', coalesce(inputs.unnamed, 0) = 0 or p.pronargs = 1
      and p.proargtypes[0] in ('json'::regtype, 'jsonb'::regtype, 'text'::regtype, 'xml'::regtype, 'bytea'::regtype),
    'comment', e.description
  ) as told
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_type result on result.oid = p.prorettype
left join bases rb on rb.oid = p.prorettype
join pg_catalog.pg_type r on r.oid = coalesce(rb.base, p.prorettype)
left join row_types returned on returned.oid = r.oid
left join row_types taken on taken.oid = p.proargtypes[0]
left join pg_catalog.pg_description e
  on e.objoid = p.oid and e.objsubid = 0 and e.classoid = 'pg_catalog.pg_proc'::regclass
cross join lateral (
  select count(*) filter (where coalesce(i.name, '') = '') as unnamed, json_agg(json_build_object(
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
left join lateral (
  select json_agg(json_build_object(
      'name', coalesce(nullif(o.name, ''), 'column' || o.place),{typed("o.type", "-1")},
      'nullable', true
    ) order by o.place) as listed
  from (
    select a.name, a.type, row_number() over (order by a.place) as place
    from unnest(p.proallargtypes, p.proargmodes, p.proargnames) with ordinality a(type, mode, name, place)
    where a.mode in ('o', 'b', 't')
  ) o{join_types("o.type")}
) outputs on p.proargmodes is not null
left join lateral (
  select json_agg(json_build_object(
      'name', a.attname,{typed("a.atttypid", "a.atttypmod")},
      'nullable', true
    ) order by a.attnum) as listed
  from pg_catalog.pg_attribute a{join_types("a.atttypid")}
  where a.attrelid = r.typrelid and a.attnum > 0 and not a.attisdropped
) attributes on r.typtype = 'c' and returned.oid is null
where p.prokind = 'f' and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype) and {VISIBLE}
order by n.nspname, p.proname, p.oid
"""

_REPRESENTATIONS = """
select coalesce(json_agg(json_build_object(
    'domain', format_type(d.oid, -1),
    'to_json', told.to_json,
    'from_json', told.from_json,
    'from_text', told.from_text
  ) order by d.oid), '[]')
from pg_catalog.pg_type d
cross join lateral (
  select max(f.name) filter (where k.castsource = d.oid and k.casttarget = 'json'::regtype) as to_json,
    max(f.name) filter (where k.castsource = 'json'::regtype) as from_json,
    max(f.name) filter (where k.castsource = 'text'::regtype) as from_text
  from pg_catalog.pg_cast k
  join pg_catalog.pg_proc p on p.oid = k.castfunc
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  cross join lateral (select format('%I.%I', n.nspname, p.proname) as name) f
  where k.castcontext = 'i' and k.castmethod = 'f' and d.oid in (k.castsource, k.casttarget)
) told
where d.typtype = 'd' and (told.to_json is not null or told.from_json is not null or told.from_text is not null)
"""

_MEDIA_HANDLERS = rf"""
with {BASES}
select coalesce(json_agg(json_build_object(
    'media_type', lower(d.typname),
    'schema', n.nspname,
    'name', p.proname,
    'aggregate', p.prokind = 'a',
    'binary', b.base = 'bytea'::regtype,
    'relation', rows_of.name
  ) order by n.nspname, p.proname, p.oid), '[]')
from pg_catalog.pg_type d
join bases b on b.oid = d.oid
join pg_catalog.pg_proc p on p.prorettype = d.oid
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
left join lateral (
  select json_build_array(cn.nspname, c.relname) as name
  from pg_catalog.pg_class c join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
  where c.reltype = p.proargtypes[0] and {RELATION}
) rows_of on p.prokind = 'a'
where d.typtype = 'd' and {VISIBLE}
  and (d.typname = '*/*' or d.typname ~ '^[A-Za-z0-9][\w!#$&^.+-]*/[A-Za-z0-9][\w!#$&^.+-]*$')
  and (p.prokind = 'f' and not p.proretset or p.prokind = 'a' and p.pronargs = 1
    and (rows_of.name is not null or p.proargtypes[0] = 'anyelement'::regtype))
"""


async def list_functions(tx: ReadingTransaction) -> list[Row]:
    """Every plain function as JSON, `(told)`; triggers, procedures and aggregates are left out."""
    return await tx.rows(_FUNCTIONS)


async def list_representations(tx: ReadingTransaction) -> bytes:
    """The domains with implicit casts from or to JSON and text, as one JSON array."""
    return await tx.value(_REPRESENTATIONS)


async def list_media_handlers(tx: ReadingTransaction) -> bytes:
    """The functions and aggregates that give an answer of a media type of its own, as one JSON array."""
    return await tx.value(_MEDIA_HANDLERS)
