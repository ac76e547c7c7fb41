create schema email;

-- One live code or link token for each address and purpose. A code is kept as an HMAC under a key of the vault, because
-- six digits are soon tried out; a token, 32 random bytes, as its SHA-256.
create table auth.email_otps (
  id             uuid primary key,
  email          text not null,
  purpose        text not null check (purpose in ('VERIFY_EMAIL', 'RESET_PASSWORD', 'SIGN_IN')),
  otp_hash       text not null,
  otp_type       text not null check (otp_type in ('NUMERIC_CODE', 'HASH_TOKEN')),
  expires_at     timestamptz not null,
  consumed_at    timestamptz,
  redirect_to    text,
  attempts_count int not null default 0,
  created_at     timestamptz,
  updated_at     timestamptz,
  unique (email, purpose)
);
create index email_otps_by_hash on auth.email_otps (otp_hash) where otp_type = 'HASH_TOKEN';
create index email_otps_by_expiry on auth.email_otps (expires_at);

-- What the admin has said; null where the environment decides.
create table auth.config (
  id                         uuid primary key,
  the_only_one               boolean not null unique default true check (the_only_one),
  require_email_verification boolean not null default false,
  password_min_length        int check (password_min_length between 4 and 128),
  require_number             boolean,
  require_lowercase          boolean,
  require_uppercase          boolean,
  require_special_char       boolean,
  verify_email_method        text not null default 'code' check (verify_email_method in ('code', 'link')),
  reset_password_method      text not null default 'code' check (reset_password_method in ('code', 'link')),
  allowed_redirect_urls      text[] not null default '{}',
  disable_signup             boolean,
  created_at                 timestamptz not null,
  updated_at                 timestamptz not null
);
create function auth.tell_changed_config() returns trigger language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_notify('headwater_auth_config_changed', '');
  return null;
end
$$;
create trigger tell_changed_config after insert or update or delete on auth.config
  for each statement execute function auth.tell_changed_config();

create table email.templates (
  id            uuid primary key,
  template_type text not null unique,
  subject       text not null,
  body_html     text not null,
  created_at    timestamptz not null,
  updated_at    timestamptz not null
);

grant usage on schema email to project_admin;
grant select, insert, update, delete on auth.email_otps, email.templates to project_admin;
