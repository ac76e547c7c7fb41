create table system.audit_logs (
  id         uuid primary key default gen_random_uuid(),
  actor      text not null,
  action     text not null,
  module     text not null,
  details    jsonb,
  ip_address inet,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index audit_logs_by_time on system.audit_logs (created_at desc);

create table system.idempotency_keys (
  key          text primary key,
  request_hash bytea not null,
  status       int not null,
  media_type   text,
  body         bytea,
  created_at   timestamptz not null,
  expires_at   timestamptz not null
);
create index idempotency_keys_by_expiry on system.idempotency_keys (expires_at);

-- Developers' tables carry this trigger, so its function is theirs to call.
create function system.update_updated_at() returns trigger language plpgsql as $$
begin
  new.updated_at = now();
  return new;
end
$$;
grant usage on schema system to anon, authenticated, project_admin;

-- What the admin does to tables and SQL runs under this role, and is audited in the same transaction.
grant insert on system.audit_logs to project_admin;
