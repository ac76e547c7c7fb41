-- A job is one row from the call to its end: waiting until it is due, queued, running, and failed if it failed for
-- good. A job that finished leaves; its id stays in system.finished (docs/decisions/0018).
create table system.workers (
  id         uuid primary key,
  place      text not null, -- host and process id, for people
  beats      bigint not null default 0, -- a worker that lives counts on; others watch the count, so no clocks are compared
  started_at timestamptz not null
);

create table system.jobs (
  id          uuid primary key,
  number      bigint generated always as identity, -- age
  name        text not null,
  arguments   json not null,
  priority    int not null default 0,
  unique_key  text,
  state       text not null check (state in ('waiting', 'queued', 'running', 'failed')),
  due         timestamptz not null,
  attempts    int not null default 0,
  worker      uuid references system.workers,
  enqueued_at timestamptz not null,
  failed_at   timestamptz, -- the latest failure, also of a job that is to be tried again
  error       text,
  traceback   text,
  check ((state = 'running') = (worker is not null))
);
create unique index jobs_by_unique_key on system.jobs (name, unique_key)
  where unique_key is not null and state <> 'failed';
create index jobs_queued on system.jobs (name, priority desc, number) where state = 'queued';
create index jobs_waiting on system.jobs (due) where state = 'waiting';
create index jobs_running on system.jobs (name, worker) where state = 'running';
create index jobs_failed on system.jobs (failed_at desc, id) where state = 'failed';
alter table system.jobs set (autovacuum_vacuum_scale_factor = 0.02); -- dead rows lie where the next pick begins to read

-- What waited or was queued in the tables this one takes the place of; a payload was {id, attempts, arguments}.
insert into system.jobs (id, name, arguments, priority, state, due, attempts, enqueued_at)
select (payload ->> 'id')::uuid, entrypoint, payload -> 'arguments', priority,
  case status when 'failed' then 'failed' else 'queued' end, created, (payload ->> 'attempts')::int + attempts, created
from (
  select id, entrypoint, priority, status, created, attempts, convert_from(payload, 'utf8')::json as payload
  from system.pgqueuer where status in ('queued', 'picked', 'failed')
) as kept
order by id;
update system.jobs set failed_at = due, error = 'failed before the errors were kept here' where state = 'failed';
insert into system.jobs (id, name, arguments, state, due, attempts, enqueued_at)
select job_id, name, arguments, 'waiting', due, attempts, due from system.timers where job_id is not null order by due;

drop table system.pgqueuer, system.pgqueuer_log, system.pgqueuer_schedules, system.pgqueuer_statistics;
drop type system.pgqueuer_status;

-- From now on only declared timers.
delete from system.timers where job_id is not null;
drop index system.timers_by_name, system.timers_by_due;
alter table system.timers
  drop column job_id,
  drop column attempts,
  drop column arguments,
  add primary key (name),
  add column rhythm text not null default '', -- as it was declared, to see when that changes
  add column beat timestamptz, -- the moment of the rhythm that the next run is for; a retry is due later
  add column last_run timestamptz,
  add column last_seconds double precision,
  add column failures int not null default 0, -- since the last run that was none
  add column error text;
update system.timers set beat = due;
alter table system.timers alter column beat set not null;

alter table system.finished add column job text not null default '';
create index finished_by_job on system.finished (job, finished_at desc);
