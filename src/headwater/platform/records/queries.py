"""What the caller's role may do, as Postgres tells it."""

from typing import Literal

import msgspec

from headwater.kernel.database import ReadingTransaction

Right = Literal["select", "insert", "update", "delete"]


class Rights(msgspec.Struct, frozen=True, gc=False):
    """What a role may do in a schema: the rights by relation, and by function's name which overloads it may call.

    Overloads stand in the catalog's order.
    """

    relations: dict[str, tuple[Right, ...]]
    functions: dict[str, tuple[bool, ...]]


_rights = msgspec.json.Decoder(Rights)

_RIGHTS = """
select json_build_object(
  'relations', (
    select coalesce(json_object_agg(c.relname, array_remove(array[
        case when has_any_column_privilege(c.oid, 'select') then 'select' end,
        case when has_any_column_privilege(c.oid, 'insert') then 'insert' end,
        case when has_any_column_privilege(c.oid, 'update') then 'update' end,
        case when has_table_privilege(c.oid, 'delete') then 'delete' end
      ], null) order by c.relname), '{}')
    from pg_catalog.pg_class c
    where c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
  ),
  'functions', (
    select coalesce(json_object_agg(f.proname, f.callable order by f.proname), '{}')
    from (
      select p.proname, array_agg(has_function_privilege(p.oid, 'execute') order by p.oid) as callable
      from pg_catalog.pg_proc p
      where p.pronamespace = n.oid and p.prokind = 'f'
        and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
      group by p.proname
    ) f
  ))
from pg_catalog.pg_namespace n
where n.nspname = $1 and has_schema_privilege(n.oid, 'usage')
"""


async def find_rights(tx: ReadingTransaction, schema: str) -> Rights:
    """What the transaction's role may do in a schema; nothing where it may not enter it."""
    told: bytes | None = await tx.value(_RIGHTS, schema)
    return Rights({}, {}) if told is None else _rights.decode(told)
