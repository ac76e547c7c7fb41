create schema scoreboard;

create table scoreboard.players (
  user_id    uuid primary key references auth.users (id) on delete cascade,
  username   text not null,
  hidden     boolean not null default false,
  created_at timestamptz not null default now()
);
create unique index players_by_name on scoreboard.players (lower(username));
create index players_hidden on scoreboard.players (user_id) where hidden;

-- A tournament is a board with a start, an end or a limit of entries. `season` counts from 1; a reset only raises it.
create table scoreboard.boards (
  name         text primary key,
  title        text not null,
  operator     text not null check (operator in ('increment', 'best', 'set')),
  ascending    boolean not null default false,
  resets       text not null check (resets in ('none', 'daily', 'weekly', 'monthly')),
  zone         text not null default 'UTC',
  ceiling      integer not null default 1000 check (ceiling >= 1),
  season       integer not null default 1,
  season_began timestamptz not null,
  next_reset   timestamptz,
  starts_at    timestamptz,
  ends_at      timestamptz,
  entry_limit  integer check (entry_limit >= 1),
  created_at   timestamptz not null default now(),
  check ((resets = 'none') = (next_reset is null)),
  check (starts_at < ends_at)
);
insert into scoreboard.boards (name, title, operator, resets, season_began)
values ('default', 'Scoreboard', 'increment', 'none', 'epoch');

-- Seasons are never counted twice: whoever still remembers something of a board that is gone must not take it for one
-- that is opened again under its name.
create table scoreboard.removed_boards (
  name   text primary key,
  season integer not null
);

-- Rises with every change of a row, inside the row's lock, so that whoever follows changes can drop what comes late.
create sequence scoreboard.revision;

-- `standing` is what is sorted by: smaller is better. Rows of older seasons are the archives. Scores are whole numbers
-- that a double holds exactly, as clients and Redis keep them.
create table scoreboard.scores (
  board      text not null references scoreboard.boards (name) on delete cascade,
  season     integer not null,
  user_id    uuid not null references scoreboard.players (user_id) on delete cascade,
  score      bigint not null check (abs(score) <= 9007199254740991),
  standing   bigint not null check (abs(standing) = abs(score)),
  reached_at timestamptz not null,
  revision   bigint not null,
  primary key (board, season, user_id)
);
create index scores_in_order on scoreboard.scores (board, season, standing, reached_at, user_id);
create index scores_of_player on scoreboard.scores (user_id);

-- The log of what was sent, and what makes an action single-use: its id is taken in the transaction of its score.
create table scoreboard.actions (
  id              text primary key,
  board           text not null references scoreboard.boards (name) on delete cascade,
  season          integer not null,
  user_id         uuid not null references scoreboard.players (user_id) on delete cascade,
  points          bigint not null,
  action_type     text,
  address         text not null,
  device          text,
  outcome         text not null check (outcome in ('counted', 'held', 'released', 'refused', 'adjusted')),
  score           bigint,
  idempotency_key text,
  created_at      timestamptz not null,
  unique (user_id, idempotency_key)
);
create index actions_of_player on scoreboard.actions (user_id, board, created_at, id);
create index actions_by_age on scoreboard.actions (created_at);
create index actions_by_board on scoreboard.actions (board);

-- Points by board and hour, written by a consumer of ScoreChanged.
create table scoreboard.hours (
  board   text not null references scoreboard.boards (name) on delete cascade,
  hour    timestamptz not null,
  actions integer not null,
  points  bigint not null,
  primary key (board, hour)
);

-- Who leads each board, as of the last ScoreChanged that a consumer took in: so that a change of the lead is told once.
create table scoreboard.leaders (
  board   text primary key references scoreboard.boards (name) on delete cascade,
  season  integer not null,
  user_id uuid references scoreboard.players (user_id) on delete set null
);
create index leaders_by_player on scoreboard.leaders (user_id);

-- The score after some points, by what the board does with them.
create function scoreboard.combined(operator text, ascending boolean, score bigint, points bigint)
returns bigint language sql immutable parallel safe as $$
  select case operator
    when 'increment' then score + points
    when 'best' then case when ascending then least(score, points) else greatest(score, points) end
    else points
  end
$$;
