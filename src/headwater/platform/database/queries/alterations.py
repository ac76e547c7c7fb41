"""What must be known of a table, and held still, before it changes."""

from headwater.kernel.database import ReadingTransaction, Row, WritingTransaction


async def limit_lock_wait(tx: WritingTransaction) -> None:
    """Give up on a lock after 5 s: everybody else who comes to a table queues behind a change that waits for it."""
    await tx.execute("set local lock_timeout = '5s'")


async def list_column_states(tx: ReadingTransaction, table: int) -> list[Row]:
    """The columns of a table: name, default (an expression), and the unique constraints of each alone."""
    return await tx.rows(
        """
        select a.attname as name,
               case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as default,
               array(select k.conname::text from pg_catalog.pg_constraint k
                     where k.conrelid = a.attrelid and k.contype = 'u' and k.conkey = array[a.attnum]
                     order by k.conname) as unique_constraints
        from pg_catalog.pg_attribute a
        left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
        order by a.attnum
        """,
        table,
    )


async def list_constraints(tx: ReadingTransaction, table: int) -> list[Row]:
    """The keys and foreign keys of a table: name, and kind as Postgres writes it (p, u, f)."""
    return await tx.rows(
        """
        select k.conname as name, k.contype::text as kind from pg_catalog.pg_constraint k
        where k.conrelid = $1::oid and k.contype in ('p', 'u', 'f')
        """,
        table,
    )


async def has_policy(tx: ReadingTransaction, table: int, policy: str) -> bool:
    """Whether a table has a policy of that name."""
    return bool(
        await tx.value(
            "select exists (select from pg_catalog.pg_policy where polrelid = $1::oid and polname = $2)", table, policy
        )
    )
