"""The SQL around dumping and restoring whole databases."""

from headwater.kernel.database.connection import Connection

BEGIN = "begin"
COMMIT = "commit"
FORGET_SECRETS = ("delete from system.secrets", "delete from system.encryption_keys")
"""Removes what only a lost key could open; the next start makes keys anew."""
DROP_WHAT_WE_OWN = ("drop owned by headwater_owner, project_admin cascade",)
"""Loses everything that the house and its admin have made in the connected database."""


def drop_database(name: str) -> str:
    """The end of a database of ours, and of whoever is connected to it."""
    return f'drop database if exists "{name}" with (force)'


LET_OWNERS_CREATE = (
    """
    do $$ begin
      execute format('grant create on database %I to headwater_owner, project_admin', current_database());
    end $$
    """,
    "grant usage, create on schema public to headwater_owner, project_admin",
)
"""Who is to own a relation must be allowed to create it, unless a superuser gives it to him."""


async def database_exists(connection: Connection, name: str) -> bool:
    """Whether the server has a database of this name."""
    return bool(
        await connection.fetchval("select exists (select from pg_catalog.pg_database where datname = $1)", name)
    )


async def is_empty(connection: Connection) -> bool:
    """Whether nobody has made a relation, a function or a schema in the connected database."""
    return bool(
        await connection.fetchval(
            """
            select not exists (
              select from pg_catalog.pg_namespace n
              where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'public')
            ) and not exists (
              select from pg_catalog.pg_class c where c.relnamespace = 'public'::regnamespace
            ) and not exists (
              select from pg_catalog.pg_proc p where p.pronamespace = 'public'::regnamespace
              and not exists (select from pg_catalog.pg_depend d where d.objid = p.oid and d.deptype = 'e')
            )
            """
        )
    )


async def serving_count(connection: Connection) -> int:
    """How many other connections of Headwater the database has."""
    return await connection.fetchval(
        """
        select count(*) from pg_catalog.pg_stat_activity
        where datname = current_database() and application_name = 'headwater' and pid <> pg_backend_pid()
        """
    )


async def put_in_place(connection: Connection, new: str, name: str, old: str) -> None:
    """Give the database `new` the name `name`; the one that had it is `old` from then on. Both happen, or neither."""
    taken = await database_exists(connection, name)
    async with connection.transaction():
        if taken:
            await connection.execute(f'alter database "{name}" rename to "{old}"')
        await connection.execute(f'alter database "{new}" rename to "{name}"')


async def forget_secrets(connection: Connection) -> None:
    """Remove what only a lost key could open; the next start makes keys anew."""
    async with connection.transaction():
        for statement in FORGET_SECRETS:
            await connection.execute(statement)
