create schema notifications;

-- What a user is told inside the apps. `source` is unique where one thing must not be told twice.
create table notifications.notices (
  id         uuid primary key default gen_random_uuid(),
  position   bigint generated always as identity,
  user_id    uuid not null references auth.users (id) on delete cascade,
  kind       text not null,
  title      text not null,
  body       text not null default '',
  details    jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
  source     text,
  created_at timestamptz not null,
  read_at    timestamptz,
  unique (user_id, source)
);
create index notices_of_user on notifications.notices (user_id, position);
create index unread_notices on notifications.notices (user_id) where read_at is null;
create index notices_by_age on notifications.notices (created_at);
