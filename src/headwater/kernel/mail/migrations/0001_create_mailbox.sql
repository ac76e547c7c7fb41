-- Letters of the development mailbox, sealed by the vault: they hold codes that open accounts.
create table system.mailbox (
  id          uuid primary key,
  number      bigint generated always as identity,
  sealed      text not null,
  received_at timestamptz not null,
  expires_at  timestamptz not null
);
create index mailbox_by_expiry on system.mailbox (expires_at);

-- The SMTP account the admin has entered; its password is in the vault.
create table system.smtp_account (
  id                   uuid primary key,
  the_only_one         boolean not null unique default true check (the_only_one),
  enabled              boolean not null,
  host                 text not null,
  port                 int not null,
  username             text not null,
  sender_email         text not null,
  sender_name          text not null,
  min_interval_seconds int not null,
  created_at           timestamptz not null,
  updated_at           timestamptz not null
);
