-- No grants: rows change through the verbs of this app alone, so that nothing happens untold.
create schema sample_app;

create table sample_app.notes (
  id         uuid primary key default gen_random_uuid(),
  owner      uuid not null references auth.users (id) on delete cascade,
  text       text not null,
  words      int,
  created_at timestamptz not null
);
create index notes_by_owner on sample_app.notes (owner, created_at desc, id);
