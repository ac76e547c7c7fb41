"""Of which settings of a request the database's own code speaks."""

from headwater.kernel.database import ReadingTransaction

_SPOKEN = r"""
with stored(written) as (
  select pg_get_expr(p.polqual, p.polrelid) from pg_catalog.pg_policy p
  where p.polqual::text ~ ':funcid (2077|3294) '
  union all
  select pg_get_expr(p.polwithcheck, p.polrelid) from pg_catalog.pg_policy p
  where p.polwithcheck::text ~ ':funcid (2077|3294) '
  union all
  select pg_get_expr(d.adbin, d.adrelid) from pg_catalog.pg_attrdef d
  where d.adrelid >= 16384 and d.adbin::text ~ ':funcid (2077|3294) '
  union all
  select pg_get_constraintdef(o.oid) from pg_catalog.pg_constraint o
  where o.oid >= 16384 and o.conbin::text ~ ':funcid (2077|3294) '
  union all
  select pg_get_viewdef(r.ev_class) from pg_catalog.pg_rewrite r
  where r.ev_class >= 16384 and r.ev_action::text ~ ':funcid (2077|3294) '
  union all
  select pg_get_triggerdef(t.oid) from pg_catalog.pg_trigger t
  where not t.tgisinternal and t.tgqual::text ~ ':funcid (2077|3294) '
  union all
  select p.prosrc from pg_catalog.pg_proc p where p.oid >= 16384
  union all
  select pg_get_function_sqlbody(p.oid) from pg_catalog.pg_proc p
  where p.oid >= 16384 and p.prosqlbody::text ~ ':funcid (2077|2078|3294) '
)
select coalesce(array_agg(distinct lower(found.word[1])), '{}')
from stored cross join lateral regexp_matches(stored.written, '(request|response)\.(?!jwt)', 'gi') found(word)
"""


async def list_spoken_settings(tx: ReadingTransaction) -> list[str]:
    """`request` and `response`, where functions, policies, views, defaults, checks or triggers name such a setting.

    In stored expressions only those are read that call `current_setting` or `set_config`, by their numbers in pg_proc.
    """
    return await tx.value(_SPOKEN)
