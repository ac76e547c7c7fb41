"""What Postgres keeps of a role."""

from headwater.kernel.database import Connection

_ROLE_SETTINGS = """
select split_part(kept.setting, '=', 1) as name, substr(kept.setting, strpos(kept.setting, '=') + 1) as value
from pg_catalog.pg_db_role_setting s
join pg_catalog.pg_roles r on r.oid = s.setrole and r.rolname = current_user
cross join lateral unnest(s.setconfig) kept(setting)
left join pg_catalog.pg_settings g on g.name = lower(split_part(kept.setting, '=', 1))
where coalesce(g.context, 'user') = 'user'
  and s.setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
order by s.setdatabase
"""


async def find_role_settings(connection: Connection) -> dict[str, str]:
    """What `alter role … set` has given the connection's role, as far as anybody may set it."""
    return {row["name"]: row["value"] for row in await connection.fetch(_ROLE_SETTINGS)}
