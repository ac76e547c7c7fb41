"""What of Postgres' own catalogs concerns us, and the pieces several statements share."""

VISIBLE = r"n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
"""Not one of Postgres' own schemas; `n` is the pg_namespace."""

RELATION = "c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition"
"""Something with rows that can be asked for by name; partitions are part of their table. `c` is the pg_class."""

BASES = """
bases(oid, base, modifier) as (
  with recursive domains as (
    select t.oid, t.typbasetype as base, t.typtypmod as modifier from pg_catalog.pg_type t where t.typtype = 'd'
    union all
    select d.oid, t.typbasetype, greatest(d.modifier, t.typtypmod)
    from domains d join pg_catalog.pg_type t on t.oid = d.base where t.typtype = 'd'
  )
  select d.oid, d.base, d.modifier from domains d join pg_catalog.pg_type t on t.oid = d.base where t.typtype <> 'd'
), labels(oid, listed) as (
  select e.enumtypid, json_agg(e.enumlabel order by e.enumsortorder) from pg_catalog.pg_enum e group by e.enumtypid
)"""
"""The type under each domain, and the labels of each enumeration."""


def typed(type_oid: str, modifier: str) -> str:
    """The members of a column's JSON that follow from its type; `b`, `t` and `l` are its base, true type and labels."""
    return f"""
      'type', format_type({type_oid}, {modifier}),
      'base_type', format_type(t.oid, -1),
      'category', t.typcategory,
      'domain', case when b.oid is not null then format_type(b.oid, -1) end,
      'enum', coalesce(l.listed, '[]'),
      'max_length', case when t.oid in ('varchar'::regtype, 'bpchar'::regtype)
        then nullif(greatest({modifier}, b.modifier, 3), 3) - 4 end"""


def join_types(type_oid: str) -> str:
    """What `typed` needs joined, for a column whose type has this oid."""
    return f"""
    left join bases b on b.oid = {type_oid}
    join pg_catalog.pg_type t on t.oid = coalesce(b.base, {type_oid})
    left join labels l on l.oid = case when t.typtype = 'e' then t.oid else t.typelem end"""
