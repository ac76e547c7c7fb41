-- The original's tables, with the index on the order that it lacks: a rank is counted among those before it only.
create table users (
  id         uuid primary key,
  username   text not null unique,
  email      text not null unique,
  password   text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create table scores (
  id           uuid primary key default gen_random_uuid(),
  user_id      uuid not null unique references users (id) on delete cascade,
  score        integer not null default 0,
  last_updated timestamptz not null
);
create index scores_in_order on scores (score desc, last_updated);
create table action_logs (
  id              uuid primary key default gen_random_uuid(),
  user_id         uuid not null references users (id) on delete cascade,
  action_id       text not null unique,
  score_increment integer not null,
  action_hash     text not null,
  timestamp       timestamptz not null,
  ip_address      text,
  created_at      timestamptz not null default now()
);
create index action_logs_of_user on action_logs (user_id, timestamp);
