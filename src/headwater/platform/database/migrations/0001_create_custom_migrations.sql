-- The developer's migrations. Each writes its own row, as the role it runs under and in the same transaction.
create table system.custom_migrations (
  version    text primary key check (version ~ '^[0-9]{1,64}$'),
  name       text not null,
  statements text[] not null,
  created_at timestamptz not null
);
grant select, insert on system.custom_migrations to project_admin;
