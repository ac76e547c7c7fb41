"""The statements that make roles, logins and grants; run at start, each may be run again."""

from headwater.kernel.database.logins import ROLE_OF_LOGIN, Login
from headwater.kernel.principal import ADMIN_ROLE, ANON_ROLE, USER_ROLE

BOOTSTRAP_LOCK = "select pg_advisory_lock(7130, 0)"
BOOTSTRAP_UNLOCK = "select pg_advisory_unlock(7130, 0)"
IS_SUPERUSER = "select rolsuper from pg_roles where rolname = current_user"
MAY_BYPASS = "select rolbypassrls from pg_roles where rolname = 'project_admin'"
DATABASE_EXISTS = "select exists (select from pg_database where datname = $1)"
LET_ADMIN_BYPASS = "alter role project_admin bypassrls"
BECOME_MEMBER = f"grant {', '.join((*ROLE_OF_LOGIN.values(), Login.OWNER))} to current_user"
BECOME_MEMBER_SINCE_16 = f"{BECOME_MEMBER} with inherit true, set true"


def create_database(name: str) -> str:
    """The embedded cluster's database; `name` is ours, not a caller's."""
    return f"create database \"{name}\" owner {Login.OWNER} encoding 'UTF8' template template0"


def create_role(role: str, login_password: str | None = None, *, login: bool = False) -> str:
    """A role if it is not there yet; a login's password is renewed, so that a changed key takes effect."""
    attributes = "login noinherit" if login else "nologin noinherit"
    password = "" if login_password is None else f" password '{login_password}'"
    renewed = "" if login_password is None else f"alter role {role}{password};"
    return f"""
        do $$ begin
          if exists (select from pg_roles where rolname = '{role}') then {renewed or "null;"}
          else create role {role} {attributes}{password};
          end if;
        end $$
    """


def grant_role(login: Login) -> str:
    """Let a login become its one role, and no other."""
    return f"grant {ROLE_OF_LOGIN[login]} to {login}"


PREPARE_DATABASE = f"""
    do $$ begin
      if not exists (select from pg_namespace where nspname = 'system') then
        create schema system authorization {Login.OWNER};
      end if;
      execute format(
        'grant create, connect, temporary on database %I to {Login.OWNER}, {ADMIN_ROLE}', current_database());
    end $$;
    grant usage on schema public to {ANON_ROLE}, {USER_ROLE}, {ADMIN_ROLE}, {Login.OWNER};
    grant create on schema public to {ADMIN_ROLE}, {Login.OWNER};
    alter default privileges for role {ADMIN_ROLE}, {Login.OWNER} in schema public
      grant select, insert, update, delete on tables to {ANON_ROLE}, {USER_ROLE};
    alter default privileges for role {ADMIN_ROLE}, {Login.OWNER} in schema public
      grant usage, select on sequences to {ANON_ROLE}, {USER_ROLE};
    alter default privileges for role {Login.OWNER} in schema public grant all on tables to {ADMIN_ROLE};
    alter default privileges for role {Login.OWNER} in schema public grant all on sequences to {ADMIN_ROLE};
"""

WATCH_DDL = """
    do $$ begin
      if not exists (select from pg_event_trigger where evtname = 'headwater_ddl') then
        create function public.headwater_tell_ddl() returns event_trigger language plpgsql
          set search_path = pg_catalog as $f$ begin perform pg_notify('headwater_ddl', ''); end $f$;
        alter function public.headwater_tell_ddl() set schema system;
        create event trigger headwater_ddl on ddl_command_end execute function system.headwater_tell_ddl();
      end if;
    end $$
"""
DDL_IS_WATCHED = "select exists (select from pg_event_trigger where evtname = 'headwater_ddl' and evtenabled <> 'D')"

CREATE_MIGRATIONS_TABLE = """
    create table if not exists system.migrations (
      component  text not null,
      name       text not null,
      checksum   bytea not null,
      applied_at timestamptz not null,
      primary key (component, name)
    )
"""
UNLIMITED = "set statement_timeout = 0"
LIMITED = "reset statement_timeout"
MIGRATIONS_LOCK = "select pg_advisory_lock(7130, 1)"
MIGRATIONS_UNLOCK = "select pg_advisory_unlock(7130, 1)"
FIND_MIGRATIONS = "select component, name, checksum from system.migrations"
ADD_MIGRATION = "insert into system.migrations (component, name, checksum, applied_at) values ($1, $2, $3, $4)"
