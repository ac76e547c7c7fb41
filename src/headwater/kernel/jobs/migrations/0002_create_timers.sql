-- What waits for its time: a row per declared timer, and a row per run of a job that is due later.
create table system.timers (
  name      text not null,
  due       timestamptz not null,
  job_id    uuid unique, -- null: a declared timer
  attempts  int not null default 0,
  arguments json
);
create unique index timers_by_name on system.timers (name) where job_id is null;
create index timers_by_due on system.timers (due);

-- Jobs whose effects on rows are committed. A job that is met again, because its worker died before anybody knew,
-- finds its id here and does nothing.
create table system.finished (
  job_id      uuid primary key,
  finished_at timestamptz not null
);
create index finished_by_age on system.finished (finished_at);
