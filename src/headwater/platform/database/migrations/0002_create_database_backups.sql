create table system.database_backups (
  id             uuid primary key,
  name           text,
  trigger_source text not null,
  status         text not null,
  storage_key    text,
  size_bytes     bigint,
  error_message  text,
  created_by     text,
  completed_at   timestamptz,
  created_at     timestamptz not null,
  updated_at     timestamptz not null
);
create index database_backups_by_time on system.database_backups (created_at desc);
grant select on system.database_backups to project_admin;
