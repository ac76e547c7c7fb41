"""Every statement of the bus."""

NOTIFY = "select count(pg_notify($1, payload)) from unnest($2::text[]) as payload"
"""All payloads in one statement: a commit with a NOTIFY takes a lock of the whole database (MEASURED.md)."""

PROBE = "select 1"
