-- What is known of how a player or a device behaves: one row each, bounded, newest last. No index on what changes, so
-- that an update stays on its page.
create table scoreboard.behaviours (
  subject       text primary key,
  user_id       uuid references auth.users (id) on delete cascade,
  gaps          integer[] not null default '{}',
  points        integer[] not null default '{}',
  kinds         integer[] not null default '{}',
  paces         smallint[] not null default '{}',
  hour          timestamptz not null,
  hour_actions  integer not null default 0,
  hour_before   integer not null default 0,
  active_hours  bigint not null default 0,
  latest_at     timestamptz not null,
  forgeries     double precision not null default 0,
  forged_at     timestamptz,
  held_at       timestamptz,
  watched_at    timestamptz,
  trusted_until timestamptz
) with (fillfactor = 70);
create index behaviours_of_user on scoreboard.behaviours (user_id) where user_id is not null;

-- Who was where: a place is a device or an address. A row for each player, so that those behind one address do not wait
-- for each other; it is renewed once an hour.
create table scoreboard.sightings (
  place   text not null,
  board   text not null references scoreboard.boards (name) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  device  text,
  seen_at timestamptz not null,
  primary key (place, board, user_id)
);
create index sightings_by_place on scoreboard.sightings (place, board, seen_at);
create index sightings_of_user on scoreboard.sightings (user_id);
create index sightings_by_board on scoreboard.sightings (board);

-- What actions of one kind (a board and an action type, hashed) bring to most players, in logarithms.
create table scoreboard.norms (
  kind    integer primary key,
  middle  double precision not null,
  spread  double precision not null,
  players integer not null,
  made_at timestamptz not null
);

-- One incident gathers what looks wrong of one player on one board until it is reviewed, 200 actions at most, so that
-- an admin decides once and not for each action.
create table scoreboard.incidents (
  id          uuid primary key default gen_random_uuid(),
  user_id     uuid not null references scoreboard.players (user_id) on delete cascade,
  board       text not null references scoreboard.boards (name) on delete cascade,
  outcome     text not null check (outcome in ('held', 'counted')),
  state       text not null default 'open' check (state in ('open', 'released', 'confirmed')),
  score       double precision not null,
  reasons     jsonb not null,
  attempts    integer not null default 1,
  points      bigint not null,
  opened_at   timestamptz not null,
  latest_at   timestamptz not null,
  reviewed_at timestamptz,
  reviewed_by text,
  note        text,
  check ((state = 'open') = (reviewed_at is null))
);
create unique index incidents_open on scoreboard.incidents (user_id, board, outcome)
  where state = 'open' and attempts < 200;
create index incidents_by_age on scoreboard.incidents (opened_at desc, id);
create index incidents_of_player on scoreboard.incidents (user_id);
create index incidents_by_board on scoreboard.incidents (board);

create table scoreboard.incident_actions (
  action_id   text primary key references scoreboard.actions (id) on delete cascade,
  incident_id uuid not null references scoreboard.incidents (id) on delete cascade
);
create index incident_actions_by_incident on scoreboard.incident_actions (incident_id);
