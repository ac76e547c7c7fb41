"""What tells that something changed, and what is small enough to be read whole each time."""

from headwater.kernel.catalog.queries.visible import RELATION, VISIBLE
from headwater.kernel.database import ReadingTransaction, Row

_SCHEMAS = f"""
select coalesce(json_agg(json_build_array(n.nspname, e.description) order by n.nspname <> 'public', n.nspname), '[]')
from pg_catalog.pg_namespace n
left join pg_catalog.pg_description e
  on e.objoid = n.oid and e.objsubid = 0 and e.classoid = 'pg_catalog.pg_namespace'::regclass
where {VISIBLE}
"""

_REACHING_PARTITIONS = """
with recursive uses as (
  select r.ev_class as user_oid, d.refobjid as used_oid
  from pg_catalog.pg_rewrite r
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass
  where exists (select from pg_catalog.pg_class where relkind = 'p')
  union
  select p.polrelid, d.refobjid
  from pg_catalog.pg_policy p
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_policy'::regclass and d.objid = p.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass
  where exists (select from pg_catalog.pg_class where relkind = 'p')
), reaching(oid) as (
  select c.oid from pg_catalog.pg_class c where c.relkind = 'p'
  union
  select u.user_oid from reaching r join uses u on u.used_oid = r.oid
)
select coalesce(array_agg(oid), '{}') from reaching
"""

_RELATION_MARKS = f"""
with parts(oid, stamp) as (
  select oid, xmin from pg_catalog.pg_class
  union all
  select attrelid, xmin from pg_catalog.pg_attribute where attrelid >= 16384 and attnum > 0
  union all
  select adrelid, xmin from pg_catalog.pg_attrdef
  union all
  select conrelid, xmin from pg_catalog.pg_constraint where conrelid >= 16384
  union all
  select ev_class, xmin from pg_catalog.pg_rewrite where ev_class >= 16384
  union all
  select tgrelid, xmin from pg_catalog.pg_trigger where not tgisinternal
  union all
  select ftrelid, xmin from pg_catalog.pg_foreign_table
  union all
  select objoid, xmin from pg_catalog.pg_description where classoid = 'pg_catalog.pg_class'::regclass
), marks as (
  select p.oid, concat_ws(':', count(*), sum(p.stamp::text::bigint)) as mark from parts p group by p.oid
)
select coalesce(array_agg(c.oid), '{{}}') as oids, coalesce(array_agg(m.mark), '{{}}') as marks,
  coalesce(array_agg(format('%I.%I', n.nspname, c.relname)), '{{}}') as names,
  coalesce(array_agg(c.oid) filter (where c.relkind in ('v', 'm')), '{{}}') as views
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join marks m on m.oid = c.oid
where {RELATION} and {VISIBLE}
"""

_NAMED_MARKS = """
with parts(oid, stamp) as (
  select oid, xmin from pg_catalog.pg_namespace
  union all
  select oid, xmin from pg_catalog.pg_class where relkind in ('S', 'c')
  union all
  select oid, xmin from pg_catalog.pg_type where typrelid = 0 and typcategory <> 'A' and oid >= 16384
  union all
  select enumtypid, xmin from pg_catalog.pg_enum
  union all
  select attrelid, a.xmin from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid
  where c.relkind = 'c'
), functions(oid, stamp) as (
  select oid, xmin from pg_catalog.pg_proc where oid >= 16384
  union all
  select objoid, xmin from pg_catalog.pg_description where classoid = 'pg_catalog.pg_proc'::regclass and objoid >= 16384
), marks(of_function, oid, mark) as (
  select false, oid, concat_ws(':', count(*), sum(stamp::text::bigint)) from parts group by oid
  union all
  select true, oid, concat_ws(':', count(*), sum(stamp::text::bigint)) from functions group by oid
)
select array_agg(oid) filter (where not of_function) as oids, array_agg(mark) filter (where not of_function) as marks,
  coalesce(array_agg(oid) filter (where of_function), '{}') as function_oids,
  coalesce(array_agg(mark) filter (where of_function), '{}') as function_marks
from marks
"""

_MARKED = ("namespace", "attrdef", "policy", "trigger", "cast", "enum", "description", "foreign_table")
_MARKED_OURS = ("class", "constraint", "rewrite", "type", "proc")
_FINGERPRINT = f"""
select concat_ws('.',
  (select concat_ws(':', count(*), sum(xmin::text::bigint)) from pg_catalog.pg_attribute
   where attrelid >= 16384 and attnum > 0),
  {
    ", ".join(
        f"(select concat_ws(':', count(*), sum(xmin::text::bigint)) from pg_catalog.pg_{each})" for each in _MARKED
    )
},
  {
    ", ".join(
        f"(select concat_ws(':', count(*), sum(xmin::text::bigint)) from pg_catalog.pg_{each} where oid >= 16384)"
        for each in _MARKED_OURS
    )
})
"""


async def qualify_names(tx: ReadingTransaction) -> None:
    """For the rest of the transaction types and expressions are written with their schemas."""
    await tx.value("select set_config('search_path', '', true)")


async def find_fingerprint(tx: ReadingTransaction) -> str:
    """A text that is another one after every change of a schema; any DDL rewrites a row of these catalogs."""
    return await tx.value(_FINGERPRINT)


async def list_schemas(tx: ReadingTransaction) -> bytes:
    """The names and comments of all schemas that are not Postgres' own, `public` first, as one JSON array of pairs."""
    return await tx.value(_SCHEMAS)


async def list_reaching_partitions(tx: ReadingTransaction) -> list[int]:
    """The relations whose scan may reach a partitioned table: it, or through views and policies."""
    return await tx.value(_REACHING_PARTITIONS)


async def find_relation_marks(tx: ReadingTransaction) -> Row:
    """`(oids, marks, names, views)`: of every relation a mark, another one after every change; and which are views."""
    (row,) = await tx.rows(_RELATION_MARKS)
    return row


async def find_named_marks(tx: ReadingTransaction) -> Row:
    """`(oids, marks, function_oids, function_marks)`: the same of whatever a relation's description may name."""
    (row,) = await tx.rows(_NAMED_MARKS)
    return row
