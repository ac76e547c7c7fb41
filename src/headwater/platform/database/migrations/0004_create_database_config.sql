-- What the admin says of backups by the clock; while there is no row, the settings say it.
create table system.database_config (
  id                     uuid primary key,
  the_only_one           boolean not null unique default true check (the_only_one),
  backup_enabled         boolean not null,
  backup_cron_schedule   text not null,
  backup_retention_days  integer check (backup_retention_days > 0),
  -- When the schedule began to count; a change of retention alone moves neither it nor the next backup.
  backup_schedule_anchor timestamptz not null,
  next_backup_at         timestamptz check ((next_backup_at is not null) = backup_enabled),
  created_at             timestamptz not null,
  updated_at             timestamptz not null
);
grant select on system.database_config to project_admin;
