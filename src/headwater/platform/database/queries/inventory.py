"""How much there is of what."""

from headwater.kernel.database import ReadingTransaction, Row


async def list_table_sizes(tx: ReadingTransaction) -> list[Row]:
    """Names of the tables in schema `public` and Postgres' own estimate of their rows."""
    return await tx.rows(
        """
        select relname as name, n_live_tup as rows from pg_catalog.pg_stat_user_tables
        where schemaname = 'public' order by relname::text collate "C"
        """
    )


async def measure_database(tx: ReadingTransaction) -> int:
    """The size of the whole database in bytes."""
    return await tx.value("select pg_database_size(current_database())")
