"""Every statement of the bus."""

NOTIFY = "select count(pg_notify($1, payload)) from unnest($2::text[]) as payload"
"""All payloads in one statement: a commit with a NOTIFY takes a lock of the whole database (MEASURED.md)."""

PROBE = "select 1"

BEATING = (7130, 3)
"""The advisory lock that every bus that beats shares."""

BE_COUNTED = "select pg_advisory_lock_shared($1, $2)"

COUNT_OTHERS = """
select count(*) from pg_locks
where locktype = 'advisory' and classid = $1 and objid = $2 and objsubid = 2 and pid <> $3
  and database = (select oid from pg_database where datname = current_database())
"""
"""A backend holds its locks for as long as its process is connected, stopped or not."""
