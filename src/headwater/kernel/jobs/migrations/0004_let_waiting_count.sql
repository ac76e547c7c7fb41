-- Priority is a head start and no rank: a point of it is worth an hour of waiting, so that whoever waits long enough
-- comes first (docs/decisions/0030). The place in the queue never changes while a job waits in it, so an index keeps it.
drop index system.jobs_queued;
create index jobs_queued on system.jobs
  (name, (due - timestamptz '2000-01-01 00:00:00+00' - priority * interval '1 hour'), number) where state = 'queued';
