"""The history of developers' migrations, and how large the tables are that they touch."""

from collections.abc import Sequence
from datetime import datetime

from headwater.kernel.database import Connection, ReadingTransaction, Row


async def list_migrations(tx: ReadingTransaction) -> list[Row]:
    """Every applied migration, the newest first."""
    return await tx.rows(
        "select version, name, statements, created_at from system.custom_migrations order by version::numeric desc"
    )


async def lock_migrations(connection: Connection) -> None:
    """Wait until no other migration runs, and let none begin before this transaction ends."""
    await connection.execute("select pg_advisory_xact_lock(7130, 17)")


async def find_latest_version(connection: Connection) -> str | None:
    """The highest version applied."""
    return await connection.fetchval(
        "select version from system.custom_migrations order by version::numeric desc limit 1"
    )


async def add_migration(
    connection: Connection, version: str, name: str, statements: Sequence[str], now: datetime
) -> None:
    """Write a migration into the history, in the transaction that applies it."""
    await connection.execute(
        "insert into system.custom_migrations (version, name, statements, created_at) values ($1, $2, $3, $4)",
        version,
        name,
        list(statements),
        now,
    )


async def limit_waiting(connection: Connection, statement_seconds: float, lock_seconds: float) -> None:
    """How long a statement of this transaction may take, and how long it may wait for a lock, in seconds."""
    await connection.execute(
        "select set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true)",
        str(int(statement_seconds * 1000)),
        str(int(lock_seconds * 1000)),
    )


async def estimate_rows(connection: Connection, tables: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """About how many rows each table has that exists; one that was never analysed counts by its size."""
    rows = await connection.fetch(
        """
        select w.schema, w.name,
               case when c.reltuples >= 0 then c.reltuples else pg_relation_size(c.oid) / 100 end::bigint as count
        from unnest($1::text[], $2::text[]) as w(schema, name)
        join pg_catalog.pg_namespace n on n.nspname = w.schema
        join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r', 'p', 'm')
        """,
        [schema for schema, _ in tables],
        [name for _, name in tables],
    )
    return {(row["schema"], row["name"]): row["count"] for row in rows}
