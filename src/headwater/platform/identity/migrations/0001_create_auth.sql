create schema auth;

create function auth.jwt() returns jsonb language sql stable parallel safe as $$
  select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb
$$;

-- A subject that is no uuid (another issuer's user, an admin) is nobody here rather than an error; policies for such
-- users compare auth.jwt() ->> 'sub'.
create function auth.uid() returns uuid language sql stable parallel safe as $$
  select case
    when auth.jwt() ->> 'sub' like '________-____-____-____-____________' then (auth.jwt() ->> 'sub')::uuid
  end
$$;

create function auth.role() returns text language sql stable parallel safe as $$
  select auth.jwt() ->> 'role'
$$;

create function auth.email() returns text language sql stable parallel safe as $$
  select auth.jwt() ->> 'email'
$$;

-- The column password takes the hash that an import brings; at the first sign-in it moves to auth.passwords, which
-- only the house reads, so that `select * from auth.users` shows no hash of ours.
create table auth.users (
  id               uuid primary key default gen_random_uuid(),
  email            text not null,
  password         text,
  email_verified   boolean not null default false,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz,
  profile          jsonb default '{}',
  metadata         jsonb default '{}',
  is_project_admin boolean not null default false,
  is_anonymous     boolean not null default false
);
create unique index users_by_email on auth.users (lower(email));
create index users_by_age on auth.users (created_at desc, id);

create table auth.passwords (
  user_id    uuid primary key references auth.users (id) on delete cascade,
  hash       text not null,
  updated_at timestamptz not null
);

create table auth.user_providers (
  id                  uuid primary key default gen_random_uuid(),
  user_id             uuid not null references auth.users (id) on delete cascade,
  provider            text not null,
  provider_account_id text not null,
  access_token        text,
  refresh_token       text,
  provider_data       jsonb,
  created_at          timestamptz default now(),
  updated_at          timestamptz,
  unique (provider, provider_account_id)
);
create index user_providers_by_user on auth.user_providers (user_id);

-- One row per living session, which is also the family of its refresh tokens. No access token given out under it is
-- good for longer than access_until.
create table auth.sessions (
  id           uuid primary key,
  kind         text not null check (kind in ('user', 'admin')),
  subject      text not null,
  user_id      uuid references auth.users (id) on delete cascade,
  client_type  text not null,
  address      text not null,
  agent        text not null,
  created_at   timestamptz not null,
  last_used_at timestamptz not null,
  expires_at   timestamptz not null,
  access_until timestamptz not null,
  check ((kind = 'user') = (user_id is not null))
);
create index sessions_by_user on auth.sessions (user_id);
create index sessions_by_expiry on auth.sessions (expires_at);

-- Tokens by SHA-256; those that were replaced stay as long as they could be shown again, to be recognised as reused.
create table auth.refresh_tokens (
  hash        bytea primary key,
  session_id  uuid not null references auth.sessions (id) on delete cascade,
  expires_at  timestamptz not null,
  replaced_at timestamptz
);
create unique index refresh_tokens_current on auth.refresh_tokens (session_id) where replaced_at is null;
create index refresh_tokens_by_session on auth.refresh_tokens (session_id);
create index refresh_tokens_by_expiry on auth.refresh_tokens (expires_at);

-- Sessions that ended while access tokens of theirs were still good. Every process keeps a copy in memory.
create table auth.ended_sessions (
  session_id   uuid primary key,
  access_until timestamptz not null
);
create index ended_sessions_by_time on auth.ended_sessions (access_until);

-- Here and not in the house's code, so that a session also ends when its user is deleted from psql.
create function auth.tell_ended_session() returns trigger language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
begin
  insert into auth.ended_sessions (session_id, access_until) values (old.id, old.access_until)
    on conflict (session_id) do nothing;
  perform pg_notify('headwater_session_ended', old.id || ' ' || extract(epoch from old.access_until));
  return null;
end
$$;
create trigger tell_ended_session after delete on auth.sessions
  for each row execute function auth.tell_ended_session();

create table auth.api_keys (
  id         uuid primary key default gen_random_uuid(),
  kind       text not null check (kind in ('anon', 'admin')),
  hash       bytea not null unique,
  created_at timestamptz not null,
  expires_at timestamptz
);

create function auth.tell_changed_keys() returns trigger language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_notify('headwater_keys_changed', '');
  return null;
end
$$;
create trigger tell_changed_keys after insert or update or delete on auth.api_keys
  for each statement execute function auth.tell_changed_keys();

create table auth.failed_logins (
  name      text primary key,
  failures  int not null,
  resets_at timestamptz not null
);
create index failed_logins_by_time on auth.failed_logins (resets_at);

grant usage on schema auth to anon, authenticated, project_admin;
grant select, insert, update, delete, references on auth.users, auth.user_providers to project_admin;
