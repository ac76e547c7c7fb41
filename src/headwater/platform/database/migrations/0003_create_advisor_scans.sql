-- What the advisor found, scan by scan, and what the admin does not want to hear of again.
create table system.advisor_scans (
  id         uuid primary key,
  number     bigint generated always as identity unique,
  findings   jsonb not null,
  scanned_by text,
  scanned_at timestamptz not null
);

-- Null stands for any: with the code alone a suppression is of everything the advisor says under it.
create table system.advisor_suppressions (
  id          uuid primary key,
  number      bigint generated always as identity unique,
  code        text not null,
  schema_name text,
  table_name  text,
  object_name text,
  reason      text,
  created_by  text,
  created_at  timestamptz not null,
  unique nulls not distinct (code, schema_name, table_name, object_name)
);
grant select on system.advisor_scans, system.advisor_suppressions to project_admin;
